"""Marked faces of a restricted set go through the data notebook and into pages: none may come out anywhere."""

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from made_up_sets import put_set
from pictures_in_files import files_showing, marked, shows

from face_sets.catalogue import DROPPED_COLUMNS
from face_sets.folders import PROJECT_FOLDER, RESULTS_VARIABLE
from fer_utils import stages, tables
from fer_utils.paths import Paths
from fer_utils.reporting.build import gather
from fer_utils.steps.faces import make_faces
from fer_utils.study import load_study

RESTRICTED, OPEN = 1, 2  # seeds of the two marks
OVERRIDES = {"face_size": 48, "sets": ["cafe", "kdef", "nimh_chefs", "ddcf"]}


@pytest.mark.parametrize("side", [14, 31, 48, 77, 150])
@pytest.mark.parametrize("quality", [None, 40])
def test_the_search_finds_a_mark_resized_and_encoded_anew(tmp_path, side, quality):
    page = np.full((300, 400, 3), 255, np.uint8)
    page[40 : 40 + side, 90 : 90 + side] = cv2.resize(
        marked(OPEN, 3), (side, side), interpolation=cv2.INTER_AREA
    )
    suffix, options = (".png", []) if quality is None else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
    data = cv2.imencode(suffix, page, options)[1].tobytes()
    (tmp_path / "inside.html").write_text(f'<img src="data:;base64,{base64.b64encode(data).decode()}">')
    (tmp_path / "hidden.bin").write_bytes(b"anything" + data)
    assert len(files_showing(tmp_path, OPEN)) == 2
    assert files_showing(tmp_path, RESTRICTED) == []


def test_the_search_finds_nothing_in_other_pictures():
    for seed in range(20):
        assert not shows(cv2.cvtColor(marked(50 + seed, seed, 200), cv2.COLOR_RGB2GRAY), RESTRICTED)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The data notebook run on restricted faces, with open ones beside them, and the page made from it."""
    folder = tmp_path_factory.mktemp("privacy")
    started = time.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RESULTS_VARIABLE, str(folder / "results"))
        patch.setenv(stages.IN_WORKFLOW, "1")
        patch.setenv("PYTHONPATH", str(PROJECT_FOLDER))
        study = load_study("licensed", **OVERRIDES)
        paths = Paths.of(study)
        put_set(paths.results, "kdef", 6, age_group="adult", draw=lambda k: marked(RESTRICTED, k))
        put_set(paths.results, "nimh_chefs", 6, draw=lambda k: marked(RESTRICTED, 100 + k))
        put_set(paths.results, "ddcf", 6, draw=lambda k: marked(RESTRICTED, 200 + k))
        put_set(paths.results, "cafe", 3, draw=lambda k: marked(RESTRICTED, 300 + k))
        put_external(paths)
        make_faces(study, paths)
        stages.run_notebook("01_data", study, paths)
        log = build_page(paths, folder / "book")
    return folder, paths, log, started


def put_external(paths):
    """Photographs of the external test, every other one restricted (as if a set's terms had changed)."""
    rows = put_set(
        paths.results,
        "london",
        4,
        age_group="adult",
        draw=lambda k: marked((RESTRICTED, OPEN)[k % 2], 400 + k),
    )
    rows = rows.assign(
        split="external", may_publish=[bool(k % 2) for k in range(len(rows))], sex="female", ethnicity="A"
    )
    target = paths.external_faces.parent
    shutil.copytree(paths.results / "data" / "london" / "images-0", target / "images-0")
    tables.write(rows[[c for c in tables.COLUMNS["faces"] if c in rows]], "faces", paths.external_faces)
    tables.write_sealed(pd.DataFrame({name: [] for name in DROPPED_COLUMNS}), paths.external_dropped)


def build_page(paths, project):
    """Render the one executed notebook as the book does, without the pages that it would refer to."""
    (project / "book").mkdir(parents=True)
    (project / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n- chapters:\n  - file: book/stages/01_data\n"
    )
    (project / "_config.yml").write_text(
        "title: t\nonly_build_toc_files: true\nexecute:\n  execute_notebooks: 'off'\n"
        "sphinx:\n  config:\n    html_extra_path: [book/stages/files]\n"
    )
    (project / "index.md").write_text("# A page\n")
    gather(paths, {}, project)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "--all"]
    answer = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (project / "_build/html/book/stages/01_data.html").is_file(), answer.stderr[-2000:]
    return answer.stdout + answer.stderr


def test_open_faces_come_out_so_the_search_would_have_found_restricted_ones(rendered):
    folder, paths, _, _ = rendered
    found = [path.name for path in files_showing(folder / "book", OPEN)]
    assert "01_data.ipynb" in found
    assert any(name.endswith(".png") for name in found)
    assert paths.notebook("01_data") in files_showing(paths.root / "notebooks", OPEN)


def test_no_restricted_face_comes_out_in_any_form(rendered):
    folder, paths, _, started = rendered
    private = {paths.results / "data", paths.external_faces.parent}
    for place in [folder / "book", *(p for p in paths.root.iterdir() if p not in private)]:
        assert files_showing(place, RESTRICTED) == []
    for place in (PROJECT_FOLDER / ".cache", PROJECT_FOLDER / "notebooks", PROJECT_FOLDER / "book"):
        assert files_showing(place, RESTRICTED, newer_than=started) == []
    assert files_showing(paths.results / "data" / "kdef", RESTRICTED)  # they are where they belong


def test_no_restricted_name_or_digest_comes_out(rendered):
    folder, paths, log, _ = rendered
    faces = tables.read("faces", paths.faces)
    secrets = [*faces["face_id"], *faces["sha256"], *faces["perceptual_hash"]]
    written = log + "".join(
        path.read_text(encoding="utf-8", errors="ignore")
        for place in (folder / "book", paths.root / "notebooks", paths.root / "figures")
        for path in place.rglob("*")
        if path.is_file() and path.suffix in {".ipynb", ".html", ".md", ".csv", ".txt", ".json", ".js"}
    )
    assert len(written) > 10_000
    assert [name for name in secrets if name in written] == []
    assert os.fspath(folder) not in paths.notebook("01_data").read_text()


def test_the_page_says_why_no_face_is_shown(rendered):
    _, paths, _, _ = rendered
    counts = pd.read_csv(paths.figures("01_data") / "contact-sheet.csv")
    assert counts["may be shown"].tolist() == [0]
    assert counts["shown"].tolist() == [0]
    assert counts["faces"].item() > 50
