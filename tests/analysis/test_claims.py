"""The file of claims is whole, and a damaged one ends in a sentence."""

import re

import pytest
import yaml

from face_sets.folders import PROJECT_FOLDER
from fer_utils.analysis.claims import CLAIMS_FILE, ClaimError, load_claims, published

PUBLISHED = (
    12,
    7,
    5,
    3,
    1.0,
    65.78,
    65.78,
    65.31,
    90,
    1.12,
    13.91,
    60.57,
    60.29,
    53.36,
    53.10,
    60,
    11.56,
    11.25,
)


@pytest.fixture
def damaged(tmp_path):
    """Return a function that loads the claims after a change to the first one."""

    def load(**changes):
        entries = yaml.safe_load(CLAIMS_FILE.read_text(encoding="utf-8"))
        entries[0].update(changes)
        entries[0] = {k: v for k, v in entries[0].items() if v != "removed"}
        path = tmp_path / "claims.yml"
        path.write_text(yaml.safe_dump(entries), encoding="utf-8")
        return load_claims(path)

    return load


def test_every_published_number_is_there():
    assert sorted(c.published for c in load_claims() if c.published is not None) == sorted(PUBLISHED)


def test_published_gives_the_number_and_only_where_there_is_one():
    assert published("accuracy-all") == 65.78
    with pytest.raises(ClaimError, match="no published number under 'best-network'"):
        published("best-network")


def test_sources_are_in_the_bibliography():
    keys = re.findall(
        r"@\w+\{(\w+),", (PROJECT_FOLDER / "book" / "references.bib").read_text(encoding="utf-8")
    )
    assert len(keys) == len(set(keys))
    assert {claim.source for claim in load_claims()} <= set(keys)


def test_statements_hold_no_typed_result():
    numbers = re.compile(r"\d+\.\d|\d\d")
    assert [c.id for c in load_claims() if numbers.search(c.statement + (c.untestable or ""))] == []


def test_analogues_are_synthetic_or_predicted():
    for claim in load_claims():
        analogue = claim.synthetic_analogue
        if analogue is not None and analogue.kind == "latency":
            assert analogue.device_kind == "predicted", claim.id
        elif analogue is not None and analogue.kind != "count":
            assert analogue.dataset == "synthetic", claim.id
            assert claim.quantity.dataset == "cafe", claim.id


@pytest.mark.parametrize(
    "field", ["id", "statement", "published", "metric", "needs", "source", "quantity", "rule"]
)
def test_a_missing_field_is_named(damaged, field):
    with pytest.raises(ClaimError, match=field):
        damaged(**{field: "removed"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "somebody"}, "source"),
        ({"published": "twelve"}, "published: .*number"),
        ({"verdict": "reproduced"}, "verdict: Extra inputs"),
        ({"rule": {"kind": "because I say so", "because": "x"}}, r"rule\.kind"),
        ({"rule": {"kind": "within", "margin": -1, "because": "x"}}, r"rule\.margin"),
        ({"rule": {"kind": "within"}}, r"rule\.because"),
        ({"quantity": {"kind": "magic"}}, "quantity"),
        ({"untestable": "no"}, "either `quantity` with `rule`, or `untestable`"),
        ({"published": None}, "needs a published number"),
        ({"id": "expressions"}, "'expressions' is given to more than one claim"),
    ],
)
def test_damage_ends_in_one_sentence(damaged, changes, message):
    with pytest.raises(ClaimError, match=message) as caught:
        damaged(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a: 1", "[1]", "- {id: [}"])
def test_what_is_not_a_list_of_claims_is_an_error(tmp_path, text):
    path = tmp_path / "claims.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClaimError, match=r"claims\.yml"):
        load_claims(path)
