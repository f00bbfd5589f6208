"""Where things lie on disk: the project, its manifests, and the results that all studies share."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PROJECT_FOLDER: Final = Path(__file__).parents[3]
MANIFESTS_FOLDER: Final = PROJECT_FOLDER / "data_manifests"

RESULTS_VARIABLE: Final = "FER_RESULTS"
"""Names a folder for results where the project's own disk is too small, or may not hold licensed faces."""


KNOWN_RESULTS: Final = Path(".cache", "results_folders.txt")
"""Below the project: the folders of results that were ever used, one a line."""


def results_folder() -> Path:
    """Return the folder of all results, relative to the working directory: `FER_RESULTS`, else the project's `results/`.

    The workflow knows files by their names, so all code must name them in one way.
    """
    return Path(os.path.relpath(os.environ.get(RESULTS_VARIABLE) or PROJECT_FOLDER / "results"))


def remember(place: Path, note: Path) -> None:
    """Add a folder to the list of folders in the file `note`, so that what was made there is found again."""
    if place not in remembered(note):
        note.parent.mkdir(parents=True, exist_ok=True)
        with note.open("a", encoding="utf-8") as file:  # one short line: two processes do not mix theirs
            file.write(as_lines(place))


def remembered(note: Path) -> list[Path]:
    """Return the folders that `remember` noted; a line that was cut, by a kill say, names none."""
    places = []
    for line in note.read_text("utf-8", "replace").splitlines() if note.exists() else ():
        with suppress(ValueError):
            places.append(Path(str(json.loads(line))))
    return places


def as_lines(*places: Path) -> str:
    """Return folders as `remembered` reads them, quoted one a line: a folder's name may hold the end of a line."""
    return "".join(f"{json.dumps(str(place))}\n" for place in places)
