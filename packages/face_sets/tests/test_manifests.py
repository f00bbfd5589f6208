import copy
import json
import logging

import mlcroissant
import pytest
import yaml

from face_sets import croissant, manifests
from face_sets.expressions import EXPRESSIONS
from face_sets.files import write_text
from face_sets.tables import COLUMNS
from face_sets.validation import read_yaml

NAMES = manifests.manifest_names()
CARDS = {name: read_yaml(manifests.CARDS_FOLDER / f"{name}.yml") for name in NAMES}


@pytest.fixture
def damaged(tmp_path):
    """A function that writes a changed copy of a card and returns its path."""

    def write(name, change):
        card = copy.deepcopy(CARDS[name])
        change(card)
        path = tmp_path / "damaged.yml"
        text = yaml.dump(card, Dumper=yaml.CSafeDumper, allow_unicode=True)  # in C: ten times as fast
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", manifests.manifest_names())
def test_every_card_and_its_croissant_file_hold(name):
    """The Croissant file is what the card says, and `mlcroissant` takes it."""
    manifest = croissant.validate_manifest(name)
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


def put(path, value):
    def change(card):
        *parents, last = path
        for part in parents:
            card = card[part]
        card[last] = value

    return change


def drop(path):
    def change(card):
        *parents, last = path
        for part in parents:
            card = card[part]
        del card[last]

    return change


DAMAGES = {
    "no name": (drop(["name"]), "name"),
    "empty name": (put(["name"], ""), "name"),
    "no address": (drop(["url"]), "url"),
    "no creator": (drop(["creators"]), "creators"),
    "unnamed creator": (put(["creators"], [""]), "creators"),
    "creators in one text": (put(["creators"], "somebody"), "creators"),
    "no description": (drop(["description"]), "description"),
    "no licence": (drop(["license"]), "license"),
    "licence without an address": (put(["license"], "CC BY"), "license"),
    "no citation": (drop(["citation"]), "citation"),
    "odd version": (put(["version"], "1.0"), "version"),
    "no date": (drop(["published"]), "published"),
    "a number for a date": (put(["published"], 1998), "published"),
    "no conditions": (drop(["conditions"]), "conditions"),
    "no rai": (drop(["rai"]), "rai"),
    "unknown rai key": (put(["rai", "rai:dataBias"], "many"), "rai:dataBias"),
    "silent on bias": (drop(["rai", "rai:dataBiases"]), "rai:dataBiases"),
    "silent on collection": (drop(["rai", "rai:dataCollection"]), "rai:dataCollection"),
    "empty limits": (put(["rai", "rai:dataLimitations"], " "), "rai:dataLimitations"),
    "nothing sensitive": (
        put(["rai", "rai:personalSensitiveInformation"], []), "rai:personalSensitiveInformation"
    ),
    "unknown terms of use": (put(["usage"], {"free": "for all"}), "usage"),
    "unasked property": (put(["note"], "x"), "note"),
    "no study": (drop(["study"]), "study"),
    "no use": (drop(["study", "use"]), "use"),
    "unknown use": (put(["study", "use"], "both"), "use"),
    "unknown access": (put(["study", "access"], "free"), "access"),
    "unknown age_group": (put(["study", "age_groups"], ["teenager"]), "age_groups"),
    "no age_group": (put(["study", "age_groups"], []), "age_groups"),
    "no people": (put(["study", "subjects"], 0), "subjects"),
    "no source": (put(["study", "counts_source"], ""), "counts_source"),
    "number for a flag": (put(["study", "may_publish"], 0), "may_publish"),
    "text for a flag": (put(["study", "may_publish"], "yes"), "may_publish"),
    "misspelt flag": (put(["study", "may_publsh"], True), "may_publsh"),
    "no flag": (drop(["study", "may_release_model"]), "may_release_model"),
    "eighth expression": (put(["study", "codes", "x"], "contempt"), "'contempt'"),
    "no codes": (put(["study", "codes"], {}), "codes"),
    "count of none": (put(["study", "counts"], {"neutral": 0}), "counts.neutral"),
    "text for a count": (put(["study", "counts"], {"neutral": "102"}), "counts.neutral"),
    "count of an eighth": (put(["study", "counts"], {"calm": 3}), "calm"),
    "unasked field": (put(["study", "note"], "x"), "note"),
    "too many": (
        lambda card: card["study"].update(
            published_images=1, counts={"happiness": 1, "neutral": 1}, codes={"a": "happiness", "b": "neutral"}
        ),
        "more than published_images",
    ),
    "count without a code": (
        lambda card: card["study"].update(codes={"a": "fear"}, counts={"anger": 1}),
        "no code maps onto anger",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_card_is_found_and_named(damaged, damage):
    change, said = DAMAGES[damage]
    for name in NAMES:
        with pytest.raises(manifests.ManifestError, match=said) as error:
            manifests.read_card(damaged(name, change))
        assert str(error.value).startswith("damaged.yml: ")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("flag", ["may_publish", "may_release_model"])
@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("london", "canada", "synthetic", "own")]
)
def test_no_restricted_set_can_be_opened_by_a_flag_alone(damaged, name, flag):
    with pytest.raises(manifests.ManifestError, match="open licence"):
        manifests.read_card(damaged(name, put(["study", flag], True)))


def test_readers_may_open_their_own_set(damaged):
    assert manifests.read_card(damaged("own", put(["study", "may_publish"], True))).study.may_publish


def test_a_code_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.yml"
    path.write_text((manifests.CARDS_FOLDER / "jaffe.yml").read_text().replace("DI: ", "AN: "))
    with pytest.raises(manifests.ManifestError, match=r"twice\.yml.*AN stands twice"):
        manifests.read_card(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "a: [", "a: &b [*b]", "text", "\ufeff{}", "!!python/name:os.system"]
)
def test_a_file_that_is_no_card(tmp_path, content):
    path = tmp_path / "a.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(manifests.ManifestError, match=r"a\.yml") as error:
        manifests.read_card(path)
    assert "\n" not in str(error.value)


def places(value, path=()):
    """Every place in a card, the whole first."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        yield from places(inner, (*path, part))


@pytest.mark.parametrize("wrong", [None, 0, True, "x", [], {}, [[]], [{}]], ids=repr)
def test_a_value_of_the_wrong_kind_anywhere_is_never_a_crash(damaged, wrong):
    said = []
    for path in [path for path in places(CARDS["cafe"]) if path]:
        try:
            manifests.read_card(damaged("cafe", put(path, wrong)))
        except manifests.ManifestError as error:
            said.append(str(error))
    assert len(said) > 10  # a text may be any text, and a code of the owner's may be dropped (None)
    assert all(text.startswith("damaged.yml: ") and "\n" not in text for text in said)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_codes_differ_in_case_alone(name):
    """Copies of a set differ in case, so readers compare without it."""
    codes = [code.lower() for code in manifests.load_manifest(name).study.codes]
    assert len(codes) == len(set(codes))


def test_croissant_files_describe_the_table_and_never_list_an_image():
    document = croissant.croissant_document(manifests.load_manifest("cafe"))
    (table,), (records,) = document["distribution"], document["recordSet"]
    assert table["contentUrl"] == "faces.parquet"
    assert document["isLiveDataset"]  # each reader's table differs, so it has no hash
    assert not {"sha256", "md5"} & set(table)
    assert not {"data", "examples"} & set(records)
    columns = {field["name"]: field["source"]["extract"]["column"] for field in records["field"]}
    assert columns.keys() >= {"face_id", "subject_id", "expression", "age_group", "split"}
    assert all(name == column and name in COLUMNS["faces"] for name, column in columns.items())
    assert records["key"] == {"@id": "faces/face_id"}
    assert ["sc:Text", "cr:Label"] in [field["dataType"] for field in records["field"]]


@pytest.fixture
def croissant_file(tmp_path, monkeypatch):
    """A function that makes the file of CAFE anew from a changed document, whatever the card says."""
    logging.getLogger("absl").setLevel(logging.ERROR)

    def write(change):
        document = croissant.croissant_document(manifests.load_manifest("cafe"))
        change(document)
        monkeypatch.setattr(croissant, "MANIFESTS_FOLDER", tmp_path)
        monkeypatch.setattr(croissant, "croissant_document", lambda _: document)
        write_text(tmp_path / "cafe.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    return write


@pytest.mark.parametrize(
    "change",
    [
        drop(["distribution", 0, "encodingFormat"]),
        drop(["recordSet", 0, "field", 0, "dataType"]),
        put(["recordSet", 0, "field", 0, "source", "fileObject", "@id"], "unknown-table"),
    ],
)
def test_what_croissant_itself_refuses_is_refused(croissant_file, change):
    croissant_file(change)
    with pytest.raises(manifests.ManifestError, match="not valid Croissant") as error:
        croissant.validate_manifest("cafe")
    assert "\n" not in str(error.value)


def test_a_croissant_file_that_is_not_what_its_card_says_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(croissant, "MANIFESTS_FOLDER", tmp_path)
    with pytest.raises(manifests.ManifestError, match=r"cafe\.json is not what its card says"):
        croissant.validate_manifest("cafe")
    croissant.write_documents()
    assert croissant.validate_manifest("cafe").name.startswith("CAFE")
    path = tmp_path / "cafe.json"
    path.write_text(path.read_text().replace("1.0.0", "1.0.1"))
    with pytest.raises(manifests.ManifestError, match=r"run `python -m face_sets\.croissant`"):
        croissant.validate_manifest("cafe")


def test_mlcroissant_does_not_know_rai_keys():
    """If this fails, `mlcroissant` has learned the check: ours in `manifests.RaiKey` may go."""
    document = croissant.croissant_document(manifests.load_manifest("cafe"))
    mlcroissant.Dataset(jsonld=document | {"rai:dataBias": "many"})


def test_unknown_names():
    with pytest.raises(manifests.ManifestError, match="london"):
        manifests.load_manifest("lodnon")
    with pytest.raises(manifests.ManifestError, match="no manifest describes"):
        manifests.manifest_of("unheard-of")
