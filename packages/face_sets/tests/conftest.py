"""Makes the made-up sets of `tests/data/` and `tests/data/sources/` importable, by pool processes too."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parent / "sources"):
    sys.path.insert(0, str(folder))
