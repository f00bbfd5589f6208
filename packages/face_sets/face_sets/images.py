"""Pictures in and out: any image file as upright RGB pixels, and PNG and JPEG bytes."""

import io
import stat
import struct
import warnings
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.Image import Transpose as Turn

MAX_PIXELS: Final = 89_478_485
"""Largest picture that is read: Pillow's own limit against decompression bombs (a quarter GiB of RGB)."""

MAX_BYTES: Final = 8 * MAX_PIXELS
"""Largest file that is read: that many pixels without compression, four channels of 16 bits."""

_ORIENTATION: Final = 0x0112  # tag of TIFF 6.0 and EXIF
_TURNS: Final = dict(enumerate((Turn.FLIP_LEFT_RIGHT, Turn.ROTATE_180, Turn.FLIP_TOP_BOTTOM, Turn.TRANSPOSE,
                                Turn.ROTATE_270, Turn.TRANSVERSE, Turn.ROTATE_90), start=2))  # fmt: skip
"""What makes a picture upright, by its EXIF orientation; 1 is upright."""

_UNREADABLE: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, OverflowError
)  # fmt: skip
"""What Pillow lets out on damaged files."""

PngImagePlugin.MAX_TEXT_CHUNK = 2**24  # bytes unpacked: Pillow's own 1 MiB refuses larger colour profiles

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
        with Image.open(io.BytesIO(data)) as image:
            _check_size(image, path)
            turn = _TURNS.get(_orientation(image))
            plain = turn is None and image.format in ("JPEG", "MPO") and image.mode == "RGB"
            if plain and (pixels := _fast_jpeg(data)) is not None:
                return pixels
            rgb = _eight_bits(image).convert("RGB")
            return np.array(rgb if turn is None else rgb.transpose(turn), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise ImageError(path, "is not a picture: give a JPEG, PNG, TIFF, BMP or WebP file") from error
    except Image.DecompressionBombError as error:
        raise ImageError(path, f"has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
    except ImageError:
        raise
    except _UNREADABLE as error:
        raise ImageError(path, "is a truncated or damaged picture: fetch it again") from error


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


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 where there is none or the block is damaged: the picture itself may be whole."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _UNREADABLE:
        return 1


def _fast_jpeg(data: bytes) -> Pixels | None:
    """The pixels of a whole JPEG, as Pillow reads them in more time; None for a damaged one, which Pillow may bear."""
    try:
        return simplejpeg.decode_jpeg(data, "RGB")
    except ValueError:
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image
    # Pillow's own conversion clips 16-bit grey at 255 instead of scaling it; 65535 / 257 = 255
    return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
