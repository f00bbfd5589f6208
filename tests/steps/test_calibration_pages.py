"""The page on calibration includes what the step makes; photographs get a note, old tables are not shown."""

import re

import pandas as pd
import pytest

from face_sets.folders import PROJECT_FOLDER
from fer_utils.paths import Paths
from fer_utils.simulation.experiments import rates
from fer_utils.simulation.scenarios import scenarios
from fer_utils.steps import controls as step
from fer_utils.study import load_study


@pytest.fixture
def quickly(monkeypatch):
    """Rates as if computed, without the seconds."""
    some = [s for s in scenarios() if not s.in_full_only]
    found = pd.concat(
        [rates(s, pd.DataFrame({words: [False] * 50 for words, _ in s.questions})) for s in some]
    )
    monkeypatch.setattr(step, "in_short", lambda seed: found)
    return found


def test_with_photographs_the_page_says_what_is_missing(quickly, tmp_path):
    study = load_study("licensed")
    pages = step.calibration_pages(study, Paths.of(study, tmp_path))
    assert "Not available here" in pages["calibration_drawn_labels"]
    chapter = (PROJECT_FOLDER / "book" / f"{step.PAGE}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\{include\} stages/(\w+)\.md", chapter)) == set(pages)


def test_the_full_table_is_shown_when_it_is_there(quickly, tmp_path, monkeypatch):
    study = load_study("licensed")
    paths = Paths.of(study, tmp_path)
    paths.validation.parent.mkdir(parents=True)
    quickly.assign(repeats=2000).to_csv(paths.validation)
    monkeypatch.setattr(step, "read_full", lambda path: quickly.assign(repeats=2000))
    assert "2,000 times" in step.calibration_pages(study, paths)["calibration_version"]
    monkeypatch.setattr(step, "read_full", lambda path: None)
    assert "in short, repeated 50 times" in step.calibration_pages(study, paths)["calibration_version"]


@pytest.mark.results
def test_the_quick_run_shows_what_was_planted():
    """The built-in negative control: the same pictures in both sets get the same answers from every network."""
    study = load_study("quick")
    data = pd.read_csv(Paths.of(study).figures(step.PAGE) / "calibration-planted.csv")
    same = data[data["series"].str.startswith("the other groups")]
    assert len(same) == len(study.architectures)
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    harder = data[data["series"].str.startswith("group E")]
    assert (harder["difference"] < 0).all()
    ahead = data[data["series"].str.startswith("children's copy")]
    assert (ahead["difference"] > 0).sum() > len(ahead) / 2
