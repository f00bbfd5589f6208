"""Every notebook and computed page on a finished run whose data are degenerate: a sentence, never a traceback or a NaN."""

import ast
import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from face_sets.expressions import EXPRESSIONS, PROBABILITY_COLUMNS
from face_sets.folders import RESULTS_VARIABLE
from fer_utils import tables
from fer_utils.book import computed_pages
from fer_utils.paths import Paths
from fer_utils.reporting import numbers
from fer_utils.reporting.device_page import device_page
from fer_utils.stages import IN_WORKFLOW, notebook_source
from fer_utils.steps.export import app_part
from fer_utils.study import load_study

pytestmark = [pytest.mark.results, pytest.mark.slow, pytest.mark.timeout(900)]

CHANGES = {"bootstrap_draws": 100}
STAGES = (
    "01_data", "02_architectures", "03_cohorts", "04_compression", "05_moto_g6_profiling", "06_ethnicity_analysis",
    "08_validation",
)  # fmt: skip
NOT_COPIED = ("notebooks", "logs", "records", "packs")
REPLACED_AS_A_WHOLE = (
    ".png",
    ".jpg",
    ".h5",
    ".tflite",
    ".parquet",
)  # never written in place, so a link is a copy
NOTHING = re.compile(r"\b(?:nan|NaN|inf|NaT)\b|<NA>|>None<")
IS_SHOWN = re.compile(r"<style.*?</style>|<script.*?</script>|<[^>]+>", re.DOTALL)


def answering(predictions, faces, answer):
    """The predictions with all probability on `answer(rows)`, places of expressions; rows join the faces' columns."""
    rows = predictions[["run_id", "face_id"]].merge(faces, on="face_id", how="left")
    shown = rows["expression"].map({name: place for place, name in enumerate(EXPRESSIONS)}).astype(int)
    certain = np.eye(len(EXPRESSIONS), dtype=np.float32)[answer(rows, shown.to_numpy())]
    return predictions.assign(**dict(zip(PROBABILITY_COLUMNS, certain.T, strict=True)))


def always_right(rows, shown):
    return shown


def never_right(rows, shown):
    return (shown + 1) % len(EXPRESSIONS)


def always_the_same(rows, shown):
    return np.full(len(rows), EXPRESSIONS.index("happiness"))


def one_network_always_right(rows, shown):
    return np.where(rows["run_id"].str.startswith("mobilenet_v2."), shown, (shown + 3) % len(EXPRESSIONS))


def one_group_all_right(rows, shown):
    return np.where(rows["ethnicity"].eq("A").fillna(False), shown, (shown + 1) % len(EXPRESSIONS))


ANSWERS = (always_right, never_right, always_the_same, one_network_always_right, one_group_all_right)


def undecided(predictions, faces):
    return predictions.assign(**dict.fromkeys(PROBABILITY_COLUMNS, np.float32(1 / 7)))


def no_file_loses(paths):
    """As if no int8 file had lost accuracy beyond chance, and no network had a hard-swish."""
    for kind, table in {
        "layer_errors": "layer_errors",
        "runs": "variant_runs",
        "predictions": "variant_predictions",
    }.items():
        for place in paths.all_compressed(table):
            tables.write(tables.empty(kind), kind, place)


def one_child_a_group(faces, tested):
    first = faces[tested].groupby(["dataset", "ethnicity"], observed=True)["subject_id"].transform("first")
    return faces[~tested | (faces["subject_id"] == first.reindex(faces.index))]


def a_group_of_one(faces, tested):
    theirs = tested & faces["ethnicity"].eq("A").fillna(False)
    first = faces[theirs].groupby("dataset", observed=True)["subject_id"].transform("first")
    return faces[~theirs | (faces["subject_id"] == first.reindex(faces.index))]


def one_group(faces, tested):
    return faces[~tested | faces["ethnicity"].eq("A").fillna(False)]


def one_child(faces, tested):
    first = faces[tested].groupby("dataset", observed=True)["subject_id"].transform("first")
    return faces[~tested | (faces["subject_id"] == first.reindex(faces.index))]


def one_photograph_a_child(faces, tested):
    return faces[~tested | ~faces.duplicated(["dataset", "subject_id"])]


def no_anger(faces, tested):
    return faces[~tested | (faces["expression"] != "anger")]


def happiness_alone(faces, tested):
    return faces[~tested | (faces["expression"] == "happiness")]


def nothing_known(faces, tested):
    return faces.assign(ethnicity=pd.NA, sex=pd.NA, age_years=pd.NA, mouth=pd.NA, skin_tone=pd.NA)


FACES = (
    one_child_a_group, a_group_of_one, one_group, one_child, one_photograph_a_child, no_anger, happiness_alone,
    nothing_known,
)  # fmt: skip
CASES = {case.__name__: case for case in (*ANSWERS, undecided, no_file_loses, *FACES)}


def copied(place, target):
    (os.link if place.endswith(REPLACED_AS_A_WHOLE) else shutil.copy)(place, target)


@pytest.fixture(scope="module", params=CASES)
def degenerate(request, tmp_path_factory):
    """The study and paths of a copy of the finished quick run with degenerate data."""
    study = load_study("quick", **CHANGES)
    source, paths = Paths.of(load_study("quick")), Paths.of(study, tmp_path_factory.mktemp("results"))
    shutil.copytree(source.root, paths.root, copy_function=copied, ignore=shutil.ignore_patterns(*NOT_COPIED))
    case = CASES[request.param]
    all_faces = []
    for place in (paths.faces, paths.external_faces):
        faces = tables.read("faces", place)
        if case in FACES:
            children = (faces["split"] == "test") & (faces["age_group"] == "child")
            tested = children | (faces["split"] == "external")
            faces = tables.write(case(faces, tested), "faces", place)
        all_faces.append(faces)
    if case is no_file_loses:
        case(paths)
    known = pd.concat(all_faces).drop_duplicates("face_id")
    for place in paths.root.rglob("*.parquet"):
        if place.stem.endswith("predictions"):
            predictions = tables.read("predictions", place)
            predictions = predictions[predictions["face_id"].isin(known["face_id"])].reset_index(drop=True)
            if case in ANSWERS:
                predictions = answering(predictions, known, case)
            elif case is undecided:
                predictions = undecided(predictions, known)
            tables.write(predictions, "predictions", place)
    few_shot = tables.read("few_shot", paths.few_shot)
    tables.write(few_shot[few_shot["face_id"].isin(known["face_id"])], "few_shot", paths.few_shot)
    return study, paths


def run_cells(stage, paths):
    """Run a notebook's cells in this process; return all that it glued and showed, as text."""
    names, shown = {}, []
    names["display"] = shown.append
    for cell in json.loads(notebook_source(stage).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        statements = ast.parse("".join(cell["source"])).body
        last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
        exec(compile(ast.Module(statements, []), stage, "exec"), names)
        if "parameters" in cell["metadata"].get("tags", []):
            names.update(CHANGES)
        if last:
            shown.append(eval(compile(ast.Expression(last.value), stage, "eval"), names))
    return [str(value) for value in numbers._glued.values()], [
        getattr(each, "data", None) or "" for each in shown
    ]


def no_nothing(texts):
    for text in texts:
        plain = IS_SHOWN.sub(" ", text)
        assert not (found := NOTHING.search(plain)), plain[max(0, found.start() - 200) : found.end() + 50]


def intervals_have_width(folder):
    for path in folder.rglob("*.csv"):
        table = pd.read_csv(path)
        for low, high in (("low", "high"), ("accuracy_low", "accuracy_high"), ("true_low", "true_high")):
            if {low, high} <= set(table):
                ends = table[[low, high]].dropna()
                assert (ends[low] < ends[high]).all(), (path.name, ends[ends[low] >= ends[high]])


@pytest.mark.parametrize("stage", STAGES)
def test_a_notebook_bears_degenerate_data(degenerate, stage, monkeypatch):
    _, paths = degenerate
    monkeypatch.setenv(IN_WORKFLOW, "1")
    monkeypatch.setenv(RESULTS_VARIABLE, str(paths.results))
    monkeypatch.setattr(numbers, "_glued", {})
    glued, shown = run_cells(stage, paths)
    no_nothing([*glued, *shown])
    intervals_have_width(paths.figures(stage))


def test_the_computed_pages_bear_degenerate_data(degenerate, monkeypatch):
    study, paths = degenerate
    monkeypatch.setenv(RESULTS_VARIABLE, str(paths.results))
    pages = [
        *computed_pages(study, paths).values(),
        *app_part(study, paths)[0].values(),
        device_page(study, paths).text,
    ]
    no_nothing(pages)
