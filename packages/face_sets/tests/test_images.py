import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from face_sets import images


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_png_gives_back_every_level_in_rgb_order(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(images.encode_png(picture))
    np.testing.assert_array_equal(images.read_image(tmp_path / "a.png"), picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)


def test_a_large_colour_profile_is_read_and_an_absurd_one_refused(tmp_path, picture):
    """Pillow's own bound on unpacked chunks, 1 MiB, is less than what some printers' profiles take."""
    for size in (2 * 2**20, 2**25):
        Image.fromarray(picture).save(tmp_path / f"{size}.png", icc_profile=bytes(size))
    np.testing.assert_array_equal(images.read_image(tmp_path / f"{2**21}.png"), picture)
    with pytest.raises(images.ImageError, match="damaged"):
        images.read_image(tmp_path / f"{2**25}.png")


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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
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
    for kind in ("PNG", "JPEG", "TIFF", "GIF", "WEBP"):
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


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage" * 9, b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0"])
def test_a_damaged_exif_block_does_not_spoil_a_whole_picture(picture, exif):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95, exif=exif)
    assert images.decode_image(file.getvalue()).shape == picture.shape


def test_an_exif_rational_that_cannot_be_written_again_does_not_spoil_a_picture(picture):
    """Minus one over zero as the exposure bias, and an orientation: some phones write it."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    exif[0x9204] = -1.0
    Image.fromarray(picture).save(file, "JPEG", quality=95, exif=exif)
    damaged = file.getvalue().replace(b"\xff\xff\xff\xff\0\0\0\x01", b"\xff\xff\xff\xff\0\0\0\0")
    assert images.decode_image(damaged).shape == (picture.shape[1], picture.shape[0], 3)
