"""The pages on published numbers and on validation: what they show, also of photographs, and that it repeats."""

import ast
import json
import re
from itertools import product

import numpy as np
import pandas as pd
import pytest

from expression_scores.experiments import Kind, rates
from expression_scores.printed_scores import numerators
from face_sets.expressions import PROBABILITY_COLUMNS
from face_sets.folders import RESULTS_VARIABLE
from fer_utils import tables
from fer_utils.paths import Paths
from fer_utils.reporting import numbers, released
from fer_utils.simulation import scenarios as runs
from fer_utils.simulation.scenarios import scenarios
from fer_utils.stages import IN_WORKFLOW, notebook_source
from fer_utils.study import load_study


def run_notebook(stage, results, profile="quick"):
    """Run a notebook's cells in this process and return what it glued and showed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(IN_WORKFLOW, "1")
        patch.setenv(RESULTS_VARIABLE, str(results))
        patch.setattr(numbers, "_glued", {})
        names, shown = {}, []
        for cell in json.loads(notebook_source(stage).read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                statements = ast.parse("".join(cell["source"])).body
                last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
                exec(compile(ast.Module(statements, []), stage, "exec"), names)
                if "parameters" in cell["metadata"].get("tags", []):
                    names["profile"] = profile
                if last:
                    shown.append(eval(compile(ast.Expression(last.value), stage, "eval"), names))
        return dict(numbers._glued), "\n".join(getattr(output, "data", None) or "" for output in shown)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a notebook on results of the test's own."""
    return lambda stage, profile="quick": run_notebook(stage, tmp_path, profile)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Where the page on published numbers is run for all tests."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def published(results):
    """What the page on published numbers glued and showed."""
    return run_notebook("07_published_numbers", results)


@pytest.fixture
def photographs(monkeypatch, tmp_path):
    """Empty results of a study on photographs."""
    paths = Paths.of(load_study("licensed"), tmp_path)
    for path in (paths.faces, *paths.all_trained("runs"), *paths.all_trained("predictions")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.setattr(tables, "read", lambda name, *_: tables.empty(name))
    return paths


def rates_of(chosen, share, repeats=1000):
    """Return rates of scenarios as if each question had been answered by yes in this share of the repeats."""
    answers = np.arange(repeats) < repeats * share
    found = [rates(s, pd.DataFrame({words: answers for words, _ in s.questions})) for s in chosen]
    return pd.concat(found, ignore_index=True)


def test_published_numbers_are_shown_as_printed_and_nothing_is_missing(published):
    glued, shown = published
    text = shown + " ".join(
        f"{value:.2f}" if isinstance(value, float) else str(value) for value in glued.values()
    )
    for number in ("65.78", "60.57", "53.36", "66.9", "56.0", "11.56", "13.91", "26.62", "1,192"):
        assert number in text, number
    assert re.findall(r"\b(?:nan|NaN|inf|None|<NA>|nat)\b", re.sub(r"<[^>]+>", " ", text)) == []


def test_two_of_three_accuracies_are_fractions_of_cafe_and_the_best_is_not(published):
    glued, shown = published
    assert (glued["accuracies"], glued["hits"], glued["missing"]) == (3, 2, "65.78 %")
    assert ("722 of 1,192" in shown, "636 of 1,192" in shown, shown.count(">none<")) == (True, True, 2)
    assert not numerators(65.78, 1192)


def test_a_mean_of_few_runs_does_not_print_so_either(published):
    runs = published[0]["runs"]
    assert numerators(65.78, runs * 1192)
    assert not any(numerators(65.78, n * 1192) for n in range(1, runs))


def test_published_numbers_repeat_to_the_byte(published, results, tmp_path):
    assert run_notebook("07_published_numbers", tmp_path) == published
    files = [
        Paths.of(load_study("quick"), folder).figures("07_published_numbers")
        for folder in (results, tmp_path)
    ]
    contents = [{path.name: path.read_bytes() for path in sorted(folder.iterdir())} for folder in files]
    assert len(contents[0]) == 6
    assert contents[0] == contents[1]


def test_with_photographs_validation_says_what_is_missing_and_shows_the_shipped_study(run, photographs):
    glued, shown = run("08_validation", "licensed")
    assert shown.count("Not available here") == 5
    assert (glued["version"], glued["repeats"], glued["untold"]) == ("in full", 2000, 0)


def test_once_an_analysis_has_changed_the_study_runs_in_short(run, photographs, monkeypatch):
    some = [scenario for scenario in scenarios() if not scenario.in_full_only]
    monkeypatch.setattr(runs, "own_code_digest", lambda *modules: "0123456789abcdef")
    monkeypatch.setattr(runs, "in_short", lambda seed: rates_of(some, 0.2, repeats=50))
    glued, _ = run("08_validation", "licensed")
    assert (glued["version"], glued["repeats"]) == ("in short", 50)
    assert "two networks equally accurate, paired interval excludes zero" in glued["which"]
    assert 0 < glued["beyond"] <= glued["limits"]


def test_every_question_is_shown_on_the_page(run, photographs, monkeypatch):
    found = rates_of(scenarios(), 0.02)
    monkeypatch.setattr(runs, "read_full", lambda: found)
    glued, shown = run("08_validation", "licensed")
    assert glued["beyond"] == (found["kind"] == Kind.COVERAGE).sum()
    in_figure = pd.read_csv(photographs.figures("08_validation") / "validation-false-positives.csv")
    for row in found.to_dict("records"):
        drawn = ((in_figure["question"] == row["question"]) & (in_figure["truth"] == row["truth"])).any()
        assert drawn or row["question"].replace("'", "&#x27;") in shown


@pytest.mark.results
def test_the_quick_run_shows_what_was_planted():
    """The built-in negative control: the same pictures in both sets get the same answers from every network."""
    study = load_study("quick")
    data = pd.read_csv(Paths.of(study).figures("08_validation") / "validation-planted.csv")
    same = data[data["series"].str.startswith("the other groups")]
    assert len(same) == len(study.architectures)
    assert (same["difference"] == 0).all()
    assert (same["high"] < 0.02).all()
    assert (data.loc[data["series"].str.startswith("group E"), "difference"] < 0).all()
    ahead = data[data["series"].str.startswith("children's copy")]
    assert (ahead["difference"] > 0).sum() > len(ahead) / 2


@pytest.fixture
def made_up_release(monkeypatch, tmp_path):
    """A released model and its ladder on made-up answers: one rung reads everybody, the other names neutral always."""
    folder = tmp_path / "reference"
    folder.mkdir()
    monkeypatch.setattr(released, "FOLDER", folder)
    (folder / "m.tflite").write_bytes(b"a model")
    rows = []
    for rung, person, expression in product(
        ("rendered, all layers", "released, int8 file"), range(10), ("neutral", "happiness")
    ):
        named = expression if rung.startswith("released") else "neutral"
        face = {"face_id": f"{person}-{expression}", "dataset": "london", "subject_id": str(person)}
        face |= {"expression": expression, "sex": ("female", "male")[person % 2], "rung": rung, "seed": 1}
        rows.append(face | dict.fromkeys(PROBABILITY_COLUMNS, 0.1) | {f"p_{named}": 0.4})
    row = {"rung": "rendered, all layers", "seed": 1, "image_size": 128, "training_faces": 10}
    files = {"mobilenet_v2.released.none.int8": folder / "m.tflite"}
    released.write(folder, row, files, pd.DataFrame([row]), pd.DataFrame(rows))


def test_the_page_on_real_faces_shows_poor_rungs_and_missed_aims(run, made_up_release):
    glued, shown = run("09_real_faces")
    assert (glued["persons"], glued["photographs"], glued["seeds"]) == (10, 20, 1)
    assert (glued["aims"], glued["reached"]) == (7, 5)  # the rendered rung misses both of its aims
    assert "rendered, all layers" in shown
    assert "no" in re.findall(r">(yes|no)<", shown)
    assert glued["trained_on"] == released.TRAINED_ON
