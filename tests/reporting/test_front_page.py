"""The first page: verdicts counted, findings with the numbers they rest on, claims with what leads to them."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from fer_utils import tables
from fer_utils.analysis.claims import load_claims, published
from fer_utils.analysis.evidence import Tables
from fer_utils.analysis.published_tables import SOURCES
from fer_utils.analysis.verdicts import VERDICTS, scoreboard
from fer_utils.paths import Paths
from fer_utils.reporting.claims_pages import links
from fer_utils.reporting.front_page import common_threads, controls, findings, front_page, smiles
from fer_utils.study import load_study

CLAIMS = load_claims()
TIMES = {"mobilenet_v3_large": 90.0, "mobilenet_v2": 45.0}


def latencies(one_thread, four_threads):
    rows = [(SOURCES[0], name, ms, None, None) for name, ms in TIMES.items()]
    for source, spans in ((SOURCES[1], one_thread), (SOURCES[2], four_threads)):
        rows += [(source, name, sum(span) / 2, *span) for name, span in zip(TIMES, spans, strict=True)]
    return pd.DataFrame(rows, columns=["source", "architecture", "ms", "low_ms", "high_ms"])


APART = latencies([(80, 110), (90, 120)], [(30, 60), (30, 60)])
SMILES = pd.DataFrame(
    {"group": ["A (ours)", "B"], "series": "women", "estimate": [0.25, 0.5], "low": 0.1, "high": 0.9}
)


@pytest.fixture
def paths(tmp_path):
    paths = Paths.of(load_study("quick"), tmp_path)
    rates = pd.DataFrame(
        {"rate": [0.02, 0.12], "allowed_high": 0.05, "repeats": 50, "within_limit": [True, False]}
    )
    planted = pd.DataFrame(
        {
            "series": ["x", "x", "y"],
            "difference": [0.1, 0.1, 0.0],
            "low": [0.1, -1, -1],
            "high": [1, -0.5, 1],
            "group_p_value": [0.01, 0.2, None],
        }
    )
    for page, name, table in (("05_moto_g6_profiling", "latency-sources", APART), ("03_cohorts", "smiles-by-sex", SMILES),
                              ("08_validation", "validation-false-positives", rates),
                              ("08_validation", "validation-planted", planted)):  # fmt: skip
        paths.figures(page).mkdir(parents=True, exist_ok=True)
        table.to_csv(paths.figures(page) / f"{name}.csv", index=False)
    return paths


@pytest.fixture
def page(paths):
    names = ("faces", "predictions", "runs", "measurements")
    board = scoreboard(CLAIMS, Tables(**{name: tables.empty(name) for name in names}))
    addresses = {claim.id: links(claim, paths.figures("x").parent) for claim in CLAIMS}
    return BeautifulSoup(front_page(board, CLAIMS, addresses, paths), "html.parser")


def test_every_verdict_is_counted_and_the_counts_add_up(page):
    chips = page.select(".verdict-counts .label")
    assert [chip.text.split(" ", 1)[1] for chip in chips] == list(VERDICTS)
    assert sum(int(chip.b.text) for chip in chips) == len(CLAIMS)


def test_every_claim_leads_to_its_rule_and_says_why(page):
    claims = page.select("details.claim")
    assert {claim["data-claim"] for claim in claims} == {claim.id for claim in CLAIMS}
    for claim in claims:
        found = {link.text: link["href"] for link in claim.find_all("a")}
        assert found["rule"] == f"stages/claims.html#claim-{claim['data-claim']}"
        assert len(claim.p.text) > 20


def test_findings_state_the_published_numbers():
    found = findings(APART)
    assert len(found) == 5
    assert found[0].number == f"{published('accuracy-all'):.2f} %"
    assert f"{published('below-reference'):.2f} points" in found[1].sentence
    assert all(any(map(str.isdigit, finding.number)) and finding.address for finding in found)


def test_published_times_fit_a_number_of_threads_only_together():
    assert common_threads(APART) == ""
    assert "together with neither 1 thread nor 4 threads" in findings(APART)[3].sentence
    assert common_threads(latencies([(80, 110), (40, 120)], [(30, 60), (30, 60)])) == "1 thread"
    both = latencies([(80, 110), (40, 120)], [(30, 95), (30, 60)])
    assert common_threads(both) == "1 thread or 4 threads"


def test_controls_say_what_chance_gives(paths):
    found = controls(paths)
    assert (found["rates"], found["beyond"], found["highest"], found["permitted"]) == (2, 1, 0.12, 0.05)
    assert found["effects"].to_dict("list") == {
        "effect": ["x", "y"], "networks": [2, 1], "detected": [2, 0], "expected by chance": ["0.10", "0.00"],
    }  # fmt: skip
    assert (found["tested"], found["found"]) == (2, 1)


def test_smiles_of_others_and_ours_stand_apart():
    assert smiles(SMILES) == {"ours": "25 to 25 %", "open": "50 to 50 %"}
    assert set(smiles(SMILES.iloc[1:])) == {"open"}


def test_figures_are_saved_with_their_tables(page, paths):
    names = {path.name for path in paths.figures("front").iterdir()}
    assert names == {f"published-{what}.{kind}" for what in ("scores", "times") for kind in ("csv", "svg")}
