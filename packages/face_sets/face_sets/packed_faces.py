"""All stored faces of a data set in one file, so that a training opens one file and not a hundred thousand.

The file is Arrow's (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format): a row per face, its path and the
bytes of its picture.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from face_sets.files import atomic_path

NAME: Final = "faces.arrow"
"""The file's name, in the folder that the paths begin at."""

_ROWS: Final = 1024  # of a part that is written at once: about 15 MB of faces of 224 pixels
_SCHEMA: Final = pa.schema([("path", pa.string()), ("picture", pa.large_binary())])


class PackedFacesError(ValueError):
    """A file of packed faces cannot be read."""


def write_packed(folder: Path, paths: Sequence[str]) -> None:
    """Write stored faces, by their paths below `folder`, into one file there, whole or not at all."""
    with (
        atomic_path(folder / NAME) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, _SCHEMA) as writer,
    ):
        for start in range(0, len(paths), _ROWS):
            part = list(paths[start : start + _ROWS])
            pictures = [(folder / path).read_bytes() for path in part]
            writer.write_batch(pa.record_batch([part, pictures], schema=_SCHEMA))


class PackedFaces:
    """The faces packed in a folder. Raises PackedFacesError if the file is there and damaged."""

    def __init__(self, folder: Path) -> None:
        try:
            whole = pa.memory_map(str(folder / NAME)).read_buffer()
            table = pa.ipc.open_file(whole).read_all()
            table.validate(full=True)  # else offsets that are damaged would be followed
            paths = table["path"].to_pylist()
            self._places = [_places(part, whole.address) for part in table["picture"].chunks]
        except (pa.ArrowException, ValueError, KeyError) as error:
            raise PackedFacesError(f"{NAME} is damaged: {error}") from error
        self._rows: dict[str, int] = dict(zip(paths, range(len(paths)), strict=True))
        self._file = (folder / NAME).open("rb")

    def __getitem__(self, path: str) -> bytes:
        """Return the bytes of a face's picture. Raises KeyError if it is not among the packed ones."""
        part, row = divmod(self._rows[path], _ROWS)
        start, end = self._places[part][row : row + 2].tolist()
        # Not from memory into which the file is mapped: a cluster counts all that was read there as the job's own
        return os.pread(self._file.fileno(), end - start, start)


def _places(pictures: Any, start_of_file: int) -> NDArray[np.int64]:
    """Where in the file each picture of a part begins, and the last one ends."""
    _, offsets, values = pictures.buffers()
    return np.frombuffer(offsets, np.int64)[: len(pictures) + 1] + (values.address - start_of_file)


def is_packed(folder: Path, faces: pd.DataFrame) -> bool:
    """Return whether all faces, rows of `path` (below `folder`) and `sha256`, are packed there as they were stored."""
    try:
        packed = PackedFaces(folder)
        pairs = zip(faces["path"], faces["sha256"], strict=True)
        return all(hashlib.sha256(packed[path]).hexdigest() == sha256 for path, sha256 in pairs)
    except (OSError, KeyError, PackedFacesError):
        return False
