"""Faces that the owners cropped go through untouched, so what shows nothing is refused there; ingest says what it left."""

import numpy as np
import pandas as pd
from made_up import write_black
from made_up_children import write_cafe
from made_up_layouts import write_fer2013, write_raf_db
from PIL import Image
from typer.testing import CliRunner

from face_sets.catalogue import BLANK
from face_sets.commands import app
from face_sets.ingest import ingest
from face_sets.ingested import IngestedSet

SIZE = 48


def test_a_black_picture_of_raf_db_is_refused(tmp_path):
    write_raf_db(tmp_path / "raf")
    aligned = tmp_path / "raf/basic/Image/aligned"
    write_black(aligned / "train_00003_aligned.jpg", 100)
    white = np.random.default_rng(1).integers(250, 255, (100, 100, 3)).astype(np.uint8)
    Image.fromarray(white).save(aligned / "train_00004_aligned.jpg")
    report = ingest("raf_db", tmp_path / "raf", tmp_path / "results", SIZE)
    here = IngestedSet(tmp_path / "results", "raf_db")
    rejected = pd.read_csv(here.rejected_file).set_index("path")["reason"]
    assert set(rejected[rejected == BLANK].index.str[-19:-12]) == {"n_00003", "n_00004"}
    assert not here.faces()["expression"].isin(["disgust", "happiness"]).any()
    assert report.failed == 4  # and two that the list has wrong


def test_a_blank_row_of_fer2013_is_refused(tmp_path):
    write_fer2013(tmp_path / "fer", votes=False)
    table = tmp_path / "fer/fer2013.csv"
    lines = table.read_text().splitlines()
    lines[1] = "0," + " ".join(["7"] * 48 * 48) + ",Training"
    table.write_text("\n".join(lines) + "\n")
    report = ingest("fer2013", tmp_path / "fer", tmp_path / "results", SIZE)
    assert report.found == len(lines) - 2
    assert report.failed == 1


def test_values_that_are_not_known_are_in_the_report_and_on_the_output(tmp_path, monkeypatch):
    write_cafe(tmp_path / "cafe")
    picture = next((tmp_path / "cafe").rglob("*-happy_M-SA-14.jpg"))
    picture.rename(picture.with_name("77-happy_M-ZZ-14.jpg"))
    monkeypatch.setenv("FER_RESULTS", str(tmp_path / "results"))
    arguments = ["ingest", "cafe", "--from", str(tmp_path / "cafe"), "--face-size", "48", "--tolerated", "1"]
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 0
    assert "values that are not known, left missing: ethnicity 'ZZ' 1" in said.output
    assert IngestedSet(tmp_path / "results", "cafe").report().unknown_values == {"ethnicity 'ZZ'": 1}
    assert "ZZ" not in "".join(IngestedSet(tmp_path / "results", "cafe").faces()["ethnicity"].dropna())
