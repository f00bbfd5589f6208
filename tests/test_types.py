"""Types hold everywhere: mypy, beside the other tests."""

import subprocess
import sys

from face_sets.folders import PROJECT_FOLDER


def test_mypy_finds_nothing():
    checked = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
