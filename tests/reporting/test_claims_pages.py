"""From a claim to its rule, its figure, its table and its notebook."""

import json

import pandas as pd
import pytest
from made_up_predictions import made_up_faces, made_up_predictions

from expression_scores.metrics import is_right, join
from face_sets.folders import PROJECT_FOLDER
from fer_utils import tables
from fer_utils.analysis.claims import load_claims
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.verdicts import scoreboard
from fer_utils.reporting.claims_pages import (
    answers_by_child,
    answers_of_children,
    claims_pages,
    links,
    quantity_in_words,
    right_and_wrong,
    scores_by_training,
)
from fer_utils.reporting.provenance import Provenance
from fer_utils.simulation.operating_characteristics import judged_claims, rules_digest
from fer_utils.stages import STAGES, notebook_source

CLAIMS = load_claims()


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """A folder with the table behind one stage's figure."""
    folder = tmp_path_factory.mktemp("figures")
    (folder / "03_cohorts").mkdir()
    (folder / "03_cohorts" / "cohorts-accuracy.csv").write_text("a\n1\n")
    return folder


@pytest.fixture(scope="module")
def board():
    names = ("faces", "predictions", "runs", "measurements")
    return scoreboard(CLAIMS, Tables(**{name: tables.empty(name) for name in names}))


@pytest.fixture(scope="module")
def made(board, figures):
    source = Provenance("quick", "synthetic faces", {"faces": "0"}, "abc")
    return claims_pages(board, CLAIMS, figures, source)


def test_the_rule_of_every_claim_is_there(made):
    for claim in CLAIMS:
        assert f"(claim-{claim.id})=\n## {claim.statement}\n" in made["claims"]


def test_the_table_is_the_one_behind_the_figure(figures):
    by_id = {claim.id: claim for claim in CLAIMS}
    assert dict(links(by_id["accuracy-all"], figures, "../")) == {
        "rule": "../stages/claims.html#claim-accuracy-all",
        "figure": "../stages/03_cohorts.html#cohorts-accuracy",
        "table": "../figures/03_cohorts/cohorts-accuracy.csv",
        "notebook": "../stages/03_cohorts.ipynb",
    }
    page = by_id["accuracy-all"].model_copy(update={"shown": "page#a-section"})
    assert dict(links(page, figures)).keys() == {"rule", "section"}
    section = dict(links(by_id["data-quality-similar"], figures))
    assert section.keys() == {"rule", "figure", "notebook"}
    assert section["notebook"] == "stages/06_ethnicity_analysis.ipynb"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_a_claim_is_shown_by_exists(claim):
    page, name = claim.shown.split("#")
    if page in STAGES:
        cells = json.loads(notebook_source(page).read_text(encoding="utf-8"))["cells"]
        names = [cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for cell in cells]
        labels = [line.strip("()=") for cell in cells for line in "".join(cell["source"]).splitlines()
                  if line.startswith("(") and line.endswith(")=")]  # fmt: skip
        assert name in names or name in labels
    else:
        text = (PROJECT_FOLDER / "book" / f"{page}.md").read_text(encoding="utf-8")
        sections = [line.lstrip("# ").rstrip("?").lower().replace(" ", "-") for line in text.splitlines()
                    if line.startswith("## ")]  # fmt: skip
        assert name in sections or name.startswith("published-")


def test_a_rule_is_shown_with_its_margin_and_its_reason(made):
    for claim in CLAIMS:
        start = made["claims"].index(f"(claim-{claim.id})=")
        section = made["claims"][start:].split("\n(claim-")[0]
        needed = f"*A test needs:* {claim.needs}"
        assert (needed in section) == (claim.needs != "nothing")
        if claim.rule:
            assert claim.rule.because.strip().rstrip(".")[1:] in section
            assert not claim.rule.margin or f"{claim.rule.margin:g}" in section
        else:
            assert claim.untestable in section


def test_quantities_are_described_in_words():
    claim = next(claim for claim in CLAIMS if claim.id == "accuracy-gap")
    words = quantity_in_words(claim.quantity)
    assert "South Asian, African American" in words
    assert "MobileNetV3-Large" in words
    assert "on cafe" in words


def test_a_rule_that_never_reproduces_does_not_say_when_it_would(made):
    for claim in (claim for claim in CLAIMS if claim.rule and claim.rule.never_reproduced):
        section = made["claims"].split(f"(claim-{claim.id})=")[1].split("</details>")[0]
        assert "*Rule:* Cannot tell if the whole interval" in section
        assert "reproduced if" not in section.lower()


def test_comparators_have_measure_and_source_and_secondary_ones_are_marked(made):
    rows = made["comparators"].splitlines()[2:]
    assert all("{cite:t}`" in row for row in rows)
    assert any("66.9 %" in row and "balanced accuracy" in row for row in rows)
    assert any("66.63 %" in row for row in rows)
    assert any("77.7 %" in row for row in rows)
    (audit,) = [row for row in rows if "audit2026" in row]
    assert "secondary" in audit
    assert "0.49 to 0.64" in audit


def test_a_board_has_no_claim_without_a_page(made, board):
    assert isinstance(board, pd.DataFrame)
    assert made["claims"].count("\n(claim-") == len(CLAIMS)


def test_the_rules_operating_characteristics_and_changes_are_shown(made):
    page = made["claims"]
    assert "(operating-characteristics)=" in page
    assert "(rule-changes)=" in page
    assert rules_digest() in page
    for claim in judged_claims():
        start = page.index(f"(claim-{claim.id})=")
        assert "falsely reproduced in at most" in page[start:].split("\n(claim-")[0]


def test_an_audit_that_found_otherwise_stands_beside_the_claim_and_is_called_secondary(made):
    section = made["claims"].split("(claim-african-american-below-european)=")[1].split("\n(claim-")[0]
    assert section.count("{cite:t}`audit2026`; secondary") == 2
    assert "1 point, contrary to this claim, which asks for 3" in section
    other = made["claims"].split("(claim-south-asian-below-european)=")[1].split("\n(claim-")[0]
    assert "8 points, in line with this claim" in other


def test_answers_are_written_by_child_unless_the_sets_terms_forbid_it():
    faces = pd.concat([
        made_up_faces(12, 7, dataset="synthetic", may_publish=True),
        made_up_faces(12, 7, dataset="cafe", may_publish=False),
    ])  # fmt: skip
    runs = pd.DataFrame({"run_id": ["net.all"], "parent_run_id": [None], "architecture": "mobilenet_v2",
                         "cohort": "all", "seed": 3})  # fmt: skip
    predictions = made_up_predictions(faces, 0.6, run_id="net.all")
    given = Tables(faces, predictions, runs, tables.empty("measurements"))
    found = answers_by_child(answers_of_children(given))
    assert found["photographs"].sum() == len(faces)
    assert set(found["seed"]) == {"3"}
    assert found.loc[found["dataset"] == "synthetic", "subject_id"].nunique() == 12
    private = found[found["dataset"] == "cafe"]
    assert private[["subject_id", "ethnicity"]].isna().all(axis=None)
    assert not private.duplicated(["expression", "predicted"]).any()
    right = found.loc[found["expression"] == found["predicted"], "photographs"].sum()
    assert right == is_right(join(predictions, faces)).sum()


def test_scores_of_each_training_and_right_and_wrong_of_two_networks_are_those_of_their_answers():
    faces = made_up_faces(12, 7, dataset="synthetic", may_publish=True)
    names = {"one.all": "mobilenet_v2", "two.all": "nasnet_mobile"}
    runs = pd.DataFrame({"run_id": list(names), "parent_run_id": None, "architecture": list(names.values()),
                         "cohort": "all", "seed": 3})  # fmt: skip
    given = [
        made_up_predictions(faces, share, run_id=run) for run, share in zip(names, (0.6, 0.3), strict=True)
    ]
    answers = answers_of_children(
        Tables(faces, pd.concat(given, ignore_index=True), runs, tables.empty("measurements"))
    )
    right = [is_right(join(each, faces)).to_numpy() for each in given]
    scores = scores_by_training(answers).set_index("run_id")
    assert scores["accuracy"].to_list() == pytest.approx([each.mean() for each in right])
    assert scores["children"].to_list() == [12, 12]
    (pair,) = right_and_wrong(answers).to_dict("records")
    one, two = right
    assert pair == {
        "seed": "3", "dataset": "synthetic", "first": "mobilenet_v2", "second": "nasnet_mobile", "both": (one & two).sum(),
        "first_alone": (one & ~two).sum(), "second_alone": (two & ~one).sum(), "neither": (~one & ~two).sum(),
    }  # fmt: skip


def test_of_one_network_there_is_no_pair():
    faces = made_up_faces(3, 7, dataset="synthetic", may_publish=True)
    runs = pd.DataFrame({"run_id": ["a"], "parent_run_id": [None], "architecture": "mobilenet_v2", "cohort": "all",
                         "seed": 3})  # fmt: skip
    predictions = made_up_predictions(faces, 0.6, run_id="a")
    answers = answers_of_children(Tables(faces, predictions, runs, tables.empty("measurements")))
    assert right_and_wrong(answers).empty
