"""The stored images of a `faces` table: kept in memory if they are few, otherwise read on demand."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from face_sets.images import ImageError, Pixels, decode_image, resize
from face_sets.packed_faces import NAME, PackedFaces, PackedFacesError

KEPT_BYTES: Final = 2**30
"""Pixels up to this size stay in memory: rendered faces of any profile fit, AffectNet at 224 pixels (43 GB) cannot."""

THREADS: Final = 4
"""Files read at once: decoding frees Python's lock, and twice the cores of a small machine hide its disk."""

_PART: Final = 256
"""Faces that a thread takes at once, where there are many: fewer cost more than they even out."""

_REMEDY: Final = "delete the folder of faces and run the data stage again; ingest a licensed set again"


class StoredFaceError(ValueError):
    """Stored faces are missing or damaged; the message says how many and what to do, and names no file."""


@dataclass(frozen=True)
class FaceImages:
    """Faces' pixels by place: `images[places]` is uint8 RGB, shape (N, image_size, image_size, 3).

    `read` gives the pixels of rows of a table, `places` are the rows that these images are.
    """

    read: Callable[[NDArray[np.int64]], Pixels]
    places: NDArray[np.int64]
    image_size: int

    @classmethod
    def of_pixels(cls, pixels: Pixels) -> "FaceImages":
        """Return images that are in memory, uint8 (N, S, S, 3)."""
        return cls(pixels.__getitem__, np.arange(len(pixels)), pixels.shape[1])

    @classmethod
    def stored(
        cls, faces: pd.DataFrame, folder: Path, image_size: int, kept_bytes: int = KEPT_BYTES
    ) -> "FaceImages":
        """Return the images of a `faces` table stored in `folder`, read now if they fit into `kept_bytes`.

        Those that do not fit are checked now, and read each time. Raises StoredFaceError if any is missing or
        is not what was stored.
        """
        stored = StoredFaces(faces, folder)
        if len(faces) * image_size**2 * 3 <= kept_bytes:
            return cls.of_pixels(stored.pixels(np.arange(len(faces)), image_size))
        stored.for_each(np.arange(len(faces)), lambda *_: None)

        def read(places: NDArray[np.int64]) -> Pixels:
            return stored.pixels(places, image_size)

        return cls(read, np.arange(len(faces)), image_size)

    def part(self, rows: NDArray[np.bool_]) -> "FaceImages":
        """Return the images that `rows` (one boolean per image) marks; nothing is read or copied."""
        return replace(self, places=self.places[rows])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Pixels:
        """Return the pixels of some images, uint8 (N, S, S, 3)."""
        return self.read(self.places[chosen])


def load_pixels(faces: pd.DataFrame, folder: Path, image_size: int) -> Pixels:
    """Return the stored images of a `faces` table as uint8 RGB, shape (N, image_size, image_size, 3).

    `folder` holds the table; each picture is checked against its SHA-256. Raises StoredFaceError, in one sentence,
    if any is missing or is not what was stored.

    >>> load_pixels(faces, paths.faces.parent, 64).shape  # doctest: +SKIP
    (2400, 64, 64, 3)
    """
    return StoredFaces(faces, folder).pixels(np.arange(len(faces)), image_size)


class StoredFaces:
    """The pictures of a `faces` table stored in `folder`: packed in one file a data set, or else a file each.

    Raises StoredFaceError if a file of packed faces is damaged.
    """

    def __init__(self, faces: pd.DataFrame, folder: Path) -> None:
        self._folder = folder
        self._paths, self._sha256 = faces["path"].tolist(), faces["sha256"].tolist()
        tops = {_split(path)[0] for path in self._paths}
        try:
            self._packed = {top: PackedFaces(folder / top) for top in tops if (folder / top / NAME).is_file()}
        except PackedFacesError as error:
            raise StoredFaceError(f"{error}; {_REMEDY}") from error

    def pixels(self, places: NDArray[np.int64], image_size: int) -> Pixels:
        """Return the pictures of some rows, uint8 (N, image_size, image_size, 3). Raises StoredFaceError."""
        pixels = np.empty((len(places), image_size, image_size, 3), dtype=np.uint8)

        def fill(number: int, data: bytes) -> None:
            pixels[number] = resize(decode_image(data), image_size)

        self.for_each(places, fill)
        return pixels

    def for_each(self, places: NDArray[np.int64], use: Callable[[int, bytes], None]) -> None:
        """Call `use` with number and bytes of each picture of some rows; raise StoredFaceError if any is not good."""

        def good(numbers: NDArray[np.int64]) -> int:
            return sum(self._is_good(places[number], partial(use, number)) for number in numbers.tolist())

        parts = np.array_split(np.arange(len(places)), max(THREADS, len(places) // _PART))
        with ThreadPoolExecutor(THREADS) as pool:
            bad = len(places) - sum(pool.map(good, parts))
        if bad:
            raise StoredFaceError(f"{bad} of {len(places)} stored faces are missing or damaged: {_REMEDY}")

    def _is_good(self, place: int, use: Callable[[bytes], None]) -> bool:
        try:
            data = self._bytes(self._paths[place])
            if hashlib.sha256(data).hexdigest() != self._sha256[place]:
                return False
            use(data)
        except (OSError, KeyError, ImageError):
            return False
        return True

    def _bytes(self, path: str) -> bytes:
        top, name = _split(path)
        return self._packed[top][name] if top in self._packed else (self._folder / path).read_bytes()


def _split(path: str) -> tuple[str, str]:
    """The folder in which faces are packed, and the rest of the path: data set and file."""
    *top, dataset, file = ("", *path.rsplit("/", 2))[-3:]
    return "".join(top), f"{dataset}/{file}"
