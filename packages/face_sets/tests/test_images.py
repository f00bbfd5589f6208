import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import writing_heic  # noqa: F401
from PIL import Image, ImageOps, PngImagePlugin

from face_sets import images


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_png_gives_back_every_level_in_rgb_order(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(images.encode_png(picture))
    np.testing.assert_array_equal(images.read_image(tmp_path / "a.png"), picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)


def test_jpeg_gives_back_nearly_the_colours():
    red = np.full((32, 32, 3), (200, 40, 10), np.uint8)
    assert np.abs(images.decode_image(images.encode_jpeg(red, 90)).astype(int) - red).max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(tmp_path, picture, orientation):
    # What a camera stores so that the orientation undoes it (EXIF 2.32, tag 0x0112)
    stored = {
        1: picture, 2: picture[:, ::-1], 3: picture[::-1, ::-1], 4: picture[::-1],
        5: picture.transpose(1, 0, 2), 6: np.rot90(picture), 7: np.rot90(picture, 2).transpose(1, 0, 2),
        8: np.rot90(picture, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(images.read_image(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"comment": b"a face"}])
def test_a_jpeg_comes_out_as_pillow_reads_it(orientation, options):
    y, x = np.mgrid[:40, :60]
    smooth = np.stack([4 * x, 6 * y, 255 - 4 * x], axis=2).astype(np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(smooth).save(file, "JPEG", quality=95, exif=exif, **options)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))))
    found = images.decode_image(file.getvalue())
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 2  # builds of the library round differently


def test_a_jpeg_turned_by_its_xmp_alone_comes_out_upright(picture):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", xmp=xmp)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue())))
    assert expected.size == (40, 60)
    assert images.decode_image(file.getvalue()).shape == (60, 40, 3)


@pytest.mark.parametrize("length", range(2, 600, 7))
def test_a_jpeg_cut_in_its_header_and_closed_again_is_an_error_in_one_sentence(picture, length):
    data = images.encode_jpeg(picture, 90)[:length] + b"\xff\xd9"
    with pytest.raises(images.ImageError) as error:
        images.decode_image(data)
    assert _one_sentence(error)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_other_colour_modes_become_rgb(tmp_path, picture, mode):
    Image.fromarray(picture).convert(mode).save(tmp_path / "a.tif" if mode == "CMYK" else tmp_path / "a.png")
    (path,) = tmp_path.iterdir()
    assert images.read_image(path).shape == picture.shape


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    levels = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.png")
    assert images.read_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 1, 128, 255]


def _one_sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 300
    return text


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(images.ImageError) as error:
        images.read_image(tmp_path / "none.jpg")
    assert "does not exist" in _one_sentence(error)
    assert "none" not in error.value.reason


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"a,b\n1,2\n", "not a picture"), (b"\xff\xd8\xff", "picture")]
)
def test_a_file_that_is_no_picture(tmp_path, content, said):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(images.ImageError) as error:
        images.read_image(path)
    assert said in _one_sentence(error)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(images.ImageError):
        images.read_image(tmp_path)


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "HEIF", "AVIF", "JPEG2000", "PPM"]
)
def test_no_truncation_gets_past(picture, kind):
    whole = io.BytesIO()
    Image.fromarray(picture).save(whole, kind)
    data = whole.getvalue()
    for length in np.linspace(1, len(data) * 0.6, 25, dtype=int):
        with pytest.raises(images.ImageError) as error:
            images.decode_image(data[:length])
        _one_sentence(error)


@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_give_a_picture_or_a_sentence(picture):
    random = np.random.default_rng(1)
    for kind in images.FORMATS:
        whole = io.BytesIO()
        Image.fromarray(picture).save(whole, kind)
        for _ in range(150):
            data = np.frombuffer(whole.getvalue(), np.uint8).copy()
            data[random.integers(0, len(data), 8)] = random.integers(0, 256, 8)
            try:
                assert images.decode_image(data.tobytes()).dtype == np.uint8
            except images.ImageError:
                continue


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(images.ImageError, match="pixels"):
        images.decode_image(data)


def test_pillows_warnings_do_not_reach_the_reader(tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "wide.png")
    code = (
        "import sys; from pathlib import Path; from face_sets.images import *\n"
        "try: read_image(Path(sys.argv[1]))\n"
        "except ImageError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "wide.png")], capture_output=True, text=True, check=True
    )
    assert "make it smaller" in done.stdout
    assert done.stderr == ""


def test_resize_averages_when_it_shrinks():
    checks = np.indices((64, 64)).sum(0) % 2 * 254
    shrunk = images.resize(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8), 16)
    assert (shrunk == 127).all()
    assert images.resize(shrunk, 32).shape == (32, 32, 3)
    assert images.resize(shrunk, 16) is shrunk


@pytest.mark.parametrize("name", ["/dev/zero", "with\0nothing.jpg", "/etc/hosts/x.jpg"])
def test_a_device_and_an_impossible_name_are_no_pictures(name):
    with pytest.raises(images.ImageError, match="no file|no file can have|does not exist"):
        images.read_image(Path(name))


def test_a_file_beyond_all_measure_is_not_read(tmp_path):
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: takes no room
    with pytest.raises(images.ImageError, match="has more than"):
        images.read_image(path)


def test_a_whole_jpeg_is_read_as_pillow_reads_it(tmp_path):
    """It is decoded by another library: the same pixels must come out."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            path = tmp_path / "x.jpg"
            Image.fromarray(noise).save(path, quality=80, subsampling=subsampling, progressive=progressive)
            expected = np.asarray(Image.open(path).convert("RGB")).astype(int)
            assert np.abs(images.read_image(path) - expected).max() <= 1


@pytest.mark.parametrize("lost", [2, 30, 300])
def test_a_jpeg_that_lost_its_end_but_was_closed_again_does_not_pass_for_whole(lost):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    whole = images.encode_jpeg(noise, 90)
    with pytest.raises(images.ImageError, match="truncated or damaged"):
        images.decode_image(whole[: -2 - lost])


# Metadata never decide whether pixels are read


GRADIENT = np.stack([*np.mgrid[:40:1, :60:1] * 4, np.full((40, 60), 90)], axis=2).astype(np.uint8)


def saved(kind, image=GRADIENT, **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def turned_by(orientation, **others):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for tag, value in others.items():
        exif[int(tag[1:])] = value
    return exif


def level_difference(data, expected=GRADIENT):
    found = images.decode_image(data)
    assert found.shape == expected.shape
    return np.abs(found.astype(int) - expected).mean()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(kind, data, spoilt=False):
    whole, extra = saved("PNG"), bytearray(chunk(kind, data))
    extra[-1] ^= spoilt
    return whole[:33] + extra + whole[33:]


def with_segment(marker, data):
    whole = saved("JPEG", quality=95)
    return whole[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + whole[2:]


ODD = {
    "rational over zero": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x04\x92\x0a\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0",
    "garbage": b"Exif\0\0" + b"garbage" * 9,
    "cut in its directory": b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    "directory far beyond its end": b"Exif\0\0II*\0\xf0\xff\xff\xff",
    "nothing": b"Exif\0\0",
    "directory within itself": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08",
    "unknown orientation": turned_by(77).tobytes(),
    "orientation of nothing": turned_by(0).tobytes(),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_an_odd_exif_block_does_not_spoil_a_whole_picture(kind, odd):
    quality = {} if kind == "PNG" else {"quality": 95}
    assert level_difference(saved(kind, exif=ODD[odd], **quality)) < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_turned_where_its_orientation_can_be_read(kind, orientation):
    """Beside it stands minus one over zero, which some phones write and Pillow cannot write again."""
    quality = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    data = saved(kind, exif=turned_by(orientation, _37380=-1.0), **quality)
    for order in (">", "<"):
        data = data.replace(struct.pack(order + "iI", -1, 1), struct.pack(order + "iI", -1, 0))
    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    assert level_difference(data, np.rot90(GRADIENT, turns)) < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation):
    data = saved("TIFF", tiffinfo={0x0112: orientation})
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(saved("PNG", exif=turned_by(orientation)))))
    np.testing.assert_array_equal(images.decode_image(data), np.asarray(expected))


@pytest.mark.parametrize("kind", [3, 4])  # SHORT, LONG
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_in_either_order_of_bytes_and_of_either_width(order, kind):
    value = struct.pack(order + "HH", 6, 0) if kind == 3 else struct.pack(order + "I", 6)
    directory = struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, 1) + value
    exif = b"Exif\0\0" + {"<": b"II*\0", ">": b"MM\0*"}[order] + directory
    assert level_difference(with_segment(0xE1, exif), np.rot90(GRADIENT, 3)) < 8


@pytest.mark.parametrize("size", [2**16, 2**21, 2**25])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_colour_profile_of_any_size_does_not_spoil_a_picture(kind, size):
    size = min(size, 2**23) if kind == "JPEG" else size  # more does not go into its segments
    quality = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    assert level_difference(saved(kind, icc_profile=bytes(size), **quality)) < 8


@pytest.mark.parametrize(
    "kind", [b"iCCP", b"gAMA", b"pHYs", b"eXIf", b"cHRM", b"sRGB", b"acTL", b"zTXt", b"zzZz"]
)
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_damaged_chunk_beside_the_pixels_does_not_spoil_a_png(kind, spoilt):
    np.testing.assert_array_equal(images.decode_image(with_chunk(kind, b"MM", spoilt)), GRADIENT)


def test_two_hundred_megabytes_of_text_are_not_unpacked():
    text = PngImagePlugin.PngInfo()
    for number in range(200):
        text.add_text(f"k{number}", "x" * 2**20, zip=True)
    np.testing.assert_array_equal(images.decode_image(saved("PNG", pnginfo=text)), GRADIENT)


@pytest.mark.parametrize(
    ("marker", "data"),
    [
        (0xE0, b"JFIF\0\1"), (0xE2, b"ICC_PROFILE\0\x05\x02xx"), (0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff"),
        (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10xx"), (0xEE, b"Adobe"), (0xFE, b""),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='9'"),
    ],
)  # fmt: skip
def test_a_damaged_segment_beside_the_pixels_does_not_spoil_a_jpeg(marker, data):
    assert level_difference(with_segment(marker, data)) < 8


# Levels of other depths


RAMP = np.linspace(0, 255, 60 * 40).reshape(40, 60)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_levels_of_floating_point_are_scaled(white):
    for kind in ("TIFF", "PPM"):
        found = images.decode_image(saved(kind, (RAMP / 255 * white).astype(np.float32)))
        assert np.abs(found[:, :, 0] - RAMP).max() <= 1


@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_a_deep_tiff_is_scaled_by_its_white(white):
    found = images.decode_image(saved("TIFF", (RAMP / 255 * white).astype(np.uint16)))
    assert np.abs(found[:, :, 0] - RAMP).max() < 1.1  # rounded twice


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_levels_that_are_none_are_refused_with_the_reason(bad):
    with pytest.raises(images.ImageError, match="below black or beyond white"):
        images.decode_image(saved("TIFF", np.full((9, 9), bad, np.float32)))


def test_colours_that_pillow_cannot_turn_into_rgb_are_named():
    with pytest.raises(images.ImageError, match="LAB"):
        images.decode_image(saved("TIFF", Image.new("LAB", (9, 9))))


# Formats


@pytest.mark.parametrize("kind", images.FORMATS)
def test_content_decides_not_the_name(tmp_path, kind):
    data = saved(kind)
    assert images.is_picture(data[:32])
    for name in ("a.jpg", "a", "a.HEIC", "a.mp4"):
        (tmp_path / name).write_bytes(data)
        assert images.read_image(tmp_path / name).shape == GRADIENT.shape


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", b"8BPS\0\1" + bytes(99),
        b"\xff\x0a" + bytes(99), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n", saved("TGA"),
        saved("ICO"), saved("IM"), saved("XBM", Image.new("1", (9, 9))), b"<html><body>Sign in</body></html>",
        b"\0\0\0\x18ftypmp42" + bytes(99), b"PK\x03\x04" + bytes(99),
    ],
    ids=["eps", "psd", "jxl", "svg", "pdf", "tga", "ico", "im", "xbm", "html", "mp4", "zip"],
)  # fmt: skip
def test_other_formats_are_not_even_tried(data, monkeypatch):
    """Pillow would hand PostScript to Ghostscript."""
    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(images.ImageError, match="not a picture that is read: give a JPEG.*HEIC") as error:
        images.decode_image(data)
    assert _one_sentence(error)
    assert not images.is_picture(data[:32])


@pytest.mark.parametrize("info", [{0xC612: b"\1\4\0\0"}, {0x00FE: 1}])
def test_of_a_cameras_raw_file_the_thumbnail_is_not_taken_for_the_picture(info):
    with pytest.raises(images.ImageError, match="camera's raw file"):
        images.decode_image(saved("TIFF", tiffinfo=info))


@pytest.mark.parametrize(
    "thrown", [RecursionError, MemoryError, AssertionError, ZeroDivisionError, AttributeError]
)
def test_whatever_a_decoder_throws_is_the_pictures_reason(monkeypatch, thrown):
    def fails(*_):
        raise thrown("inside")

    monkeypatch.setattr(images, "_eight_bits", fails)
    with pytest.raises(images.ImageError, match="truncated or damaged"):
        images.decode_image(saved("PNG"))


def test_a_whole_jpeg_without_its_end_mark_is_whole_and_one_that_is_cut_is_not(picture):
    data = images.encode_jpeg(picture, 90)
    np.testing.assert_array_equal(images.decode_image(data[:-2]), images.decode_image(data))
    for cut in (20, 200, len(data) // 2):
        with pytest.raises(images.ImageError, match="truncated or damaged"):
            images.decode_image(data[:-cut])


@pytest.mark.parametrize("largest", [70_000, 255_000, 2**23])
def test_levels_of_32_bits_whose_white_nobody_knows_are_refused_rather_than_black(largest):
    levels = np.linspace(0, largest, 64, dtype=np.int32).reshape(8, 8)
    data = io.BytesIO()
    Image.fromarray(levels).save(data, "TIFF")
    with pytest.raises(images.ImageError, match="white is not known"):
        images.decode_image(data.getvalue())


def test_memory_that_runs_out_is_not_the_pictures_fault(picture, monkeypatch):
    monkeypatch.setattr(images, "_is_free", lambda _: False)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(images, "_fast_jpeg", full)
    with pytest.raises(MemoryError):
        images.decode_image(images.encode_jpeg(picture, 90))
