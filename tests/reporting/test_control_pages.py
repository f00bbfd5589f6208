"""The generated parts of the page on the instrument's calibration."""

import re

import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS
from fer_utils.reporting import control_pages, drawn_controls
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.provenance import Provenance
from fer_utils.simulation.experiments import rates
from fer_utils.simulation.scenarios import scenarios
from fer_utils.simulation.shuffled_labels import scored_against_shuffled


def _rates(share):
    """Rates of all scenarios as if each question had been answered by yes in this share of a thousand repeats."""
    answers = np.arange(1000) < 1000 * share
    return pd.concat(
        [rates(s, pd.DataFrame({words: answers for words, _ in s.questions})) for s in scenarios()],
        ignore_index=True,
    )


@pytest.fixture
def figures(tmp_path):
    return PageFigures(
        tmp_path / "calibration", Provenance("quick", "simulated predictions", {"a": "b"}, "c")
    )


def test_what_is_not_kept_is_named():
    text = control_pages.version_part(_rates(0.2), is_full=True)
    assert "Not kept: two networks equally good, paired interval excludes zero (20.0 %)" in text
    assert "1,000 times" in text
    good = _rates(0.02).query("kind != 'interval holds the truth'")
    assert "Every one was kept." in control_pages.version_part(good, is_full=True)


def test_in_short_says_how_to_run_in_full():
    assert "make calibrate" in control_pages.version_part(_rates(0.02), is_full=False)


def test_every_question_stands_on_the_page_once(figures):
    found = _rates(0.03)
    figure = control_pages.alarms_part(found, figures)
    shown = pd.read_csv(figures.folder / "calibration-alarms.csv")
    tables = control_pages.planted_part(found) + control_pages.tones_part(found) + figure
    for row in found.to_dict("records"):
        in_figure = ((shown["question"] == row["question"]) & (shown["truth"] == row["truth"])).any()
        assert in_figure or row["question"].replace("'", "&#x27;") in tables
    assert re.search(r":alt: .{40,}\n", figure)
    assert figures.source.line() in figure


def test_a_limit_is_shown_as_what_it_is(figures):
    text = control_pages.planted_part(_rates(0.5))
    row = next(row for row in text.split("<tr>") if "holds the difference" in row)
    assert "at least 93 %" in row
    assert ">no</td>" in row


def _twins():
    rows = [("a.all", "changed", -0.3, -0.4, -0.2), ("a.all", "unchanged", 0.0, 0.0, 0.0),
            ("b.all", "changed", -0.1, -0.2, 0.1), ("b.all", "unchanged", 0.0, 0.0, 0.0)]  # fmt: skip
    return pd.DataFrame(rows, columns=["run_id", "faces", "difference", "low", "high"])


def test_planted_effects_are_counted_from_the_tables(figures):
    ages = _twins().iloc[[0, 2]].drop(columns="faces")
    copies = pd.DataFrame(
        {"architecture": ["a", "b"], "difference": [0.3, 0.2], "low": [0.2, 0.1], "high": [0.4, 0.3]}
    )
    text = drawn_controls.planted_part(_twins(), ages, copies, figures)
    assert "cost 1 of 2 networks" in text
    assert "largest difference is 0 points" in text
    assert "in 2 of 2 networks" in text
    assert "0 read drawn adults better than drawn children, beyond the interval, and 1 worse" in text
    assert len(pd.read_csv(figures.folder / "calibration-planted.csv")) == 8


def test_tones_are_counted_from_the_table():
    found = pd.DataFrame(
        [("synthetic", "a.all", 0.1, "B", 0.5, 0.2, "9", 0.01, 0.4),
         ("synthetic-gap", "a.all", 0.3, "E", 0.001, 0.2, "9", 0.5, 0.001)],
        columns=["dataset", "run_id", "group_gap", "worst_group", "group_p_value", "tone_gap", "worst_tone",
                 "tone_p_value", "plain_p_value"],
    )  # fmt: skip
    text = drawn_controls.tones_part(found)
    assert "speaks in 0 of 1 networks; where one was, in 1 of 1, and group E is the worst in 1" in text
    assert "by Holm's rule over the networks, in 0 and in 1." in text
    assert "tones within groups speaks in 1 of 1 networks without the gap and in 0 of 1 with it" in text


def test_shuffled_labels_that_clear_chance_are_counted():
    faces = [(f"{s}-{e}", "d", str(s), e) for s in range(20) for e in EXPRESSIONS]
    joined = pd.DataFrame(faces, columns=["face_id", "dataset", "subject_id", "expression"])
    joined = joined.assign(run_id="r", predicted=joined["expression"], confidence=1.0)
    scores = scored_against_shuffled(joined, shuffles=10, draws=200)
    scores.loc[scores.index[1:4], "has_learned"] = True
    scores.loc[scores.index[4:], "has_learned"] = False
    text = drawn_controls.labels_part(scores, scores, "mobilenet_v2")
    assert (
        "Of 10 regressions on shuffled labels 3 cleared chance by the interval over children (30 %)" in text
    )
    assert "100.0 % (83.2 to 100.0 %)" in text  # Clopper and Pearson (1934): 0.025 ** (1 / 20)
