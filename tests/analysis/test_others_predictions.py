"""Somebody else's table of predictions is judged by the same rules, or refused in one sentence."""

import os
from dataclasses import replace
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from face_sets.expressions import EXPRESSIONS
from face_sets.tables import TableError
from fer_utils.analysis import evidence
from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.evidence import LICENSED_SETS, tables_of_others
from fer_utils.analysis.verdicts import VERDICTS, scoreboard
from fer_utils.cli import app
from fer_utils.simulation.operating_characteristics import board

ALL_SETS = sorted(LICENSED_SETS - {"cafe"})
DRAWS = 199  # few resamples: the least p-value is then a tenth of the level, and no checked interval ends near its limit


@pytest.fixture(scope="module")
def answers():
    """Five trainings of three copies of the best network, as published, one row per photograph."""
    drawn = board("as published", 1.0, 5, 3)[0]
    parts = []
    for (architecture, cohort), counts in drawn.counts.items():
        if architecture != "mobilenet_v3_large":
            continue
        seed, child, truth, predicted = (np.repeat(each, counts[counts > 0]) for each in counts.nonzero())
        part = pd.DataFrame({"seed": seed, "child": child, "truth": truth, "predicted": predicted})
        place = part.groupby(["seed", "child", "truth"]).cumcount()
        part["face_id"] = [f"{c}-{t}-{p}" for c, t, p in zip(child, truth, place, strict=True)]
        parts.append(part.assign(architecture=architecture, cohort=cohort, ethnicity=drawn.groups[child]))
    table = pd.concat(parts)
    names = np.array(EXPRESSIONS)
    table = table.assign(expression=names[table["truth"]], predicted=names[table["predicted"]])
    return table.rename(columns={"child": "subject_id"}).drop(columns="truth")


def saving(table, path):
    """Return a function that saves the table after a change and returns its path."""

    def save(change=lambda table: table):
        change(table.copy()).to_csv(path, index=False)
        return path

    return save


@pytest.fixture
def saved(answers, tmp_path):
    return saving(answers, tmp_path / "answers.csv")


@pytest.fixture
def first_saved(answers, tmp_path):
    """The same of the first training of each copy, which shows as well how a table is read."""
    return saving(answers[answers["seed"] == 0], tmp_path / "answers.csv")


def by_id(path, trained_on=ALL_SETS, weights="imagenet", only=()):
    """The verdicts on the claims named by `only`, or on all."""
    chosen = [claim for claim in load_claims() if not only or claim.id in (*only, "training-sets")]
    tables = replace(tables_of_others(path, trained_on, weights), draws=DRAWS)
    return scoreboard(chosen, tables).set_index("claim_id")


@pytest.fixture(scope="module")
def whole_board(answers, tmp_path_factory):
    """The verdicts on all claims from the whole table."""
    path = tmp_path_factory.mktemp("whole") / "answers.csv"
    answers.to_csv(path, index=False)
    return by_id(path)


def test_predictions_as_published_get_the_verdicts_of_the_rules(whole_board):
    found = whole_board["verdict"]
    assert found["children-above-adults"] == "reproduced"
    assert found["training-sets"] == "reproduced"
    assert found["every-group"] == "cannot tell"
    assert found["best-network"] == "not testable here"  # one network of five
    assert set(found) <= set(VERDICTS)


def test_the_same_predictions_without_the_training_sets_are_partly_testable(saved, whole_board):
    def of_ages(path, *options):
        return by_id(path, *options, only=["children-above-adults"])["verdict"]["children-above-adults"]

    unmatched = saved(lambda t: t[~t["cohort"].str.startswith("class_matched")])
    assert of_ages(unmatched) == "partly testable"
    path = saved()
    assert of_ages(path, ["kdef"]) == "partly testable"
    assert of_ages(path, ALL_SETS, "random") == "partly testable"
    assert of_ages(path, []) == "not testable here"
    found = by_id(path, weights=" ImageNet", only=["children-above-adults", "accuracy-all"])
    pd.testing.assert_frame_equal(found, whole_board.loc[found.index])


def test_seed_and_group_may_be_left_out(first_saved):
    path = first_saved(lambda t: t.drop(columns=["seed", "ethnicity"]))
    found = by_id(path, only=["children-above-adults", "accuracy-gap"])
    assert found["verdict"]["children-above-adults"] in ("reproduced", "cannot tell")
    assert found["verdict"]["accuracy-gap"] == "not testable here"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="predicted"), "lacks the column 'predicted'"),
        (lambda t: t.head(0), "a value in every row"),
        (lambda t: t.assign(expression="joy"), "expression 'joy' is not one of neutral"),
        (lambda t: t.assign(cohort="kids"), "cohort 'kids'"),
        (lambda t: t.assign(architecture="vgg"), "architecture 'vgg'"),
        (lambda t: t.assign(ethnicity="EA"), "ethnicity 'EA'"),
        (lambda t: t.assign(seed=-1), "whole number"),
        (lambda t: t.assign(p_fear=1.2), "p_fear should hold probabilities from 0 to 1"),
        (lambda t: t.assign(p_fear="likely"), "p_fear should hold probabilities from 0 to 1"),
        (lambda t: t.rename(columns={"expression": "emotion"}), "lacks the column 'expression'"),
        (lambda t: t.assign(expression=t["expression"].str.title()), "expression 'Anger' is not one of"),
        (lambda t: pd.concat([t, t.head(1)]), "answers .* twice"),
        (lambda t: pd.concat([t, t.assign(seed="0" + t["seed"].astype(str))]), "answers .* twice"),
        (lambda t: pd.concat([t, t.assign(face_id=t["face_id"] + "-again")]), "CAFE has fewer"),
        (lambda t: t.assign(subject_id=t["face_id"]), "CAFE has fewer"),
        (lambda t: pd.DataFrame([t.iloc[0].to_list()], columns=t.iloc[1].to_list()), "lacks the column"),
        (lambda t: t.assign(subject_id=range(len(t))), "two subjects, labels or groups"),
        (lambda t: t.assign(face_id=None), "a value in every row"),
        (lambda t: pd.concat([t, t[["predicted"]]], axis=1), "two columns 'predicted'"),
        (lambda t: t.assign(face_id=t["face_id"] + "\0"), "bytes that are no text"),
        (lambda t: t.assign(ethnicity=["Latino", "South Asian"] * (len(t) // 2)), "several groups"),
    ],
)
def test_a_damaged_table_ends_in_one_sentence(first_saved, change, message):
    with pytest.raises(TableError, match=message) as caught:
        tables_of_others(first_saved(change), ALL_SETS, "imagenet")
    assert "\n" not in str(caught.value)


def test_a_table_that_comes_through_a_pipe_is_read_as_a_file_is(first_saved, tmp_path):
    path, pipe = first_saved(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[path.read_bytes()])
    writer.start()
    found = tables_of_others(pipe, ALL_SETS, "imagenet").predictions
    writer.join()
    pd.testing.assert_frame_equal(found, tables_of_others(path, ALL_SETS, "imagenet").predictions)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(expression="happiness"),
        lambda t: t.assign(expression="happiness", predicted="happiness"),
        lambda t: t.assign(ethnicity="Asian"),
        lambda t: t.assign(subject_id="one", ethnicity="Latino"),
        lambda t: t.head(1),
    ],
    ids=["one class", "one class, all right", "one group", "one child", "one photograph"],
)
def test_a_poor_table_gets_a_verdict_or_a_reason_for_each_claim(first_saved, change):
    board = by_id(first_saved(change))
    assert set(board["verdict"]) <= set(VERDICTS)
    assert (board["reason"].str.len() > 0).all()
    assert not board["reason"].str.contains("\n|Traceback|nan").any()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"1'])
def test_what_is_no_csv_is_refused(tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"bad\.csv"):
        tables_of_others(path, [], "imagenet")


def test_an_unknown_training_set_is_named(first_saved):
    with pytest.raises(TableError, match="unknown data set 'mine'"):
        tables_of_others(first_saved(), ["mine"], "imagenet")


def test_a_set_for_tests_is_refused_as_one_to_learn_from(first_saved):
    with pytest.raises(TableError, match="learned from 'cafe' cannot be tested"):
        tables_of_others(first_saved(), [*ALL_SETS, "cafe"], "imagenet")


def test_seven_expressions_are_counted_whatever_was_learned_from(whole_board):
    counted = whole_board.loc["expressions"]
    assert (counted["ours"].split()[0], counted["verdict"]) == ("7", "reproduced")


def test_the_command_prints_and_writes_the_verdicts(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(
        evidence, "tables_of_others", lambda *given: replace(tables_of_others(*given), draws=DRAWS)
    )
    to = tmp_path / "verdicts.csv"
    options = [text for name in ALL_SETS for text in ("--trained-on", name)]
    answer = CliRunner().invoke(app, ["verdict", str(saved()), "--to", str(to), *options])
    assert answer.exit_code == 0, answer.output
    assert "reproduced       For classifying children, training on children beats" in answer.output
    assert len(pd.read_csv(to)) == len(load_claims())


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_as_excel_saves_it_elsewhere_is_read(first_saved, separator, encoding):
    path = first_saved(lambda t: t.assign(p_fear=0.25))
    theirs = path.with_name("excel.csv")
    pd.read_csv(path).to_csv(theirs, sep=separator, decimal=",", encoding=encoding, index=False)
    found = tables_of_others(theirs, ALL_SETS, "imagenet").predictions
    pd.testing.assert_frame_equal(found, tables_of_others(path, ALL_SETS, "imagenet").predictions)


def test_a_child_may_have_a_name_that_pandas_takes_for_a_missing_value(first_saved):
    found = tables_of_others(
        first_saved(lambda t: t.replace({"subject_id": {t["subject_id"].iloc[0]: "NA"}})), [], "imagenet"
    )
    assert "NA" in set(found.faces["subject_id"])


def test_empty_columns_behind_the_last_are_left_out(first_saved):
    path = first_saved()
    lines = path.read_text().splitlines()
    path.with_name("excel.csv").write_text("\n".join(f"{line},," for line in lines))
    found = tables_of_others(path.with_name("excel.csv"), ALL_SETS, "imagenet").predictions
    pd.testing.assert_frame_equal(found, tables_of_others(path, ALL_SETS, "imagenet").predictions)


def test_a_claim_that_cannot_be_computed_is_listed_with_the_reason(first_saved):
    path = first_saved(lambda t: t[t["cohort"] == "all"].iloc[:1])
    answer = CliRunner().invoke(app, ["verdict", str(path)])
    assert answer.exit_code == 0
    for claim in load_claims():
        assert claim.statement in answer.stdout
    assert "not testable here" in answer.stdout
