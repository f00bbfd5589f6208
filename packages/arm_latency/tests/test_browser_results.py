"""Results of the book's page On your own device: what is taken, and everything that is refused."""

import copy
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from arm_latency.browser_results import BrowserResultError, read_browser_result
from face_sets.files import digest
from fer_utils import tables
from fer_utils.compression.exported_files import file_name
from fer_utils.paths import Paths
from fer_utils.steps.devices import add_browser_result
from fer_utils.study import load_study

RUN = "mobilenet_v3_large.all.none.float32"
CHROME = "Mozilla/5.0 (Linux; Android 9; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36"


@pytest.fixture(scope="module")
def study():
    return load_study("quick", image_size=32)


@pytest.fixture
def paths(study, tmp_path, tiny_file):
    paths = Paths.of(study, tmp_path / "results")
    table = paths.compressed("runs", "mobilenet_v3_large")
    name = file_name(RUN, 32)
    row = {"run_id": RUN, "architecture": "mobilenet_v3_large", "cohort": "all", "technique": "none",
           "precision": "float32", "status": "done", "artefact": name}  # fmt: skip
    tables.write(pd.DataFrame([row]), "runs", table)
    (table.parent / name).write_bytes(tiny_file("float32").read_bytes())
    return paths


@pytest.fixture
def result(study, paths):
    """A result as the page writes it; times in whole tenths of a millisecond, as Chrome's clock gives them."""
    times = (np.random.default_rng(0).integers(800, 1200, 50) / 10).tolist()
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
    file = paths.compressed("runs", "mobilenet_v3_large").parent / file_name(RUN, 32)
    timed = {
        "run_id": RUN, "digest": digest(file), "size_bytes": file.stat().st_size, "image_size": 32, "warm_ups": 10,
        "median_ms": median, "quartile_low_ms": low, "quartile_high_ms": high, "times_ms": times,
    }  # fmt: skip
    device = {"name": "Moto G6", "platform": "Android 9", "browser": CHROME, "processors": 8}
    return {
        "format": "fer browser measurements 1", "profile": study.name, "faces": "synthetic faces",
        "measured_at": "2026-11-22T17:20:31.668Z", "device": device, "runtime": "LiteRT.js 2.5.3",
        "instructions": "SIMD", "threads": 1, "clock_step_ms": 0.1, "models": [timed],
    }  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    def save(result):
        path = tmp_path / "result.json"
        path.write_text(result if isinstance(result, str) else json.dumps(result), encoding="utf-8")
        return path

    return save


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_result_in_any_encoding_of_unicode_is_read(study, saved, result, encoding):
    result["device"]["name"] = "Zoés Gerät"
    path = saved(result)
    path.write_bytes(json.dumps(result, ensure_ascii=False).encode(encoding))
    assert read_browser_result(path, study.name).device_name == "Zoés Gerät"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b'{"format": "\xe9"}', b"", b"\xef\xbb\xbf", b"[" * 5000]
)
def test_what_is_no_text_or_no_result_ends_in_a_sentence(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(BrowserResultError, match=r"result\.json is no (text|result of the page)"):
        read_browser_result(path)


def test_an_endless_file_is_not_read_to_its_end():
    with pytest.raises(BrowserResultError, match="no plain file"):
        read_browser_result(Path("/dev/zero"))


def test_one_model_twice_is_refused(tmp_path, result, saved):
    result["models"] *= 2
    with pytest.raises(BrowserResultError, match="no result of the page: it holds one model twice"):
        read_browser_result(saved(result))


def test_a_result_becomes_rows_of_kind_browser(study, paths, result, saved):
    (row,) = add_browser_result(study, paths, saved(result)).to_dict("records")
    times = result["models"][0]["times_ms"]
    assert row["device_kind"] == "browser"
    assert row["device"] == "Moto G6"
    assert row["backend"] == "LiteRT.js 2.5.3, SIMD, Chrome 138"
    assert (row["threads"], row["image_size"], row["runs"], row["warm_ups"]) == (1, 32, 50, 10)
    assert row["latency_ms_median"] == pytest.approx(np.median(times))
    assert row["latency_ms_p90"] == pytest.approx(np.quantile(times, 0.9))
    assert sorted(times)[15] <= row["interval_low_ms"] <= row["latency_ms_median"] <= row["interval_high_ms"]
    assert pd.isna(row["remark"])
    (table,) = set(paths.all_measurements()) - {paths.measurements}
    assert tables.read("measurements", table).to_dict("records")[0]["run_id"] == RUN


def test_the_same_again_replaces_its_rows_and_another_browser_adds_some(study, paths, result, saved):
    for _ in range(2):
        add_browser_result(study, paths, saved(result))
    result["device"]["browser"] = "Mozilla/5.0 (Android 9; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    add_browser_result(study, paths, saved(result))
    rows = tables.read("measurements", *set(paths.all_measurements()) - {paths.measurements})
    assert [backend.split(", ")[-1] for backend in rows["backend"]] == ["Chrome 138", "Firefox 140"]


def test_a_coarse_clock_is_remarked_on(study, paths, result, saved):
    result["clock_step_ms"] = 16.7
    assert "steps by 16.7 ms" in add_browser_result(study, paths, saved(result))["remark"][0]


def changed(result, where, value):
    result = copy.deepcopy(result)
    *path, last = where
    place = result
    for step in path:
        place = place[step]
    place[last] = value
    return result


MODEL = ("models", 0)


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        (("format",), "fer browser measurements 2", "format"),
        (("threads",), 4, "threads"),
        (("surprise",), 1, "surprise"),
        (("measured_at",), "yesterday", "measured_at"),
        (("clock_step_ms",), 0, "clock_step_ms"),
        (("runtime",), "something else", "runtime"),
        (("device", "name"), "<script>", "device.name"),
        (("device", "name"), "x" * 81, "device.name"),
        (("device", "name"), "  ", "device.name"),
        (("device", "name"), "a\u202eb", "device.name"),
        (("models",), [], "models"),
        ((*MODEL, "median_ms"), 1.0, "not those of its times"),
        ((*MODEL, "quartile_high_ms"), 1e3, "not those of its times"),
        ((*MODEL, "times_ms"), [100.0] * 3, "times_ms"),
        ((*MODEL, "times_ms"), ["100"] * 50, "times_ms"),
        ((*MODEL, "times_ms"), [-1.0] * 50, "times_ms"),
        ((*MODEL, "warm_ups"), 1.5, "warm_ups"),
        ((*MODEL, "digest"), "0" * 16, "not this study's"),
        ((*MODEL, "run_id"), "mobilenet_v2.all.none.float32", "not this study's"),
        ((*MODEL, "image_size"), 64, "not this study's"),
        (("profile",), "reference", "--profile"),
    ],
)  # fmt: skip
def test_what_is_no_result_of_this_study_is_refused_and_nothing_is_written(
    study, paths, result, saved, where, value, sentence
):
    with pytest.raises(BrowserResultError, match=sentence) as raised:
        add_browser_result(study, paths, saved(changed(result, where, value)))
    assert "\n" not in str(raised.value)
    assert paths.all_measurements() == [paths.measurements]


def test_times_that_the_clock_could_not_tell_from_nothing_are_refused(result, saved):
    model = {**result["models"][0], "times_ms": [0.0] * 50}
    model |= dict.fromkeys(("median_ms", "quartile_low_ms", "quartile_high_ms"), 0.0)
    with pytest.raises(BrowserResultError, match="too coarse"):
        read_browser_result(saved({**result, "models": [model]}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": NaN}', "x" * 1_000_001])
def test_other_files_are_refused_in_a_sentence(saved, text):
    with pytest.raises(
        BrowserResultError, match=r"no result of the page|more than 1,000,000 bytes"
    ) as raised:
        read_browser_result(saved(text))
    assert "\n" not in str(raised.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(BrowserResultError, match=r"absent\.json cannot be read"):
        read_browser_result(tmp_path / "absent.json")
