"""Makes the made-up sets of these tests importable, by pool processes too."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parent / "readers"):
    sys.path.insert(0, str(folder))
