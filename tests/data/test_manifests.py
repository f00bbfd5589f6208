import copy
import json

import pytest

from fer_utils.data import manifests
from fer_utils.expressions import EXPRESSIONS

LONDON = json.loads((manifests.MANIFESTS_FOLDER / "london.json").read_text())


@pytest.fixture
def written(tmp_path):
    """A function that writes a changed copy of the London manifest and returns its path."""

    def write(change):
        document = copy.deepcopy(LONDON)
        change(document)
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.mark.parametrize("name", manifests.manifest_names())
def test_every_manifest_holds(name):
    manifest = manifests.validate_manifest(manifests.MANIFESTS_FOLDER / f"{name}.json")
    assert manifests.load_manifest(name) == manifest
    for dataset in manifest.study.datasets:
        assert manifests.manifest_of(dataset) == manifest


def test_no_manifest_lists_images_and_no_dataset_has_two():
    datasets = []
    for name in manifests.manifest_names():
        text = (manifests.MANIFESTS_FOLDER / f"{name}.json").read_text().lower()
        assert not [ending for ending in (".jpg", ".png", "image/") if ending in text]
        datasets += manifests.load_manifest(name).study.datasets
    assert len(datasets) == len(set(datasets))


def test_the_london_set_is_as_published():
    study = manifests.load_manifest("london").study
    assert study.codes == {"neutral_front": "neutral", "smiling_front": "happiness"}
    assert study.counts == {"neutral": 102, "happiness": 102}
    assert study.may_publish
    assert "cropped and resized" in study.credit


def test_the_synthetic_set_has_all_seven():
    assert set(manifests.load_manifest("synthetic").study.codes) == set(EXPRESSIONS)
    assert manifests.manifest_of("synthetic-gap") == manifests.load_manifest("synthetic")


@pytest.mark.parametrize(
    "key",
    ["name", "url", "creator", "description", "license", "citeAs", "datePublished", "version", "conformsTo", "fer:study",
     "@context", "rai:dataBiases"],
)  # fmt: skip
def test_what_is_missing_is_named(written, key):
    with pytest.raises(manifests.ManifestError) as error:
        manifests.read_manifest(written(lambda document: document.pop(key)))
    assert "changed.json" in str(error.value)
    assert "\n" not in str(error.value)
    aliases = {"creator": "creators", "fer:study": "fer:study"}
    assert aliases.get(key, key) in str(error.value)


def _set(path, value):
    def change(document):
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["name"], "", "name"),
        (["license"], "CC BY", "license"),
        (["version"], "5", "version"),
        (["creator"], [{"name": ""}], "creator"),
        (["creator"], "somebody", "creators"),
        (["rai:dataBias"], "misspelt", "rai:dataBias"),
        (["conformsTo"], ["http://mlcommons.org/croissant/1.0"], "conformsTo"),
        (["fer:study", "codes", "neutral_front"], "calm", "'calm'"),
        (["fer:study", "counts", "calm"], 3, "calm"),
        (["fer:study", "counts", "neutral"], "102", "counts.neutral"),
        (["fer:study", "may_publish"], "yes", "may_publish"),
        (["fer:study", "may_publsh"], True, "may_publsh"),
        (["@context", "fer"], "urn:other:", "urn:fer-utils:"),
    ],
)
def test_what_is_wrong_is_named(written, path, value, said):
    with pytest.raises(manifests.ManifestError, match=said) as error:
        manifests.read_manifest(written(_set(path, value)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["distribution"][0].pop("encodingFormat"),
        lambda document: document["recordSet"][0]["field"][0].pop("dataType"),
        _set(["recordSet", 0, "field", 0, "source", "fileObject", "@id"], "unknown-table"),
        lambda document: document.pop("isLiveDataset"),
    ],
)
def test_what_croissant_itself_refuses_is_refused(written, change):
    path = written(change)
    manifests.read_manifest(path)
    with pytest.raises(manifests.ManifestError, match="Croissant") as error:
        manifests.validate_manifest(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "\ufeff{}"])
def test_a_file_that_is_no_manifest(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(manifests.ManifestError, match=r"a\.json"):
        manifests.read_manifest(path)


def test_unknown_names():
    with pytest.raises(manifests.ManifestError, match="london"):
        manifests.load_manifest("lodnon")
    with pytest.raises(manifests.ManifestError, match="no manifest describes"):
        manifests.manifest_of("unheard-of")
