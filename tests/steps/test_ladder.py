"""The ladder: what its rungs learn from, how they go on after a kill, and what they leave."""

import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from fer_utils.models.backbones import build_network, layers
from fer_utils.models.prediction import predict_tflite
from fer_utils.reporting import released as reports
from fer_utils.reporting.released import ABOUT, ANSWERS, CARD, RUNGS, ReleaseError, ladder_tables, released
from fer_utils.steps import ladder as module
from fer_utils.steps.ladder import Ladder, ladder_study, make_ladder
from photograph_skins.training_faces import TrainingFaces

SIZE = 32
NAMES = ("rendered", "more rendered")


def striped(kind, *_):
    """Made-up faces: the class is the place of a bright stripe; every fifth is held out."""
    random = np.random.default_rng(len(kind))
    labels = np.arange(70) % 7
    images = random.integers(60, 90, (70, SIZE, SIZE, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 4] = 220
    return TrainingFaces(images, labels, np.arange(70) % 5 == 0)


def lively(*settings):
    """A network of random weights whose normalization knows the faces: else its signal, and all gradients, would vanish."""
    network = build_network(*settings)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0  # the statistics become those of one batch
    network(striped("painted").images.astype(np.float32), training=True)
    return network


@pytest.fixture
def small(monkeypatch):
    """A ladder of few faces, few steps and random first weights."""
    for name, value in {
        "CROP": SIZE,
        "RANDOM_SIZE": SIZE,
        "RANDOM_EPOCHS": 1,
        "training_faces": striped,
        "build_network": lively,
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "_imagenet_file", lambda _: None)
    stages = {
        "last layer": ("dropped", 1, 1e-2),
        "last blocks": ("block_13_expand", 1, 1e-3),
        "all layers": ("", 1, 1e-4),
    }
    monkeypatch.setattr(module, "STAGES", stages)
    monkeypatch.delenv("FER_DATA", raising=False)


@pytest.mark.slow
def test_a_ladder_leaves_a_model_its_tables_and_its_card(small, tmp_path):
    said = []
    make_ladder([3], tmp_path / "made", tmp_path / "to", said.append)
    tables = ladder_tables(tmp_path / "to")
    stages = ["last layer", "last blocks", "all layers"]
    rungs = ["rendered, random weights", *(f"{name}, {stage}" for name in NAMES for stage in stages)]
    assert list(tables[RUNGS]["rung"]) == rungs  # no photographs: no skins
    assert (tables[RUNGS]["training_faces"] == 56).all()
    assert tables[ANSWERS].empty
    found = released(tmp_path / "to")
    assert (found.rung, found.image_size, found.trained_on) == (
        "rendered, all layers",
        SIZE,
        reports.TRAINED_ON,
    )
    for path in found.files.values():
        answers = predict_tflite(path, striped("painted").images[:3])
        np.testing.assert_allclose(answers.sum(1), 1, atol=0.03)
    card = (tmp_path / "to" / CARD).read_text()
    assert found.trained_on in card
    assert "Not tested" in card
    assert len(said) == len(rungs)


@pytest.mark.slow
def test_a_climb_that_was_cut_ends_with_the_same_weights(small, tmp_path):
    def weights(folder):
        kept = {}
        network = Ladder(1, folder).climb(
            "rendered", lambda rung, _, network: kept.update({rung: network.get_weights()})
        )
        return network.get_weights(), kept

    whole, stages = weights(tmp_path / "a")
    (tmp_path / "a" / "rendered-all-layers-1.npz").unlink()  # as if it was cut in the last stage
    again, _ = weights(tmp_path / "a")
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)
    first = lively("mobilenet_v2", ladder_study(1, SIZE), None)
    for layer in first.layers:  # Keras lists a model's weights by what is trainable
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    changed = [
        not np.array_equal(one, other)
        for one, other, variable in zip(first.get_weights(), whole, first.weights, strict=True)
        if "kernel" in variable.name
    ]
    assert all(changed)  # no layer is as it was at first
    frozen = stages["rendered, last layer"]
    assert np.array_equal(frozen[0], first.get_weights()[0])


def made_up_answers(rung="mixed, all layers", persons=6):
    rows = []
    for person in range(persons):
        for expression in ("neutral", "happiness"):
            face = {"face_id": f"{person}-{expression}", "dataset": "london", "subject_id": str(person)}
            face |= {"expression": expression, "sex": ("female", "male")[person % 2], "rung": rung, "seed": 1}
            rows.append(face | dict.fromkeys(PROBABILITY_COLUMNS, 0.1) | {f"p_{expression}": 0.4})
    return pd.DataFrame(rows)


@pytest.fixture
def folder(tmp_path):
    """A released model with its tables, in a folder of its own."""
    file = tmp_path / "m.tflite"
    file.write_bytes(b"a model")
    row = {"rung": "mixed, all layers", "seed": 1, "image_size": 128, "training_faces": 10}
    reports.write(
        tmp_path,
        row,
        {"m.released.none.int8": file},
        pd.DataFrame([row]),
        made_up_answers(),
    )
    return tmp_path


def test_a_released_model_is_read_as_it_was_written(folder):
    found = released(folder)
    assert found.files == {"m.released.none.int8": folder / "m.tflite"}
    card = (folder / CARD).read_text()
    assert found.trained_on in card
    assert "100.0" in card  # of the made-up answers, all right
    assert all(name in card for name in EXPRESSIONS)


def test_a_damaged_or_missing_file_is_refused(folder):
    (folder / "m.tflite").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="m.tflite is not the file that was released"):
        released(folder)
    (folder / "m.tflite").unlink()
    with pytest.raises(ReleaseError, match=r"m\.tflite"):
        released(folder)


def test_without_a_release_there_is_none(folder):
    (folder / ABOUT).unlink()
    assert released(folder) is None
    (folder / RUNGS).unlink()
    with pytest.raises(ReleaseError, match="fer ladder"):
        ladder_tables(folder)


def test_the_models_in_the_repository_are_whole_and_small():
    if (found := released()) is None:
        pytest.skip("no model is released in this copy")
    sizes = {run_id.split(".")[-1]: path.stat().st_size for run_id, path in found.files.items()}
    assert sizes["int8"] <= 4e6
    assert sum(sizes.values()) <= 8e6
    assert not set(ladder_tables()[RUNGS].columns) & {"path", "picture"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"files": 1}', b"<<<<<<< HEAD\n{}"])
def test_a_damaged_record_says_how_to_get_it_back(folder, damage):
    (folder / ABOUT).write_bytes(damage)
    with pytest.raises(ReleaseError, match=r"released\.json is damaged: `git checkout"):
        released(folder)
