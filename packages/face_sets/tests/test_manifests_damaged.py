"""Damage on purpose, to every manifest: what `mlcroissant` lets pass must not pass here."""

import copy
import json
import logging

import mlcroissant
import pytest

from face_sets import croissant, manifests

NAMES = manifests.manifest_names()
DOCUMENTS = {name: croissant.read_document(manifests.MANIFESTS_FOLDER / f"{name}.json") for name in NAMES}
FILE = ["distribution", 0]
RECORDS = ["recordSet", 0]
IMAGE = {
    "@type": "cr:FileObject",
    "@id": "a",
    "name": "a",
    "contentUrl": "a.jpg",
    "encodingFormat": "image/jpeg",
}
FILES = {"@type": "cr:FileSet", "@id": "a", "name": "a", "includes": "*.jpg", "encodingFormat": "image/jpeg"}


def put(path, value):
    def change(document):
        *parents, last = path
        for part in parents:
            document = document[part]
        document[last] = value

    return change


def drop(path):
    def change(document):
        *parents, last = path
        for part in parents:
            document = document[part]
        del document[last]

    return change


def unhashed(document):
    document["isLiveDataset"] = False
    document["distribution"][0]["sha256"] = "0" * 64


PASSED_BY_MLCROISSANT = {
    "no name": (drop(["name"]), "name"),
    "no address": (drop(["url"]), "url"),
    "no creator": (drop(["creator"]), "creators"),
    "no description": (drop(["description"]), "description"),
    "no licence": (drop(["license"]), "license"),
    "no citation": (drop(["citeAs"]), "citeAs"),
    "no version": (drop(["version"]), "version"),
    "odd version": (put(["version"], "1.0"), "version"),
    "no date": (drop(["datePublished"]), "datePublished"),
    "no conditions": (drop(["conditionsOfAccess"]), "conditionsOfAccess"),
    "older Croissant": (put(["conformsTo"], "http://mlcommons.org/croissant/1.0"), "conformsTo"),
    "unknown rai key": (put(["rai:dataBias"], "many"), "rai:dataBias"),
    "silent on bias": (drop(["rai:dataBiases"]), "rai:dataBiases"),
    "silent on collection": (drop(["rai:dataCollection"]), "rai:dataCollection"),
    "empty limits": (put(["rai:dataLimitations"], " "), "rai:dataLimitations"),
    "nothing sensitive": (put(["rai:personalSensitiveInformation"], []), "rai:personalSensitiveInformation"),
    "foreign rai": (put(["@context", "rai"], "https://example.org/"), '"rai"'),
    "hash that no file has": (unhashed, "isLiveDataset"),
    "hash beside live": (put([*FILE, "md5"], "0" * 32), "isLiveDataset"),
    "another table": (put([*FILE, "contentUrl"], "names.parquet"), r"faces\.parquet"),
    "an image listed": (lambda document: document["distribution"].append(IMAGE), "distribution"),
    "images listed": (lambda document: document["distribution"].append(FILES), "distribution"),
    "no records": (drop(["recordSet"]), "recordSet"),
    "rows shown": (put([*RECORDS, "examples"], [{"faces/face_id": "a"}]), "recordSet"),
    "no key": (drop([*RECORDS, "key"]), "key"),
    "column of no table": (put([*RECORDS, "field", 0, "source", "extract", "column"], "file"), "face_id"),
    "no label": (put([*RECORDS, "field", 2, "dataType"], "sc:Text"), "cr:Label"),
    "column not described": (drop([*RECORDS, "field", 1]), "subject_id"),
    "unknown terms of use": (put(["usageInfo"], [{"@type": "DefinedTerm", "termCode": "free"}]), "usageInfo"),
    "terms at another address": (
        put(["usageInfo"], {"@type": "DefinedTerm", "termCode": "DUO_0000018", "url": "https://example.org/"}),
        "usageInfo",
    ),
}  # fmt: skip

DAMAGED_STUDY = {
    "no use": (drop(["fer:study", "use"]), "use"),
    "unknown use": (put(["fer:study", "use"], "both"), "use"),
    "unknown access": (put(["fer:study", "access"], "free"), "access"),
    "unknown age_group": (put(["fer:study", "age_groups"], ["teenager"]), "age_groups"),
    "no age_group": (put(["fer:study", "age_groups"], []), "age_groups"),
    "no people": (put(["fer:study", "subjects"], 0), "subjects"),
    "no source": (put(["fer:study", "counts_source"], ""), "counts_source"),
    "number for a flag": (put(["fer:study", "may_publish"], 0), "may_publish"),
    "no flag": (drop(["fer:study", "may_release_model"]), "may_release_model"),
    "eighth expression": (put(["fer:study", "codes", "x"], "contempt"), "contempt"),
    "no codes": (put(["fer:study", "codes"], {}), "codes"),
    "count of none": (put(["fer:study", "counts"], {"neutral": 0}), "counts"),
    "unasked field": (put(["fer:study", "note"], "x"), "note"),
    "too many": (
        lambda document: document["fer:study"].update(
            published_images=1, counts={"happiness": 1, "neutral": 1}, codes={"a": "happiness", "b": "neutral"}
        ),
        "more than published_images",
    ),
    "count without a code": (
        lambda document: document["fer:study"].update(codes={"a": "fear"}, counts={"anger": 1}),
        "no code maps onto anger",
    ),
}  # fmt: skip


@pytest.fixture
def damaged(tmp_path):
    """A function that writes a changed copy of a manifest and returns its path."""

    def write(name, change):
        document = copy.deepcopy(DOCUMENTS[name])
        change(document)
        path = tmp_path / "damaged.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", [*PASSED_BY_MLCROISSANT, *DAMAGED_STUDY])
def test_damage_to_any_manifest_is_found_and_named(damaged, name, damage):
    change, said = (PASSED_BY_MLCROISSANT | DAMAGED_STUDY)[damage]
    with pytest.raises(manifests.ManifestError, match=said) as error:
        manifests.read_manifest(damaged(name, change))
    assert str(error.value).startswith("damaged.json: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", PASSED_BY_MLCROISSANT)
def test_mlcroissant_does_let_it_pass(damaged, damage):
    """If this fails, `mlcroissant` has learned the check: ours may go."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    change, _ = PASSED_BY_MLCROISSANT[damage]
    mlcroissant.Dataset(jsonld=str(damaged("cafe", change)))


@pytest.mark.parametrize("flag", ["may_publish", "may_release_model"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("london", "synthetic", "own")])
def test_no_restricted_set_can_be_opened_by_a_flag_alone(damaged, name, flag):
    with pytest.raises(manifests.ManifestError, match="open licence"):
        manifests.read_manifest(damaged(name, put(["fer:study", flag], True)))


def test_readers_may_open_their_own_set(damaged):
    assert manifests.read_manifest(damaged("own", put(["fer:study", "may_publish"], True))).study.may_publish


def test_a_code_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.json"
    path.write_text((manifests.MANIFESTS_FOLDER / "jaffe.json").read_text().replace('"DI":', '"AN":'))
    with pytest.raises(manifests.ManifestError, match="AN stands twice"):
        manifests.read_manifest(path)


def places(value, path=()):
    """Every place in a JSON value, the whole first."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        yield from places(inner, (*path, part))


@pytest.mark.parametrize("name", ["cafe"])
@pytest.mark.parametrize("wrong", [None, 0, True, "x", [], {}, [[]], [{}]], ids=repr)
def test_a_value_of_the_wrong_kind_anywhere_is_never_a_crash(damaged, name, wrong):
    said = []
    for path in [path for path in places(DOCUMENTS[name]) if path]:
        try:
            manifests.read_manifest(damaged(name, put(path, wrong)))
        except manifests.ManifestError as error:
            said.append(str(error))
    assert len(said) > 50  # what a manifest may hold anything at: terms of @context, say
    assert all(text.startswith("damaged.json: ") and "\n" not in text for text in said)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_codes_differ_in_case_alone(name):
    """Copies of a set differ in case, so readers compare without it."""
    codes = [code.lower() for code in manifests.load_manifest(name).study.codes]
    assert len(codes) == len(set(codes))
