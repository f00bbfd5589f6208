"""Pictures in and out: any image file as upright RGB pixels, and atomic PNG and JPEG files."""

import io
import stat
import warnings
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from face_sets.files import write_bytes

MAX_PIXELS: Final = 89_478_485
"""Largest picture that is read: Pillow's own limit against decompression bombs (a quarter GiB of RGB)."""

MAX_BYTES: Final = 8 * MAX_PIXELS
"""Largest file that is read: that many pixels without compression, four channels of 16 bits."""

_ORIENTATION: Final = 0x0112  # tag of TIFF 6.0 and EXIF
_ABOUT: Final = b"\xe1"  # marker of JPEG's segment APP1: EXIF or XMP
_FRAMES: Final = (b"\xc0", b"\xc1", b"\xc2")  # baseline, extended, progressive

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
    """Return the picture in a file as RGB, uint8 (height, width, 3), turned upright by its EXIF orientation.

    Grey, palette, transparent, CMYK and 16-bit grey pictures become RGB; of an animation, the first frame.
    Raises ImageError in one sentence for a file that is absent, unreadable, empty, truncated, not a picture
    or larger than MAX_PIXELS.
    """
    return decode_image(_bytes(path), path)


def decode_image(data: bytes, path: Path | None = None) -> Pixels:
    """Return the picture held by the bytes of an image file, as `read_image`; `path` is named in errors."""
    if not data:
        raise ImageError(path, "is empty: give a JPEG, PNG, TIFF, BMP or WebP picture")
    try:
        if (pixels := _plain_jpeg(data)) is not None:
            return pixels
        with Image.open(io.BytesIO(data)) as image:
            _check_size(image, path)
            ImageOps.exif_transpose(image, in_place=True)
            return np.array(_eight_bits(image).convert("RGB"), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise ImageError(path, "is not a picture: give a JPEG, PNG, TIFF, BMP or WebP file") from error
    except Image.DecompressionBombError as error:
        raise ImageError(path, f"has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        if isinstance(error, ImageError):
            raise
        # Pillow's decoders let any of these out on damaged files
        raise ImageError(path, "is a truncated or damaged picture: fetch it again") from error


def write_png(path: Path, image: Pixels) -> bytes:
    """Write an RGB picture atomically as PNG, without loss; return the file's bytes."""
    data = encode_png(image)
    write_bytes(path, data)
    return data


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


def _check_size(image: Image.Image, path: Path | None) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            path, f"is {width} x {height} pixels, more than {MAX_PIXELS:,} in all: make it smaller first"
        )


def _plain_jpeg(data: bytes) -> Pixels | None:
    """The pixels of a whole JPEG that needs nothing but decoding, as Pillow reads it in more time; None for any other."""
    size = _plain_jpeg_size(data)
    if size is None or size[0] * size[1] > MAX_PIXELS:
        return None
    try:
        return simplejpeg.decode_jpeg(data, "RGB")
    except ValueError:
        return None  # cut off or damaged: Pillow says how, or bears it


def _plain_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG of 8 bits and three components that is not turned by EXIF, from its header.

    Segments as in ITU-T T.81, annex B.
    """
    if data[:2] != b"\xff\xd8":
        return None
    place = 2
    while data[place : place + 1] == b"\xff":
        marker, length = data[place + 1 : place + 2], int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place + 4 : place + 2 + length]
        if marker in _FRAMES:
            bits, components = segment[:1], segment[5:6]
            size = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
            return size if (bits, components) == (b"\x08", b"\x03") else None
        if marker == _ABOUT and (not segment.startswith(b"Exif") or _is_turned(segment)):
            return None  # XMP may hold an orientation too
        place += 2 + max(length, 2)
    return None


def _is_turned(segment: bytes) -> bool:
    exif = Image.Exif()
    exif.load(segment)
    return exif.get(_ORIENTATION, 1) != 1


def _eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image
    # Pillow's own conversion clips 16-bit grey at 255 instead of scaling it; 65535 / 257 = 255
    return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
