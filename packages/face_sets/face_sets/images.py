"""Pictures in and out: any image file as upright RGB pixels, and PNG and JPEG bytes."""

import io
import re
import stat
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pi_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.Image import Transpose as Turn
from PIL.TiffImagePlugin import TiffImageFile

MAX_PIXELS: Final = 89_478_485
"""Largest picture that is read: Pillow's own limit against decompression bombs (a quarter GiB of RGB)."""

MAX_BYTES: Final = 8 * MAX_PIXELS
"""Largest file that is read: that many pixels without compression, four channels of 16 bits."""

_ORIENTATION: Final = 0x0112  # tag of TIFF 6.0 and EXIF
_TURNS: Final = dict(enumerate((Turn.FLIP_LEFT_RIGHT, Turn.ROTATE_180, Turn.FLIP_TOP_BOTTOM, Turn.TRANSPOSE,
                                Turn.ROTATE_270, Turn.TRANSVERSE, Turn.ROTATE_90), start=2))  # fmt: skip
"""What makes a picture upright, by its EXIF orientation; 1 is upright."""

FORMATS: Final = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF", "AVIF", "JPEG2000", "PPM")
"""What is read, by Pillow's names. Others are never tried: PostScript, say, would start a program of its own."""

GIVE: Final = "give a JPEG, PNG, TIFF, BMP, WebP, GIF, HEIC, AVIF, JPEG 2000 or PNM picture"

_SIGNATURES: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|II\*\0|MM\0\*|BM.{4}\0{4}|RIFF.{4}WEBP|GIF8[79]a|P[1-6f][\s#]"
    rb"|.{4}ftyp(?:hei|hev|mif|msf|avi)|\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    re.DOTALL,
)
"""How files of FORMATS begin; a first brand of `ftyp` tells HEIF and AVIF from video (ISO/IEC 23008-12)."""

_MODES: Final = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")
"""Pillow's modes of eight bits, of which it makes RGB itself."""

_OF_32_BITS: Final = 2.0**32 - 1

_CAMERA_FILE: Final = (0xC612, 0x00FE)
"""Tags of TIFF: version of DNG; kind of subfile, whose lowest bit is 1 for a preview (TIFF 6.0)."""

_JPEG_KEPT: Final = (0xE0, 0xEE)
"""Application segments that say what the colours are, JFIF's and Adobe's, 18 and 16 bytes; all others are metadata."""

_JPEG_END: Final = b"\xff\xd9"
_TRAIL: Final = 2**16  # bytes that cameras write after the end mark, at most

_PNG_KEPT: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_EXIF: Final = re.compile(rb"(?:Exif\0\0|eXIf|\A)(II\*\0|MM\0\*)")
_XMP_ORIENTATION: Final = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_EXIF_ITEM: Final = re.compile(rb"(infe.{8})Exif", re.DOTALL)
"""The entry of an EXIF block in HEIC and AVIF, whose own boxes say how a picture is turned (ISO/IEC 23008-12)."""

_PLAIN: Final = (
    4  # levels that a bar's pixels are off its colour, in the mean: JPEG of quality 50 leaves 1 to 3
)
_BLUR: Final = 3  # lines over which JPEG and shrinking blur a bar's end
_EDGE: Final = 16  # levels off the bar's colour beyond its end, along this share of it
_EDGE_SHARE: Final = (
    0.7  # no plain background of 36 photographs and 120 rendered faces ends so; 0.5 cuts some too far
)
_SAMPLES: Final = 128  # pixels looked at per line

pi_heif.register_heif_opener(thumbnails=False)

# What Pillow warns of (odd tags, great size) is either harmless or an ImageError below
warnings.filterwarnings("ignore", module=r"PIL\.")

Pixels = NDArray[np.uint8]
"""An RGB picture: uint8, shape (height, width, 3), values 0 to 255."""


class ImageError(ValueError):
    """A file cannot be read as a picture; `reason` says why without naming the file."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(f"{path or 'the picture'} {reason}")
        self.reason = reason


def read_image(path: Path) -> Pixels:
    """Return the picture in a file as RGB, uint8 (height, width, 3), turned upright by its EXIF or XMP orientation.

    The content decides what it is, not the name's ending. Grey, palette, transparent and CMYK pictures become RGB,
    deeper levels are scaled to 8 bits, and of an animation the first frame is taken. Metadata that are odd or
    damaged count as absent. Raises ImageError in one sentence for a file that is absent, unreadable, empty,
    truncated, larger than MAX_PIXELS or in none of FORMATS.
    """
    return decode_image(_bytes(path), path)


def decode_image(data: bytes, path: Path | None = None) -> Pixels:
    """Return the picture held by the bytes of an image file, as `read_image`; `path` is named in errors."""
    if not data:
        raise ImageError(path, f"is empty: {GIVE}")
    bare, metadata = _without_metadata(data)
    try:
        with Image.open(io.BytesIO(bare), formats=FORMATS) as image:
            _check(image, path)
            turn = _TURNS.get(_orientation(image, metadata))
            plain = image.format == "JPEG" and image.mode == "RGB"
            pixels = _fast_jpeg(bare) if plain else None
            if pixels is None:
                pixels = np.array(_eight_bits(image, path).convert("RGB"), dtype=np.uint8)
            return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))
    except UnidentifiedImageError as error:
        if is_picture(data):
            raise ImageError(
                path, "is damaged, or of a kind that is not read: save it as JPEG or PNG"
            ) from error
        raise ImageError(path, f"is not a picture that is read: {GIVE}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(path, f"has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
    except ImageError:
        raise
    except Exception as error:  # decoders let anything out, and it is the picture's fault
        if isinstance(error, MemoryError) and not _is_free(4 * MAX_PIXELS):
            raise  # unless the memory is full, for any picture
        raise ImageError(path, "is a truncated or damaged picture: fetch it again") from error


def _is_free(size: int) -> bool:
    try:
        return len(bytearray(size)) == size
    except MemoryError:
        return False


def is_picture(head: bytes) -> bool:
    """Whether a file of these first bytes, 16 or more, is in one of FORMATS."""
    return _SIGNATURES.match(head) is not None


def first_bytes(path: Path) -> bytes:
    """Return as many bytes of a file as tell what it is; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(32)
    except OSError:
        return b""


def encode_png(image: Pixels) -> bytes:
    """Return the bytes of an RGB picture as PNG, without loss."""
    level = [cv2.IMWRITE_PNG_COMPRESSION, 6]  # zlib's own default
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), level)[1].tobytes()


def encode_jpeg(image: Pixels, quality: int) -> bytes:
    """Return the bytes of an RGB picture as JPEG of `quality` 0 to 100, colours at half the resolution."""
    return simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality, "RGB", "420", fastdct=False)


def resize(image: Pixels, size: int) -> Pixels:
    """Return a picture resized to `size` x `size`: the mean over areas if shrunk, else bilinear.

    Averaging over areas is what OpenCV's manual advises for shrinking (`cv::resize`, INTER_AREA).
    """
    if image.shape[:2] == (size, size):
        return image
    method = cv2.INTER_AREA if size < min(image.shape[:2]) else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method).astype(np.uint8, copy=False)


def shrunk(image: Pixels, size: int) -> Pixels:
    """Return the middle square of a picture, made `size` x `size` if it is larger, else as it is."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(image[top : top + side, left : left + side], min(side, size))


def without_bars(image: Pixels) -> Pixels:
    """Return a picture without the plain bars that letter-boxing puts at its edges; as it is where there are none.

    A bar is of one colour, up to JPEG's noise, and ends at once along much of its length; a plain background ends
    along the outline of a head, and stays.
    """
    inner = image
    for _ in range(2):  # bars on all sides: those above show their ends once those beside are cut off
        for _ in range(2):  # above and below, then beside
            first, last = _bars(inner)
            inner = inner[first : len(inner) - last].transpose(1, 0, 2)
    return np.ascontiguousarray(inner)


def _bars(lines: Pixels) -> tuple[int, int]:
    """How many of the first and of the last lines are bars; where one ends in what is as dark, by the other."""
    (first, ends), (last, also_ends) = _bar(lines), _bar(lines[::-1])
    bars = first if ends else min(first, last), last if also_ends else min(first, last)
    # Two halves, say, are no bars: nothing would be left
    return bars if (ends or also_ends) and sum(bars) < len(lines) - _BLUR else (0, 0)


def _bar(lines: Pixels) -> tuple[int, bool]:
    """How many of the first lines are plain and alike, and whether they end as a bar does."""
    samples = lines[:, :: max(1, lines.shape[1] // _SAMPLES)].astype(np.int16)
    colour = samples[0].mean(axis=0)
    if _off(samples[:1], colour).mean() > _PLAIN:  # of most pictures the first line alone tells
        return 0, False
    off = _off(samples, colour)
    plain = off.mean(axis=1) <= _PLAIN
    number = int(np.argmin(plain))  # 0 if all are, and if the first is none
    if not number:
        return 0, False
    inside = (off > _EDGE).any(axis=0)  # where there is more than bars, which may lie beside as well
    beyond = off[min(number + _BLUR, len(off) - 1), inside] > _EDGE
    return number, bool(beyond.any() and beyond.mean() >= _EDGE_SHARE)


def _off(samples: NDArray[np.int16], colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far RGB samples (n, m, 3) are from a colour, averaged over the three channels.

    Summed channel by channel, which takes a seventh of the time of `mean(axis=2)`.
    """
    red, green, blue = (np.abs(samples[..., channel] - colour[channel]) for channel in range(3))
    return (red + green + blue) / 3


def _bytes(path: Path) -> bytes:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise ImageError(path, "is no file: give a picture")  # a device, say, which has no end
        if state.st_size > MAX_BYTES:
            raise ImageError(path, f"has more than {MAX_BYTES:,} bytes: make it smaller first")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(path, "does not exist: check the file's name") from error
    except OSError as error:
        raise ImageError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(None, "has a name that no file can have") from error


def _check(image: Image.Image, path: Path | None) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            path, f"is {width} x {height} pixels, more than {MAX_PIXELS:,} in all: make it smaller first"
        )
    version, subfile = _CAMERA_FILE
    if isinstance(image, TiffImageFile) and (version in image.tag_v2 or image.tag_v2.get(subfile) == 1):
        # What Pillow would read is a thumbnail
        raise ImageError(path, f"is a camera's raw file: {GIVE}")


def _without_metadata(data: bytes) -> tuple[bytes, bytes]:
    """A picture without what its pixels do not need, and what was left out: Pillow refuses whole pictures for it."""
    if data.startswith(b"\xff\xd8"):
        pieces = list(_jpeg_pieces(data))
    elif data.startswith(b"\x89PNG"):
        pieces = list(_png_pieces(data))
    else:
        return (_EXIF_ITEM.sub(rb"\1none", data) if data[4:8] == b"ftyp" else data), b""
    return b"".join(p for p, needed in pieces if needed), b"".join(p for p, needed in pieces if not needed)


def _jpeg_pieces(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The segments before the first scan, and all from there on; and whether each is needed."""
    yield data[:2], True
    place = 2
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] not in (b"", b"\xda"):
        code = data[place + 1]
        length = 1 if code == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4], "big")  # 0xff fills
        metadata = 0xE0 <= code <= 0xEF or code == 0xFE
        yield data[place : place + length], (code in _JPEG_KEPT and length >= 16) or not metadata
        place += length
    yield data[place:], True


def _png_pieces(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The chunks, and whether each is needed."""
    yield data[:8], True
    place = 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        yield data[place:end], data[place + 4 : place + 8] in _PNG_KEPT
        place = end


def _orientation(image: Image.Image, metadata: bytes) -> int:
    """How the pixels must be turned, by EXIF or XMP; 1 where neither says so, whatever else is wrong in them."""
    if isinstance(image, TiffImageFile):
        # Pillow turns it, if nothing else in its EXIF is odd: so nothing else is left there
        turn, clean = image.tag_v2.get(_ORIENTATION, 1), Image.Exif()
        clean[_ORIENTATION] = turn if turn in _TURNS else 1
        image.info["exif"] = clean.tobytes()
    if image.format in ("TIFF", "HEIF"):
        return 1
    metadata = metadata or b"".join(image.info.get(key) or b"" for key in ("exif", "xmp"))
    if block := _EXIF.search(metadata):
        exif = metadata[block.start(1) :]
        number = partial(int.from_bytes, byteorder="little" if block[1] == b"II*\0" else "big")
        first = number(exif[4:8])
        for place in range(first + 2, first + 2 + 12 * number(exif[first : first + 2]), 12):
            if number(exif[place : place + 2]) == _ORIENTATION:
                width = {1: 1, 4: 4}.get(number(exif[place + 2 : place + 4]), 2)  # of the field's type, bytes
                return number(exif[place + 8 : place + 8 + width])
    in_xmp = _XMP_ORIENTATION.search(metadata)
    return int(in_xmp[1]) if in_xmp else 1


def _fast_jpeg(data: bytes) -> Pixels | None:
    """The pixels of a whole JPEG, as Pillow reads them in more time; None for a damaged one, which Pillow may bear.

    A whole one may lack its end mark: with it, what is missing more is noticed all the same.
    """
    try:
        return simplejpeg.decode_jpeg(data if _JPEG_END in data[-_TRAIL:] else data + _JPEG_END, "RGB")
    except ValueError:
        return None


def _eight_bits(image: Image.Image, path: Path | None) -> Image.Image:
    """The picture with levels of 8 bits. Pillow's own conversion clips deeper ones at 255 instead of scaling them.

    TIFF seldom says what its white is: it is the least of the usual ones that no level exceeds.
    """
    if image.mode in _MODES:
        return image
    if image.mode != "F" and not image.mode.startswith("I"):
        raise ImageError(
            path, f"has colours of a kind that is not read ({image.mode}): save it as RGB of 8 bits"
        )
    levels = np.asarray(image).astype(np.float64)
    whites = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0, _OF_32_BITS)[image.mode != "F" :]
    whites = whites if isinstance(image, TiffImageFile) or image.mode == "F" else (65535.0,)
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > whites[-1]:
        raise ImageError(path, "has levels below black or beyond white: save it as RGB of 8 bits")
    white = min(white for white in whites if white >= levels.max())
    if white == _OF_32_BITS and levels.max() < white / 256:  # all would be black
        raise ImageError(path, "has levels of which the white is not known: save it as RGB of 8 bits")
    return Image.fromarray(np.floor(levels * (255 / white) + 1e-6).astype(np.uint8))
