"""What notebooks get from `open_results`: lazily read tables, their provenance, answers, scores, figures."""

import doctest

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from expression_scores.metrics import join
from expression_scores.run_scores import compare_runs, run_scores
from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils import results as module
from fer_utils import stages, tables
from fer_utils.reporting.absent import show_or_say
from fer_utils.results import as_interval, open_results
from fer_utils.study import StudyError

NETWORK = "mobilenet_v2"
COPIES = [f"{NETWORK}.children", f"{NETWORK}.all"]
PARAMETERS = {
    "profile": "quick",
    "seed": 5,
    "resampling_seed": 6,
    "architectures": [NETWORK],
    "bootstrap_draws": 200,
}


def faces(dataset="synthetic", split="test", subjects=12):
    rows = [(s, e) for s in range(subjects) for e in EXPRESSIONS]
    name = [f"{dataset}/{split}/{s}/{e}" for s, e in rows]
    age_groups = ["child" if s % 3 else "adult" for s, _ in rows]
    table = pd.DataFrame({"face_id": name, "subject_id": [f"{split}-{s}" for s, _ in rows], "path": name})
    table = table.assign(expression=[e for _, e in rows], age_group=age_groups, dataset=dataset, split=split)
    return tables.conform(table.assign(sha256="0", may_publish=True), "faces")


def predictions(face_ids, run_ids=COPIES):
    random = np.random.default_rng(2)
    keys = pd.DataFrame([(run, face) for run in run_ids for face in face_ids], columns=["run_id", "face_id"])
    return keys.assign(
        **dict(zip(PROBABILITY_COLUMNS, random.dirichlet(np.ones(7), len(keys)).T, strict=True))
    )


def runs(run_ids=COPIES, artefact="weights.h5"):
    about = {"architecture": NETWORK, "technique": "none", "precision": "float32", "status": "done"}
    return pd.DataFrame({"run_id": run_ids, "artefact": artefact, "cohort": ["children", "all"]}).assign(
        **about
    )


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RESULTS", str(tmp_path))
    monkeypatch.setenv(stages.IN_WORKFLOW, "1")
    opened = open_results(PARAMETERS, "02_architectures")
    everyone = pd.concat([faces(), faces(split="train"), faces("synthetic-gap", subjects=3)])
    tables.write(everyone, "faces", opened.paths.faces)
    tables.write(tables.empty("faces"), "faces", opened.paths.external_faces)
    tables.write(runs(), "runs", opened.paths.trained("runs", NETWORK))
    tested = everyone.loc[everyone["split"] == "test", "face_id"]
    tables.write(predictions(tested), "predictions", opened.paths.trained("predictions", NETWORK))
    return opened


def listed(results, kind=None):
    return list(results.provenance(kind).tables["table"])


def test_parameters_are_checked_as_by_begin():
    with pytest.raises(StudyError, match="unknown parameter 'sed'"):
        open_results({"profile": "quick", "sed": 5}, "01_data")


def test_provenance_lists_exactly_the_tables_read_so_far(results):
    assert listed(results) == []
    assert len(results.runs) == 2
    assert listed(results) == [f"train/{NETWORK}/runs"]
    assert len(results.test_children) == 8 * 7
    assert listed(results) == ["faces/faces", f"train/{NETWORK}/runs"]
    assert results.faces is results.faces, "read once"


def test_an_absent_table_stops_only_the_page_that_reads_it(results):
    with pytest.raises(FileNotFoundError, match="table 'operators' is not at .*`fer status`"):
        len(results.operators)


def test_a_foreign_table_is_refused(results):
    foreign = pd.DataFrame({"run_id": ["a"], "colour": ["red"]})
    tables.write_sealed(foreign, results.paths.trained("runs", NETWORK))
    with pytest.raises(tables.TableError, match="unknown column"):
        len(results.runs)


def test_test_children_are_of_the_test_set_alone(results):
    assert set(results.test_children["dataset"]) == {"synthetic"}
    assert set(results.test_children["split"]) == {"test"}
    assert set(results.test_children["age_group"]) == {"child"}


def test_answers_are_of_the_runs_and_faces_asked_for(results):
    one = results.runs[results.runs["cohort"] == "all"]
    answers = results.answers(one, results.test_children)
    mine = results.predictions[results.predictions["run_id"] == COPIES[1]]
    mine = mine[mine["face_id"].isin(results.test_children["face_id"])]
    pd.testing.assert_frame_equal(answers, join(mine, results.faces))
    given = results.answers(one, results.test_children, mine.head(3))
    assert len(given) == 3


def test_scores_and_differences_resample_as_the_study_says(results):
    answers = results.answers(results.runs, results.test_children)
    expected = run_scores(answers, results.runs, 200, 5)
    pd.testing.assert_frame_equal(results.scores(answers, results.runs), expected)
    one = results.runs.tail(1)
    assert list(results.scores(answers, one)["run_id"]) == [COPIES[1]], "answers of other runs are left out"
    expected = compare_runs(answers, [tuple(COPIES)], "accuracy", 200, 5)
    pd.testing.assert_frame_equal(results.compare(answers, [tuple(COPIES)]), expected)
    assert results.resampling == {"draws": 200, "seed": 6}


def test_without_answers_there_are_no_scores_but_their_columns(results):
    tables.write(tables.empty("predictions"), "predictions", results.paths.external_predictions)
    none = results.answers(results.runs, results.external_faces, results.external_predictions)
    scores = results.scores(none, results.runs)
    assert scores.empty
    assert "accuracy_low" in scores.columns


def test_exported_runs_are_those_with_a_file_for_a_phone(results):
    rows = runs([f"{NETWORK}.all.none.float32", f"{NETWORK}.all.pruning"], ["a.tflite", None])
    for number, path in enumerate(results.paths.all_compressed("runs")):
        tables.write(rows if number == 0 else tables.empty("runs"), "runs", path)
    assert list(results.exported["run_id"]) == [f"{NETWORK}.all.none.float32"]


def test_without_emulations_the_table_is_empty_and_not_listed(results):
    assert results.emulations.empty
    assert listed(results) == []


def test_a_figure_names_the_tables_of_its_kind_of_data(results):
    assert len(results.faces) > len(results.external_faces) == 0
    assert len(results.open_networks)
    assert listed(results, "London photographs") == ["external/faces", "external/open networks"]
    assert listed(results, "synthetic faces") == ["faces/faces"]
    data = pd.DataFrame({"faces": [3]})
    own = results.save_figure(Figure(), "counts", data)
    external = results.save_figure(Figure(), "london", data, kind="London photographs")
    assert results.provenance("synthetic faces").line() in own.source_line
    assert results.provenance("London photographs").line() in external.source_line
    folder = results.paths.figures("02_architectures")
    assert pd.read_csv(folder / "counts.csv").equals(data)
    assert (folder / "london.svg").is_file()


def test_a_metric_becomes_the_estimate_and_replaces_another_interval():
    assert doctest.testmod(module).failed == 0
    frame = pd.DataFrame({"accuracy": [0.6], "accuracy_low": [0.5], "accuracy_high": [0.7], "low": [-1.0]})
    assert as_interval(frame, "accuracy").to_dict("list") == {"estimate": [0.6], "low": [0.5], "high": [0.7]}


def test_what_is_absent_is_said_in_place_of_an_empty_table():
    frame = pd.DataFrame({"faces": [3]})
    assert "<table" in show_or_say(frame, "Faces", "There are none: add some.").data
    note = show_or_say(frame.head(0), "Faces", "There are none: add some.").data
    assert "<table" not in note
    assert "There are none: add some." in note
