"""The licensed study as a holder of licences does it, from owners' folders to the book and back, on synthetic sets."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from made_up import write_face, write_text
from project_copy import copy_sources, python_path

from expression_scores.groups import FEWEST_SUBJECTS
from face_sets.expressions import EXPRESSIONS
from face_sets.folders import PROJECT_FOLDER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OVERRIDES = {
    "architectures": ["mobilenet_v3_small"], "techniques": ["none"], "precisions": ["float32", "int8"],
    "image_size": 64, "initial_weights": "random", "further_seeds": [],
    "cohorts": ["children", "adults", "known_adults", "all"], "batch_size": 16, "augmentation": 0.0, "epochs": 5,
    # the recipe is for ImageNet's features and many faces: few made-up ones are learned as the quick profile does
    "head_epochs": 0, "warm_up_epochs": 0, "learning_rate": 1e-3, "label_smoothing": 0.0, "weight_decay": 0.0,
    "balanced_sampling": False, "chosen_epoch": "last",
    "bootstrap_draws": 500,
}  # fmt: skip  # as the profile quick learns
CODES = ("NE", "AF", "HA", "SA", "SU", "AN", "DI")  # KDEF's, in the order of EXPRESSIONS
WORDS = ("neutral", "fearful", "happy", "sad", "surprise", "angry", "disgust")  # CAFE's
NAMES = ("Neutral", "Afraid", "Happy", "Sad", "Surprised", "Angry", "Disgusted")  # of the Dartmouth set
GROUPS = ("AA", "AS", "EA", "LA", "SA")


def write_cafe(folder):
    """Six children of each group, each expression once."""
    for group in GROUPS:
        for child in range(6):
            person = 7000 + 10 * GROUPS.index(group) + child
            for number, (word, expression) in enumerate(zip(WORDS, EXPRESSIONS, strict=True)):
                name = f"{person}{number}-{word}_{'FM'[child % 2]}-{group}-{child:02}.jpg"
                write_face(folder / "sessions" / name, person, 120, expression=expression, age=6.0)


def write_kdef(folder, persons=50):
    """Twenty-five women and men, both series."""
    for person in range(persons):
        for series in "AB":
            for code, expression in zip(CODES, EXPRESSIONS, strict=True):
                name = f"{series}{'FM'[person % 2]}{person // 2 + 1:02}{code}S"
                write_face(folder / name[:4] / f"{name}.JPG", person, (140, 190), expression=expression)


def write_ddcf(folder):
    """Forty girls."""
    for person in range(101, 141):
        for number, (word, expression) in enumerate(zip(NAMES, EXPRESSIONS, strict=True)):
            name = f"S{person}_9yoF_{word}_front_{4000 + person}{number}.JPG"
            write_face(
                folder / "40females" / f"S{person}" / name,
                2000 + 2 * person,
                140,
                expression=expression,
                age=6.0,
            )


def write_nimh(folder, children=14):
    """Girls and boys, five of the expressions: nobody is surprised or disgusted."""
    for child in range(children):
        words = {
            "neutral": "Neutral",
            "fear": "Afraid",
            "happiness": "Happy",
            "sadness": "Sad",
            "anger": "Angry",
        }
        for expression, word in words.items():
            for gaze in ("averted", "direct"):
                letters = f"{'F' if word == 'Afraid' else word[0]}{'A' if gaze == 'averted' else 'S'}"
                name = f"{'FM'[child % 2]}{child // 2 + 1}{letters}_{4000 + child}.jpg"
                path = folder / f"{word}_{gaze}" / name
                write_face(path, 3000 + child, 140, expression=expression, age=6.0)


def write_expw(folder):
    """Faces from the web, of unknown age, with the owner's boxes."""
    lines = []
    for number in range(280):
        code = number % 7
        expression = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")[code]
        name = f"{expression}_{number}.jpg"
        write_face(folder / "data/image/origin" / name, 5000 + number, (200, 150), expression=expression)
        lines.append(f"{name} 0 5 30 170 145 99.0 {code}\n")
    write_text(folder / "data/label/label.lst", "".join(lines))


def new_desk(folder, sets):
    """A copy of the project, owners' folders beside it, ingested; what was said."""
    copy_sources(folder / "project")
    shutil.copytree(PROJECT_FOLDER / ".cache" / "models", folder / "project/.cache/models")
    shutil.copytree(
        PROJECT_FOLDER / ".cache" / "litert_js", folder / "project/.cache/litert_js", symlinks=True
    )
    said = ""
    for name, write in sets.items():
        write(folder / "received" / name)
        said += fer(folder, "data", "ingest", name, "--from", f"received/{name}")
    return said


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A copy of the project, owners' folders beside it, and what was said when all was run."""
    folder = tmp_path_factory.mktemp("desk")
    sets = {"cafe": write_cafe, "kdef": write_kdef, "ddcf": write_ddcf, "expw": write_expw}
    said = new_desk(folder, sets)
    said += fer(folder, "data", "check")
    said += fer(folder, "run", "--profile", "licensed", "--overrides", json.dumps(OVERRIDES))
    return folder, said


def fer(folder: Path, *words: str) -> str:
    """Run a command from beside the project, results elsewhere still; it must end well."""
    environment = {
        **os.environ,
        "FER_RESULTS": "private/results",
        "FER_DATA": "",
        "PYTHONPATH": python_path(folder / "project"),
    }
    environment.pop("FER_IN_WORKFLOW", None)  # set where the tests run
    answer = subprocess.run(
        [sys.executable, "-m", "fer_utils.cli", *words],
        cwd=folder, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    return answer.stdout + answer.stderr


def pages(folder):
    return {path.stem: path.read_text("utf-8") for path in (folder / "project/_build/html").rglob("*.html")}


def test_every_page_is_made_and_says_what_its_faces_are(desk):
    folder, said = desk
    found = pages(folder)
    for stage in ("01_data", "03_cohorts", "04_compression", "06_ethnicity_analysis"):
        assert "licensed photographs" in found[stage], stage
    assert "notebook-06_ethnicity_analysis" in said


def test_nothing_is_reproduced_from_a_part_of_the_sets(desk):
    (path,) = (desk[0] / "private/results").glob("licensed-*/figures/claims/scoreboard.csv")
    assert set(pd.read_csv(path)["verdict"]) == {"partly testable", "not testable here"}


def test_no_table_that_leaves_tells_of_few_children(desk):
    tables = [pd.read_csv(path) for path in (desk[0] / "private/results").glob("licensed-*/figures/*/*.csv")]
    of_groups = [each for each in tables if {"group", "images"} <= set(each) and len(each)]
    assert of_groups
    for each in of_groups:
        assert "subjects" in each, list(each)
        assert not (each["subjects"] < FEWEST_SUBJECTS).any(), list(each)


def test_no_page_speaks_of_planted_effects_as_if_they_were_in_photographs(desk):
    data, groups = (glued(pages(desk[0])[stage]) for stage in ("01_data", "06_ethnicity_analysis"))
    assert [text for text in data if text.startswith("not in this run")]  # apostrophes come out curled
    assert "in photographs no gap is planted, so there is no second test set to compare with" in groups
    assert not [text for text in groups if "group E" in text]


def glued(page):
    """What a page took from its run into its prose."""
    return [span.get_text() for span in BeautifulSoup(page, "html.parser").select("span.pasted-text")]


def test_no_page_names_a_file_of_the_owners_or_a_folder_of_the_readers(desk):
    folder, said = desk
    for name, text in pages(folder).items():
        assert str(folder) not in text, name
        assert "private/results" not in text, name
        assert "-EA-" not in text, name
    assert "-EA-" not in said


def test_when_a_licence_ends_everything_made_from_the_set_goes(desk):
    folder, _ = desk
    fer(folder, "data", "forget", "kdef", "--yes")
    left = [path.name for path in (folder / "private/results").iterdir()]
    assert left == ["data"], "what had learned from it is gone"
    assert not (folder / "private/results/data/kdef").exists()
    assert not (folder / "project/_build").exists()
    assert (folder / "private/results/data/cafe/faces.parquet").is_file()


FEW = {
    "cafe": write_cafe,
    "kdef": partial(write_kdef, persons=14),
    "nimh_chefs": write_nimh,
}
SHORT = {**OVERRIDES, "image_size": 32, "epochs": 1, "precisions": ["float32"], "bootstrap_draws": 100}


@pytest.mark.parametrize(
    ("learned", "cohorts", "left_out", "unseen"),
    [
        ("kdef", None, "children", "none"),
        ("nimh_chefs", None, "adults, adults of known age", "surprise, disgust"),
        ("nimh_chefs", ["all"], "", "surprise, disgust"),
    ],
)
def test_one_set_to_learn_from_is_enough(tmp_path, learned, cohorts, left_out, unseen):
    """Copies that no face is there to train are left out, and the page names them; the book is made all the same."""
    new_desk(tmp_path, {name: FEW[name] for name in ("cafe", learned)})
    overrides = {**SHORT, "cohorts": cohorts} if cohorts else SHORT
    fer(tmp_path, "run", "--profile", "licensed", "--overrides", json.dumps(overrides))
    found = pages(tmp_path)
    note = f"No face is there to train this copy on, so it is left out: {left_out}."
    assert (note in found["03_cohorts"]) == bool(left_out)
    assert unseen in glued(found["01_data"])
