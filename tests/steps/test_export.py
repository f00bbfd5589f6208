"""Packs and model cards of a small synthetic study: complete, reproducible, and refused where terms forbid them."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.analysis.card_facts import card_facts
from fer_utils.compression.export import to_tflite
from fer_utils.compression.exported_files import file_name
from fer_utils.compression.golden import answers_here, compare, read_golden
from fer_utils.paths import Paths
from fer_utils.reporting import gate
from fer_utils.steps import export as step
from fer_utils.steps.export import ExportError, app_part, export
from fer_utils.study import load_study
from rendered_faces.design import Design, plan_faces
from tflite_files.metadata import describe

NETWORK = "mobilenet_v3_large"
FLOAT, INT8 = (f"{NETWORK}.all.none.{precision}" for precision in ("float32", "int8"))
SIDE = 32
OWNERS_NAME = "My {ref}`phone` [old](S9) *b* |"


@pytest.fixture(scope="module")
def study():
    return load_study(
        "quick",
        architectures=[NETWORK],
        techniques=["none"],
        image_size=SIDE,
        images_per_expression=1,
        bootstrap_draws=100,
    )


@pytest.fixture(scope="module")
def paths(study, tiny_network, striped_faces, tmp_path_factory):
    """Tables as after a run: the float file reads seven in ten faces, the int8 file never sees fear."""
    paths = Paths.of(study, tmp_path_factory.mktemp("results"))
    plan = plan_faces(Design())
    asked = (plan["dataset"] == "synthetic") & (plan["split"] == "test") & (plan["age_group"] == "child")
    of_e = plan.loc[asked & (plan["ethnicity"] == "E"), "subject_id"].unique()
    plan = plan[~plan["subject_id"].isin(of_e[4:])]  # one group is too small to be shown of licensed faces
    columns = [column for column in tables.COLUMNS["faces"] if column in plan]
    faces = plan[columns].assign(sha256="x", path="x", may_publish=True)
    faces = tables.write(faces, "faces", paths.faces)
    tables.write(tables.empty("faces"), "faces", paths.external_faces)
    tables.write(tables.empty("curves"), "curves", paths.trained("curves", NETWORK))
    for table in (paths.external_predictions, paths.external_compressed_predictions):
        tables.write(tables.empty("predictions"), "predictions", table)
    tested = faces[faces["split"] == "test"]
    about = {"architecture": NETWORK, "cohort": "all", "technique": "none", "status": "done", "seed": 1,
             "image_size": SIDE, "parameters": 7, "initial_weights": "random"}  # fmt: skip
    runs, answers = [], []
    for run_id, precision in ((FLOAT, "float32"), (INT8, "int8")):
        path = paths.compressed("runs", NETWORK).parent / file_name(run_id, SIDE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(describe(to_tflite(tiny_network, precision, striped_faces[0]), run_id, "x"))
        runs.append({**about, "run_id": run_id, "parent_run_id": f"{NETWORK}.all", "precision": precision,
                     "artefact": path.name})  # fmt: skip
        answers.append(predictions(tested, run_id, precision))
    trained = {**about, "run_id": f"{NETWORK}.all", "precision": "float32", "artefact": "x.h5"}
    tables.write(pd.DataFrame([trained]), "runs", paths.trained("runs", NETWORK))
    tables.write(
        predictions(tested, f"{NETWORK}.all", "float32"), "predictions", paths.trained("predictions", NETWORK)
    )
    tables.write(pd.DataFrame(runs), "runs", paths.compressed("runs", NETWORK))
    tables.write(pd.concat(answers), "predictions", paths.compressed("predictions", NETWORK))
    tables.write(measured(), "measurements", paths.measurements)
    return paths


def predictions(faces, run_id, precision):
    truth = pd.Categorical(faces["expression"], categories=list(EXPRESSIONS)).codes.astype(int)
    generator = np.random.default_rng(0)
    said = np.where(generator.random(len(truth)) < 0.7, truth, (truth + 1) % 7)
    if precision == "int8":
        said = np.where(said == EXPRESSIONS.index("fear"), EXPRESSIONS.index("surprise"), said)
    probabilities = np.full((len(truth), 7), 0.05, dtype=np.float32)
    probabilities[np.arange(len(truth)), said] = 0.7
    frame = pd.DataFrame(probabilities, columns=list(PROBABILITY_COLUMNS))
    return frame.assign(run_id=run_id, face_id=faces["face_id"].to_numpy())


def measured():
    row = {"run_id": FLOAT, "image_size": 224, "threads": 1, "latency_ms_median": 12.34}
    return pd.DataFrame(
        [
            {**row, "device": "this machine", "device_kind": "host", "backend": "x"},
            {**row, "device": "Moto G6", "device_kind": "predicted", "backend": "y", "interval_low_ms": 10.0,
             "interval_high_ms": 20.0},
            {**row, "run_id": "another", "device": "elsewhere", "device_kind": "host", "backend": "x"},
            {**row, "device": OWNERS_NAME, "device_kind": "browser", "backend": "x"},
            {**row, "device": "timed an earlier file", "device_kind": "phone", "backend": "x", "file_digest": "0" * 16},
        ]
    )  # fmt: skip


def test_a_card_shows_a_devices_name_as_it_is_and_no_time_of_an_earlier_file(packed):
    with zipfile.ZipFile(next(path for path in packed if "float32" in path.name)) as archive:
        text = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("README.md"))
    page = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(text), "html.parser")
    assert OWNERS_NAME in [cell.text for cell in page.select("td")]
    assert "earlier file" not in page.text


@pytest.fixture(scope="module")
def facts():
    """The facts that the cards in the packs show, by run."""
    return {}


@pytest.fixture(scope="module")
def packed(study, paths, facts, tmp_path_factory):
    """Both packs."""

    def keep(known, run_id, dataset):
        facts[run_id] = card_facts(known, run_id, dataset)
        return facts[run_id]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "card_facts", keep)
        return export(study, paths, [], tmp_path_factory.mktemp("packs"))


def test_the_best_models_are_packed_with_all_that_a_port_needs(packed):
    assert [path.name for path in packed] == [f"{run}.{SIDE}.zip" for run in (FLOAT, INT8)]
    for path in packed:
        with zipfile.ZipFile(path) as archive:
            assert set(archive.namelist()) == {
                f"{path.stem}.tflite", "labels.txt", "golden.json", "golden_face.rgb", "golden_face.png", "README.md",
                "LICENSE",
            }  # fmt: skip
            assert archive.read("labels.txt").decode().split() == list(EXPRESSIONS)
            assert archive.read("LICENSE") == (PROJECT_FOLDER / "LICENSE").read_bytes()


def test_an_unpacked_pack_checks_itself(packed, paths, tmp_path):
    with zipfile.ZipFile(packed[1]) as archive:
        archive.extractall(tmp_path)
    file = tmp_path / f"{INT8}.{SIDE}.tflite"
    assert file.read_bytes() == (paths.compressed("runs", NETWORK).parent / file.name).read_bytes()
    golden = read_golden(tmp_path)
    (found,) = compare(golden, answers_here(tmp_path, golden))
    assert found.agrees


def test_the_same_run_gives_the_same_bytes(study, paths, packed, tmp_path):
    again = export(study, paths, [FLOAT, INT8], tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in packed]


def test_a_run_that_is_not_there_is_refused_and_nothing_is_written(study, paths, tmp_path):
    with pytest.raises(ExportError, match="no exported file 'nobody' is here; there are"):
        export(study, paths, [FLOAT, "nobody"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_has_exported_nothing_says_what_to_do(study, tmp_path):
    with pytest.raises(ExportError, match="run `make book`"):
        export(study, Paths.of(study, tmp_path), [], tmp_path / "packs")


@pytest.fixture
def facts_kept(packed, facts, monkeypatch):
    """Show on the pages the facts that the packs show: to compare groups takes half a second a run."""
    monkeypatch.setattr(step, "card_facts", lambda _, run_id, __: facts[run_id])


@pytest.fixture
def restricted(monkeypatch):
    """As if the study had trained on a set whose terms forbid release."""
    monkeypatch.setattr(step, "forbidding_sets", lambda study: ["kdef"])


def test_a_model_of_restricted_faces_is_not_packed(study, paths, restricted, tmp_path):
    with pytest.raises(ExportError, match=r"terms do not allow .* kdef; nothing was packed"):
        export(study, paths, [FLOAT], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_restricted_faces_has_a_card_that_says_so_and_nothing_is_served(
    study, paths, restricted, facts_kept
):
    pages, served = app_part(study, paths)
    assert served == {}
    assert "Not available here" in pages["app_packs"]
    assert "Must not be given away" in pages["model_cards"]
    assert "kdef" in pages["model_cards"]
    assert ".zip" not in "".join(pages.values())


def test_sets_that_only_test_do_not_forbid_and_one_that_trains_does():
    licensed = load_study("licensed")
    assert "cafe" in licensed.sets
    assert "cafe" not in gate.forbidding_sets(licensed)
    assert "kdef" in gate.forbidding_sets(licensed)
    assert gate.forbidding_sets(load_study("quick")) == []


def test_the_licensed_study_is_refused_before_anything_is_read(tmp_path):
    licensed = load_study("licensed")
    with pytest.raises(ExportError, match="nothing was packed"):
        export(licensed, Paths.of(licensed, tmp_path), [], tmp_path)


@pytest.fixture(scope="module")
def cards(packed):
    """The content of each card: the front matter and the text, by run id."""
    found = {}
    for path in packed:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            text = archive.read("README.md").decode().replace("\N{NO-BREAK SPACE}", " ")
        empty, front, body = text.split("---\n", 2)
        assert empty == ""
        found[path.name.removesuffix(f".{SIDE}.zip")] = (yaml.safe_load(front), body)
    return found


DOCUMENTED = {
    "language", "license", "license_name", "license_link", "library_name", "pipeline_tag", "tags", "datasets",
    "metrics", "base_model", "model-index",
}  # fmt: skip
"""Of https://github.com/huggingface/hub-docs/blob/main/modelcard.md, and `pipeline_tag` of its model cards page."""


def test_the_front_is_as_hugging_face_documents_it(cards):
    for run_id, (front, _) in cards.items():
        assert set(front) <= DOCUMENTED
        assert front["license"] == "apache-2.0"
        (index,) = front["model-index"]
        assert index["name"] == run_id
        (result,) = index["results"]
        assert set(result) == {"task", "dataset", "metrics"}
        assert result["task"]["type"]
        assert result["dataset"]["type"]
        assert "synthetic" in result["dataset"]["name"]
        assert all(
            isinstance(metric["value"], float) and metric["type"] in front["metrics"]
            for metric in result["metrics"]
        )


def test_the_card_says_first_that_faces_are_synthetic_and_that_nothing_is_diagnosed(cards):
    for front, body in cards.values():
        assert "(synthetic faces)" in body.splitlines()[1]
        assert "synthetic faces alone" in body
        assert "not a diagnosis" in body
        assert "a posed expression is not a felt emotion" in body
        assert "synthetic-faces" in front["tags"]


def test_figures_are_those_of_the_tables(cards, paths, study):
    faces = tables.read("faces", paths.faces)
    children = faces[
        (faces["split"] == "test") & (faces["age_group"] == "child") & (faces["dataset"] == "synthetic")
    ]
    answers = tables.read("predictions", paths.compressed("predictions", NETWORK))
    for run_id, (front, body) in cards.items():
        rows = answers[answers["run_id"] == run_id].merge(children, on="face_id")
        named = np.array(EXPRESSIONS)[rows[list(PROBABILITY_COLUMNS)].to_numpy().argmax(1)]
        right = named == rows["expression"].astype(str)
        metrics = {m["name"]: m["value"] for m in front["model-index"][0]["results"][0]["metrics"]}
        assert metrics["accuracy"] == pytest.approx(right.mean(), abs=1e-4)
        assert f"accuracy {100 * right.mean():.1f} %" in body
        for expression in EXPRESSIONS:
            shown = (rows["expression"] == expression).to_numpy()
            assert metrics[f"recall of {expression}"] == pytest.approx(right[shown].mean(), abs=1e-4)


def test_poor_results_are_reported_as_poor(cards):
    assert "Worst expression: fear, recall 0.0 %" in cards[INT8][1]
    assert "Worst expression: fear" not in cards[FLOAT][1]
    against = re.search(r"Against its float32 file on the same faces: (-[\d.]+) points", cards[INT8][1])
    assert float(against[1]) < -5


def test_times_have_their_kind_and_those_of_another_run_are_left_out(cards):
    body = cards[FLOAT][1]
    assert "| host | this machine | 1 | 224 | 12.3 ms |" in body
    assert "| predicted | Moto G6 | 1 | 224 | 12.3 ms (10 to 20) |" in body
    assert "elsewhere" not in body


def test_small_groups_of_licensed_faces_are_not_shown(study, paths, monkeypatch):
    assert "| — | — | yes |" not in step.model_cards(study, paths, [FLOAT])[0].readme()
    licensed = study.model_copy(update={"face_source": "licensed"})
    monkeypatch.setattr(type(study), "test_set", "synthetic")
    monkeypatch.setattr(gate, "_guarded", {"licensed"})
    hidden = step.model_cards(licensed, paths, [FLOAT])[0].readme()
    rows = [line for line in hidden.splitlines() if line.endswith("| yes |")]
    assert rows
    assert all(line.endswith("| — | — | — | — | yes |") for line in rows)
    assert "licensed photographs" in hidden


def test_the_pages_link_to_what_is_served(study, paths, facts_kept):
    pages, served = app_part(study, paths)
    links = {a["href"] for a in BeautifulSoup(pages["app_packs"], "html.parser").find_all("a")}
    assert {f"../{place.as_posix()}" for place in served} == {
        link for link in links if link.startswith("../")
    }
    assert all(Path(path).is_file() for path in served.values())
    anchors = {link.partition("#")[2] for link in links if "#" in link}
    assert anchors == set(re.findall(r"^\((card-[a-z0-9-]+)\)=$", pages["model_cards"], re.MULTILINE))
    asked = (PROJECT_FOLDER / "book" / "for_app_developers.md").read_text(encoding="utf-8")
    assert {f"app_{name}" for name in re.findall(r"\{include\} stages/app_(\w+)\.md", asked)} | {
        "model_cards"
    } == set(pages)


def test_without_models_the_pages_say_so(study, tmp_path):
    paths = Paths.of(study, tmp_path)
    pages, served = app_part(study, paths)
    assert served == {}
    assert all("Not available here" in text for text in pages.values())
