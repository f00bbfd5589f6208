"""Where things lie on disk: the project, its manifests, and the results that all studies share."""

import os
from pathlib import Path
from typing import Final

PROJECT_FOLDER: Final = Path(__file__).parents[3]
MANIFESTS_FOLDER: Final = PROJECT_FOLDER / "data_manifests"

RESULTS_VARIABLE: Final = "FER_RESULTS"
"""Names a folder for results where the project's own disk is too small, or may not hold licensed faces."""


def results_folder() -> Path:
    """Return the folder of all results, relative to the working directory: `FER_RESULTS`, else the project's `results/`.

    The workflow knows files by their names, so all code must name them in one way.
    """
    return Path(os.path.relpath(os.environ.get(RESULTS_VARIABLE) or PROJECT_FOLDER / "results"))
