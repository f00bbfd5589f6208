"""The generated part of the page On your own device."""

import json
import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from arm_latency.litert_js import SERVED
from face_sets import detection
from face_sets.expressions import EXPRESSIONS
from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.compression.exported_files import file_name
from fer_utils.paths import Paths
from fer_utils.reporting import device_page as module
from fer_utils.reporting.device_page import device_page
from fer_utils.reporting.gate import forbidding_sets
from fer_utils.reporting.released import Released
from fer_utils.study import load_study


@pytest.fixture
def paths(tmp_path):
    """A study that has exported every technique of two networks; the int8 export of one failed."""
    paths = Paths.of(load_study("quick"), tmp_path / "results")
    for network in ("mobilenet_v3_large", "mobilenet_v3_small"):
        table = paths.compressed("runs", network)
        rows = []
        for technique in ("none", "pruning"):
            for precision in ("float32", "int8"):
                run_id = f"{network}.all.{technique}.{precision}"
                made = network != "mobilenet_v3_small" or precision != "int8"
                rows.append(
                    {"run_id": run_id, "architecture": network, "cohort": "all", "technique": technique,
                     "precision": precision, "status": "done" if made else "failed",
                     "artefact": file_name(run_id, 64) if made else None}
                )  # fmt: skip
                if made:
                    table.parent.mkdir(parents=True, exist_ok=True)
                    (table.parent / file_name(run_id, 64)).write_text(run_id)
        tables.write(pd.DataFrame(rows), "runs", table)
    tables.write(tables.empty("faces"), "faces", paths.external_faces)
    tables.write(tables.empty("predictions"), "predictions", paths.external_compressed_predictions)
    return paths


@pytest.fixture
def runtime(monkeypatch, tmp_path):
    files = {name: tmp_path / name for name in SERVED}
    monkeypatch.setattr(module, "litert_js_files", lambda: files)
    return files


@pytest.fixture(autouse=True)
def book(monkeypatch, tmp_path):
    """A model released with the book; returns what takes it away."""
    file, run_id = tmp_path / "mobilenet_v2.released.none.int8.128.tflite", "mobilenet_v2.released.none.int8"
    file.write_text("released")
    record = {"neutral": [4, 5], "happiness": [3, 5]}
    found = Released("rendered, all layers", 128, "rendered faces", "c0de", {run_id: file}, {run_id: record})
    monkeypatch.setattr(module, "released", lambda: found)
    return lambda: monkeypatch.setattr(module, "released", lambda: None)


def data_of(text):
    return json.loads(BeautifulSoup(text, "html.parser").select_one("script#device-data").string)


def test_the_page_offers_the_best_network_twice_and_the_smallest(paths, runtime):
    page = device_page(paths.study, paths)
    data = data_of(page.text)
    labels = [model["label"] for model in data["models"]]
    assert labels[0] == "MobileNetV2, int8, released with the book"
    assert [model["ofThisRun"] for model in data["models"]] == [False, True, True, True]
    assert sorted(labels[1:]) == [
        "MobileNetV3-Large, float32",
        "MobileNetV3-Large, int8",
        "MobileNetV3-Small, float32",
    ]
    sizes = [model["bytes"] for model in data["models"][1:]]
    assert sizes == sorted(sizes), "the smallest comes first"
    served = {str(place): path for place, path in page.files.items()}
    for model in data["models"]:
        assert served[f"device/models/{model['file']}.gzip"].stat().st_size == model["bytes"]
    assert served[f"device/models/{data['detector']['file']}.gzip"].stat().st_size > 200_000
    assert {f"device/litert/{name}" for name in SERVED} <= set(served)


def test_it_says_what_the_models_were_trained_on_and_by_which_run(paths, runtime):
    page = device_page(paths.study, paths)
    text = BeautifulSoup(page.text, "html.parser").text
    assert "trained on synthetic faces by the profile quick" in text
    assert "Source: profile quick, synthetic faces" in text
    assert [model["imageSize"] for model in data_of(page.text)["models"]] == [
        128,
        *[paths.study.image_size] * 3,
    ]


def test_without_a_released_model_the_page_has_the_runs_own(paths, runtime, book):
    book()
    page = device_page(paths.study, paths)
    assert all(model["ofThisRun"] for model in data_of(page.text)["models"])
    assert "released" not in page.text


def test_the_released_model_is_shown_where_the_run_has_none_of_its_own(paths, runtime):
    page = device_page(paths.study, Paths.of(paths.study, paths.results / "none"))
    (model,) = data_of(page.text)["models"]
    assert (model["ofThisRun"], model["record"]) == (False, {"neutral": [4, 5], "happiness": [3, 5]})
    assert "by the profile" not in BeautifulSoup(page.text, "html.parser").find("p").text


def test_each_model_has_its_record_on_real_adults_and_none_without_photographs(paths, runtime):
    models = data_of(device_page(paths.study, paths).text)["models"]
    assert [model["record"] for model in models if model["ofThisRun"]] == [None] * 3
    shown = ["neutral", "neutral", "happiness", "happiness"]
    faces = pd.DataFrame(
        {"face_id": list("abcd"), "dataset": "london", "subject_id": list("1212"), "expression": shown}
    )
    filled = {name: None for name in tables.COLUMNS["faces"] if name not in faces}
    faces = faces.assign(
        **{
            **filled,
            "split": "external",
            "age_group": "adult",
            "path": "x",
            "sha256": "x",
            "may_publish": False,
        }
    )
    tables.write(faces, "faces", paths.external_faces)
    named = ("neutral", "neutral", "happiness", "sadness")
    rows = [
        {"run_id": "mobilenet_v3_large.all.none.int8", "face_id": face}
        | {f"p_{each}": float(each == answer) for each in EXPRESSIONS}
        for face, answer in zip("abcd", named, strict=True)
    ]
    tables.write(pd.DataFrame(rows), "predictions", paths.external_compressed_predictions)
    records = {m["runId"]: m["record"] for m in data_of(device_page(paths.study, paths).text)["models"]}
    assert records["mobilenet_v3_large.all.none.int8"] == {"neutral": [2, 2], "happiness": [1, 2]}


def test_rule_and_expressions_are_those_of_the_training_code(paths, runtime):
    data = data_of(device_page(paths.study, paths).text)
    assert data["expressions"] == list(EXPRESSIONS)
    assert data["crop"]["margin"] == detection.MARGIN
    assert dict(data["detector"]["anchorsACell"]) == detection.ANCHORS_A_CELL


def test_what_is_missing_is_said_and_nothing_is_served(paths, runtime, monkeypatch, book):
    book()
    elsewhere = Paths.of(paths.study, paths.results / "none")
    monkeypatch.setattr(module, "litert_js_files", dict)
    for where, sentence in ((paths, "arm_latency.litert_js"), (elsewhere, "exported none")):
        page = device_page(paths.study, where)
        assert "Not available here" in page.text
        assert sentence in page.text
        assert page.files == {}


def test_models_of_restricted_faces_are_not_released(paths, runtime, book):
    licensed = load_study("licensed")
    assert forbidding_sets(licensed)
    page = device_page(licensed, Paths(paths.root, licensed))
    assert [model["ofThisRun"] for model in data_of(page.text)["models"]] == [False]
    book()
    page = device_page(licensed, Paths(paths.root, licensed))
    assert "do not allow the release" in page.text
    assert page.files == {}


def test_the_page_has_every_element_that_its_modules_ask_for():
    page = (PROJECT_FOLDER / "book" / "your_device.md").read_text(encoding="utf-8")
    asked = set()
    for script in (PROJECT_FOLDER / "book" / "_root" / "device").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        asked |= set(re.findall(r"(?:byId|getElementById)\(\"([\w-]+)\"\)", text))
    assert asked - {"device-data"} <= set(re.findall(r'id="([\w-]+)"', page))


def test_both_ends_agree_on_the_name_of_the_results_format():
    from arm_latency.browser_results import FORMAT

    script = PROJECT_FOLDER / "book" / "_root" / "device" / "measuring.js"
    assert f'FORMAT = "{FORMAT}"' in script.read_text(encoding="utf-8")
