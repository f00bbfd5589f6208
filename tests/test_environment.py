"""The environment that conda and Binder would make: its pip part, installed for real from the local cache."""

import json
import re
import subprocess
import sys
import tomllib
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


def test_the_version_is_the_same_wherever_one_stands():
    cited = yaml.safe_load((PROJECT_FOLDER / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    archived = json.loads((PROJECT_FOLDER / ".zenodo.json").read_text(encoding="utf-8"))
    assert cited["version"] == project["version"] == archived["version"]
    newest = re.search(
        r"^## (\S+), (\S+)$", (PROJECT_FOLDER / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    assert newest.groups() == (cited["version"], str(cited["date-released"]))


def test_jupyterlabs_lock_moves_no_package_of_the_projects():
    def pins(name):
        return dict(
            re.findall(r"^([\w.-]+)==(\S+)", (PROJECT_FOLDER / name).read_text(encoding="utf-8"), re.M)
        )

    ours, theirs = pins("requirements.lock"), pins("requirements-lab.lock")
    assert {name: theirs[name] for name in ours.keys() & theirs.keys()} == {
        name: ours[name] for name in ours.keys() & theirs.keys()
    }


@pytest.mark.parametrize(
    "path", sorted((PROJECT_FOLDER / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.stem
)
def test_workflows_call_targets_that_there_are(path):
    """Each `make` of a workflow, of the image and of the devcontainer is a target of the Makefile."""
    makefile = (PROJECT_FOLDER / "Makefile").read_text(encoding="utf-8")
    texts = [path.read_text(encoding="utf-8"), (PROJECT_FOLDER / "Dockerfile").read_text(encoding="utf-8")]
    asked = {
        word
        for text in texts
        for line in re.findall(r"(?:run:|RUN) make ([a-z -]+)$", text, re.M)
        for word in line.split()
    }
    assert asked
    assert asked <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


WORKFLOWS = sorted((PROJECT_FOLDER / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_a_workflow_is_yaml_and_its_scripts_are_bash(path):
    """An unquoted colon in a script is enough for GitHub to refuse the whole file."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    scripts = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts or "deploy" in str(workflow)
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)


def test_a_release_asks_that_its_tag_is_the_version():
    release = yaml.safe_load((PROJECT_FOLDER / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    (check,) = [step["run"] for job in release["jobs"].values() for step in job["steps"]
                if step.get("name") == "The tag is the version"]  # fmt: skip
    version = yaml.safe_load((PROJECT_FOLDER / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    codes = [
        subprocess.run(
            ["bash", "-e", "-c", check], cwd=PROJECT_FOLDER, env={"GITHUB_REF_NAME": tag}
        ).returncode
        for tag in (f"v{version}", f"v{version}.1")
    ]
    assert codes == [0, 1]
