import copy
import json

import pytest

from face_sets import manifests
from face_sets.expressions import EXPRESSIONS

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


TWELVE = (
    "affectnet", "fer2013", "raf_db", "expw", "ckplus", "jaffe", "kdef", "rafd", "nimh_chefs", "ddcf", "childefes",
    "liris_cse",
)  # fmt: skip


def test_our_twelve_are_declared_and_only_they_and_ours_train():
    training = {
        name for name in manifests.manifest_names() if manifests.load_manifest(name).study.use == "training"
    }
    assert training == {*TWELVE, "guesswhat", "own", "synthetic"}
    declared = (manifests.MANIFESTS_FOLDER / "README.md").read_text()
    for name in TWELVE:
        assert (
            manifests.load_manifest(name).name.split(",")[0].replace("Extended Cohn-Kanade", "CK+")
            in declared
        )


def test_cafe_tests_and_never_trains_and_is_never_shown():
    study = manifests.load_manifest("cafe").study
    assert (study.use, study.may_publish, study.may_release_model) == ("testing", False, False)
    assert (study.subjects, study.published_images) == (154, 1192)
    assert set(study.expressions) == set(EXPRESSIONS)
    assert [
        name for name in manifests.manifest_names() if manifests.load_manifest(name).study.use == "testing"
    ] == ["cafe"]


@pytest.mark.parametrize("name", [*TWELVE, "guesswhat", "cafe", "own"])
def test_nothing_restricted_may_be_shown_or_given_away(name):
    study = manifests.load_manifest(name).study
    assert (study.may_publish, study.may_release_model) == (False, False)


@pytest.mark.parametrize(
    ("name", "total", "dropped"),
    [("affectnet", 287_651, 3_750), ("fer2013", 35_887, 0), ("raf_db", 15_339, 0), ("expw", 91_793, 0),
     ("ckplus", 327, 18), ("jaffe", 213, 0), ("kdef", 4_900, 0), ("rafd", 8_040, 1_005), ("london", 204, 0),
     ("childefes", 1_381, 183 + 21)],
)  # fmt: skip
def test_counts_add_up_to_what_is_published(name, total, dropped):
    """The 21 of ChildEFES are those by which its printed classes miss its printed total."""
    study = manifests.load_manifest(name).study
    assert study.published_images == total
    assert sum(study.counts.values()) + dropped == total


@pytest.mark.parametrize(
    ("name", "absent"),
    [("nimh_chefs", {"disgust", "surprise"}), ("liris_cse", {"neutral"}), ("ddcf", set()), ("childefes", set()),
     ("rafd", set()), ("ckplus", set())],
)  # fmt: skip
def test_the_holes_in_the_classes_are_known(name, absent):
    assert set(EXPRESSIONS) - set(manifests.load_manifest(name).study.expressions) == absent


@pytest.mark.parametrize(
    ("name", "code", "expression"),
    [("affectnet", "6", "anger"), ("affectnet", "7", None), ("fer2013", "6", "neutral"), ("fer2013", "NF", None),
     ("raf_db", "1", "surprise"), ("raf_db", "7", "neutral"), ("expw", "0", "anger"), ("ckplus", "2", None),
     ("ckplus", "7", "surprise"), ("jaffe", "FE", "fear"), ("kdef", "AF", "fear"), ("rafd", "contemptuous", None),
     ("nimh_chefs", "A", "anger"), ("ddcf", "Pleased", None), ("childefes", "contempt", None),
     ("liris_cse", "suprise", "surprise"), ("cafe", "fearfulopen", "fear")],
)  # fmt: skip
def test_codes_mean_what_their_owners_say(name, code, expression):
    assert manifests.load_manifest(name).study.codes[code] == expression


@pytest.mark.parametrize("name", manifests.manifest_names())
def test_every_number_has_a_source_and_every_set_a_place(name):
    manifest = manifests.load_manifest(name)
    if manifest.study.counts or manifest.study.published_images:
        assert any(
            word in manifest.study.counts_source for word in ("https://", "github.com", "not confirmed")
        )
    assert manifest.url.startswith("urn:") or "http" in manifest.citation


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
