"""The Job for Kubernetes and what it runs; `.ci/run` checks the manifest against Kubernetes' own schema."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from face_sets.folders import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "workflow" / "kubernetes"
FER = """#!/bin/sh
echo "$FER_RESULTS|$FER_WEIGHTS|$*" > "$CLAIM/asked"
[ -e "$CLAIM/fails" ] && exit 1
mkdir -p _build/html && echo new > _build/html/index.html
"""


@pytest.fixture
def image(tmp_path):
    """The project's folder in the image, as far as the script needs it, and the environment of the container."""
    folder = tmp_path / "book"
    shutil.copytree(FOLDER, folder / "workflow" / "kubernetes")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fer").write_text(FER)
    (tmp_path / "bin" / "fer").chmod(0o755)
    (tmp_path / "claim").mkdir()
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return folder, tmp_path / "claim", {"PATH": path, "CLAIM": str(tmp_path / "claim"), "CORES": "8"}


def run(folder, environment):
    return subprocess.run(
        [folder / "workflow/kubernetes/run.sh"], env=environment, check=False, capture_output=True
    )


def test_the_study_runs_on_the_claim_and_its_book_is_put_there(image):
    folder, claim, environment = image
    (claim / "weights").mkdir()
    for _ in range(2):
        assert run(folder, environment).returncode == 0
        asked = f"{claim}/results|{claim}/weights|run --profile licensed --cores 8"
        assert (claim / "asked").read_text().strip() == asked
        assert (claim / "book" / "index.html").read_text() == "new\n"


def test_a_run_that_fails_fails_the_job_and_leaves_the_old_book(image):
    folder, claim, environment = image
    (claim / "book").mkdir()
    (claim / "fails").touch()
    assert run(folder, environment).returncode != 0
    assert (claim / "book").is_dir()
    assert not (claim / "book" / "index.html").exists()


def test_without_a_claim_nothing_is_run(image):
    folder, claim, environment = image
    answer = run(folder, {"PATH": environment["PATH"]})
    assert answer.returncode != 0
    assert b"CLAIM" in answer.stderr
    assert not (claim / "asked").exists()


def test_the_manifest_runs_the_script_as_the_images_user_with_what_it_asks_for():
    pod = yaml.safe_load((FOLDER / "job.yaml").read_text("utf-8"))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (PROJECT_FOLDER / container["command"][0]).stat().st_mode & 0o111
    user = re.search(r"^ARG NB_UID=(\d+)$", (PROJECT_FOLDER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert pod["securityContext"]["runAsUser"] == int(user[1])
    named = set(re.findall(r"\$\{?([A-Z]+)\b", (FOLDER / "run.sh").read_text("utf-8"))) - {"FER"}
    assert {variable["name"] for variable in container["env"]} == named
    assert {mount["name"] for mount in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
