"""The file of published numbers is whole, its counts are right, and a damaged one ends in a sentence."""

import re

import pytest
import yaml

from face_sets.folders import PROJECT_FOLDER
from fer_utils.analysis.claims import (
    PUBLISHED_FILE,
    ClaimError,
    children_by_group,
    load_published,
    printed,
)


@pytest.fixture
def damaged(tmp_path):
    """Return a function that loads the file after a change to its first number."""

    def load(**changes):
        content = yaml.safe_load(PUBLISHED_FILE.read_text(encoding="utf-8"))
        content["numbers"][0].update(changes)
        content["numbers"][0] = {k: v for k, v in content["numbers"][0].items() if v != "removed"}
        path = tmp_path / "published.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_published(path)

    return load


def test_numbers_keep_the_digits_that_were_printed():
    assert printed("before-reference").printed == "56.0"
    assert printed("preprint-score").value == 65.11


def test_groups_add_up_to_the_set():
    assert sum(children_by_group().values()) == printed("cafe-children").value


def test_sources_are_in_the_bibliography():
    keys = re.findall(
        r"@\w+\{(\w+),", (PROJECT_FOLDER / "book" / "references.bib").read_text(encoding="utf-8")
    )
    assert {number.source for number in load_published().numbers} <= set(keys)


def test_scores_say_which_measure_they_are():
    assert [n.id for n in load_published().numbers if n.unit in ("%", "ms", "times") and not n.metric] == []


def test_an_unknown_number_is_refused():
    with pytest.raises(ClaimError, match="no published number under 'x'"):
        printed("x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"printed": 1192}, "printed: .*string"),
        ({"printed": "about 1192"}, "printed: .*pattern"),
        ({"unit": "pictures"}, "unit"),
        ({"source": "somebody"}, "source"),
        ({"source": "removed"}, "source: Field required"),
        ({"verdict": "fine"}, "verdict: Extra inputs"),
        ({"id": "cafe-children"}, "the id 'cafe-children' is given to more than one"),
    ],
)
def test_damage_is_reported_in_one_sentence(damaged, changes, message):
    with pytest.raises(ClaimError, match=message) as raised:
        damaged(**changes)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["numbers: [", "", "- a list"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    path = tmp_path / "published.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClaimError):
        load_published(path)


BUILDERS = {"MobileNetV3-Large": "MobileNetV3Large", "MobileNetV2": "MobileNetV2", "ResNet-152": "ResNet152"}


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(g, id=f"{g.network}, {g.head}, {g.outputs}",
                     marks=[pytest.mark.slow] if g.network == "ResNet-152" else [])
        for g in load_published().counted
    ],
)  # fmt: skip
def test_parameters_are_those_of_the_graphs(graph):
    from fer_utils.models.backbones import keras

    build = getattr(keras.applications, BUILDERS[graph.network])
    if graph.head == "own":
        parameters = build(weights=None, classes=graph.outputs).count_params()
    else:
        features = build(weights=None, include_top=False, input_shape=(224, 224, 3))
        parameters = features.count_params() + (features.output_shape[-1] + 1) * graph.outputs
    keras.backend.clear_session()
    assert parameters == graph.parameters
