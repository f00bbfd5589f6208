"""The photographs of the London Set, for tests of what drawn faces cannot show; they are not part of the project."""

import os
from pathlib import Path

import pytest

from face_sets.folders import PROJECT_FOLDER

LONDON = (
    Path(os.environ.get("FER_DATA") or PROJECT_FOLDER.parent / "shared" / "data") / "london_faces" / "photos"
)
needs_london = pytest.mark.skipif(
    not LONDON.is_dir(), reason="no London photographs: set FER_DATA to their folder"
)
