"""The environment that conda and Binder would make: its pip part, installed for real from the local cache."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from face_sets.folders import PROJECT_FOLDER

UV = Path(sys.executable).with_name("uv")


def pip_part():
    environment = yaml.safe_load((PROJECT_FOLDER / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return environment, [word for line in pip for word in line.split()]


def test_conda_brings_the_python_that_we_test_on():
    environment, _ = pip_part()
    assert f"python={sys.version_info.major}.{sys.version_info.minor}" in environment["dependencies"]


def test_the_lock_names_no_place_and_hashes_everything():
    lock = (PROJECT_FOLDER / "requirements.lock").read_text()
    assert "http" not in lock
    pinned = [line for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert len(pinned) > 100
    assert all(line.endswith("\\") for line in pinned), "a pin without a hash"


def test_what_the_pip_part_names_installs_and_fits_together(tmp_path):
    """Setting up filled uv's cache, so this needs no network; `uv pip check` is pip's own consistency check."""
    _, words = pip_part()
    python = tmp_path / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path], check=True)
    install = [UV, "pip", "install", "--quiet", "--offline", "--python", python, *words]
    answer = subprocess.run(install, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
    if "offline" in answer.stderr or "not cached" in answer.stderr:
        pytest.skip("uv's cache does not hold the locked packages (set up with a cache to run this)")
    assert answer.returncode == 0, answer.stderr
    check = subprocess.run(
        [UV, "pip", "check", "--python", python], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
    imported = subprocess.run([python, "-c", "import tf_keras, tensorflow_model_optimization, snakemake"], check=False,
                              env={"TF_USE_LEGACY_KERAS": "1", "PATH": ""}, capture_output=True, text=True)  # fmt: skip
    assert imported.returncode == 0, imported.stderr[-500:]
