"""What the quick run must show: learning, whole tables, files that compute what the networks do, time and size."""

import pandas as pd
import pytest

from expression_scores.metrics import join
from expression_scores.run_scores import run_scores
from face_sets.expressions import CHANCE, EXPRESSIONS
from face_sets.leaks import check_no_leak
from fer_utils import tables
from fer_utils.compression.exported_files import parity
from fer_utils.compression.golden import answers_here, compare, read_golden
from fer_utils.paths import Paths
from fer_utils.study import load_study
from workflow_runs.accounting import costs

pytestmark = pytest.mark.results

PEAK_MEMORY_MIB = 3.5 * 1024  # of one process: a quarter above what compressing NASNetMobile took, 2.8 GiB


@pytest.fixture(scope="module")
def study():
    return load_study("quick")


@pytest.fixture(scope="module")
def paths(study):
    return Paths.of(study)


@pytest.fixture(scope="module")
def faces(paths):
    return tables.read("faces", paths.faces)


@pytest.fixture(scope="module")
def runs(paths):
    return tables.read("runs", *paths.all_trained("runs"), *paths.all_compressed("runs"))


@pytest.fixture(scope="module")
def exported(paths, runs):
    """Runs with a TFLite file, 8-bit files made otherwise among them."""
    every = pd.concat([runs, tables.read("runs", *paths.all_compressed("variant_runs"))])
    return every[every["artefact"].str.endswith(".tflite").fillna(False)]


@pytest.fixture(scope="module")
def predictions(paths):
    return tables.read("predictions", *paths.all_trained("predictions"), *paths.all_compressed("predictions"))


@pytest.fixture(scope="module")
def scores(study, faces, runs, predictions):
    children = faces[
        (faces["dataset"] == "synthetic") & (faces["split"] == "test") & (faces["age_group"] == "child")
    ]
    joined = join(predictions[predictions["face_id"].isin(children["face_id"])], children)
    everyone = runs[runs["run_id"].isin([f"{network}.all" for network in study.architectures])]
    return run_scores(
        joined[joined["run_id"].isin(everyone["run_id"])],
        everyone,
        study.bootstrap_draws,
        study.resampling_seed,
    )


def test_every_all_data_network_clears_chance_and_the_best_is_three_times_chance(scores):
    assert (scores["accuracy_low"] > CHANCE).all(), scores[["architecture", "accuracy", "accuracy_low"]]
    assert scores["has_learned"].all()
    assert scores["accuracy"].max() >= 3 * CHANCE


def test_faces_hold_every_expression_and_no_subject_twice(faces):
    check_no_leak(faces)
    present = faces.groupby(["split", "age_group"], observed=True)["expression"].agg(set)
    assert all(expressions == set(EXPRESSIONS) for expressions in present)


def test_groups_are_crossed_with_tone_and_cohort(faces):
    learned = faces[(faces["dataset"] == "synthetic") & (faces["split"] != "test")]
    subjects = learned.drop_duplicates("subject_id")
    table = pd.crosstab(subjects["ethnicity"], [subjects["age_group"], subjects["skin_tone"]])
    assert table.to_numpy().min() == table.to_numpy().max()


def test_all_three_copies_of_all_networks_are_there(study, runs):
    trained = set(runs.loc[runs["technique"] == "none", "run_id"])
    assert {f"{network}.{cohort}" for network in study.architectures for cohort in study.cohorts} <= trained
    assert runs["initial_weights"].nunique() == 1


def test_every_cell_of_compression_is_a_model_or_a_reason(study, runs):
    cells = runs[runs["run_id"].str.count(r"\.") == 3].set_index("run_id")
    for network in study.architectures:
        for technique in study.techniques:
            for precision in study.precisions:
                cell = cells.loc[f"{network}.all.{technique}.{precision}"]
                assert cell["status"] == "done" or cell["reason"], cell.name
    assert (cells["status"] == "done").sum() == len(
        study.architectures
    ) * 7  # 2 x 3 techniques, and int8 aware


@pytest.mark.parametrize(
    ("networks", "bound"),
    [
        (("mobilenet_v3_small", "mobilenet_v2", "mobilenet_v3_large"), 1e-5),
        (
            ("efficientnet_b0", "nasnet_mobile"),
            3e-5,
        ),  # deeper: a few in 10,000 probabilities differ by 1e-5 to 2e-5
    ],
)
def test_float_files_compute_what_the_networks_compute(predictions, runs, networks, bound):
    """On 500 of the test faces; sums in another order are all that differs between Keras and the file."""
    is_file = runs["artefact"].str.endswith(".tflite").fillna(False) & (runs["precision"] == "float32")
    exported = runs[is_file & runs["architecture"].isin(networks)]
    answered = predictions.loc[predictions["run_id"] == exported["run_id"].iloc[0], "face_id"]
    asked = predictions[predictions["face_id"].isin(sorted(answered)[:500])]
    agreement = parity(asked, exported)
    assert len(agreement) == 3 * len(networks)
    assert (agreement["faces"] == 500).all()
    assert (agreement["largest_difference"] < bound).all(), agreement
    assert (agreement["same_class"] > 0.999).all()


def test_beside_every_exported_file_lie_labels_and_a_golden_answer_that_it_gives(paths):
    for table in paths.all_compressed("runs"):
        assert (table.parent / "labels.txt").read_text().split() == list(EXPRESSIONS)
        files = tables.read("runs", table)["artefact"].dropna()
        golden = read_golden(table.parent)
        assert set(golden["answers"]) == {file for file in files if file.endswith(".tflite")}
        assert all(each.agrees for each in compare(golden, answers_here(table.parent, golden)))


def test_every_file_is_measured_and_those_of_the_study_are_predicted(study, paths, runs, exported):
    measurements = tables.read("measurements", paths.measurements)
    timed, predicted = (
        set(measurements.loc[measurements["device_kind"] == kind, "run_id"]) for kind in ("host", "predicted")
    )
    assert timed == set(exported["run_id"])
    assert predicted == timed & set(runs["run_id"])
    assert (measurements["image_size"] == study.profiled_size).all()


def test_the_operators_of_every_uncompressed_file_were_profiled(paths, exported):
    operators = tables.read("operators", paths.operators)
    assert set(operators["run_id"]) == set(exported.loc[exported["technique"] == "none", "run_id"])
    assert (operators.groupby("run_id")["mean_ms"].sum() > 0).all()


def test_pruned_and_clustered_files_zip_smaller(paths, study):
    host = tables.read("measurements", paths.measurements).query("device_kind == 'host'").set_index("run_id")
    for network in study.architectures:
        size = {
            t: host.loc[f"{network}.all.{t}.float32", "size_gzip_bytes"]
            for t in ("none", "pruning", "clustering")
        }
        assert size["pruning"] < 0.8 * size["none"]
        assert size["clustering"] < 0.5 * size["none"]


def test_no_process_of_the_run_took_more_than_its_memory(paths):
    """Its time is on a page, and no test: beside others' work, one processor second does half as much."""
    assert costs(paths.durations)["peak memory MiB"].max() < PEAK_MEMORY_MIB
