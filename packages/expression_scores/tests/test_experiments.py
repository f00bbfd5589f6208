"""Rates of simulated answers come with their own error, their limits and the power to see a breach."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from expression_scores import experiments
from expression_scores.experiments import (
    ALLOWED,
    Kind,
    Scenario,
    for_readers,
    kept,
    overlaps,
    rates,
    simulate,
)


def answers(own, inner, draws):
    return own % 20 == 0, inner % 2 == 0


ASKED = Scenario("none", "nothing differs", "CAFE", (("a test rejects", Kind.FALSE_POSITIVE_OF_TEST),
                                                     ("another rejects", Kind.UNUSED)), answers)  # fmt: skip
PLANTED = Scenario("planted", "five points", "CAFE", (("interval contains it", Kind.COVERAGE),
                                                      ("interval excludes zero", Kind.POWER)), answers)  # fmt: skip


def test_rates_come_with_the_exact_binomial_interval():
    answers = pd.DataFrame({words: [True] * 3 + [False] * 37 for words, _ in ASKED.questions})
    found = rates(ASKED, answers).iloc[0]
    share = binomtest(3, 40).proportion_ci(0.99, method="exact")
    assert (found["yes"], found["repeats"], found["rate"]) == (3, 40, 3 / 40)
    assert (found["low"], found["high"]) == (share.low, share.high)


@pytest.mark.parametrize(("yes", "within"), [(0, True), (5, True), (20, False)])
def test_a_rate_is_within_its_limit_unless_the_whole_interval_lies_beyond(yes, within):
    answers = pd.DataFrame({words: [True] * yes + [False] * (100 - yes) for words, _ in ASKED.questions})
    found = rates(ASKED, answers).set_index("kind")["within_limit"]
    assert found[Kind.FALSE_POSITIVE_OF_TEST] == within
    assert pd.isna(found[Kind.UNUSED])


def test_readers_see_rate_interval_and_limit_in_percent():
    answers = pd.DataFrame({words: [True] * 50 + [False] * 50 for words, _ in PLANTED.questions})
    shown = for_readers(rates(PLANTED, answers))
    assert shown["rate"].tolist() == ["50.0 %", "50.0 %"]
    assert shown["99 % interval"].iloc[0] == "36.9 to 63.1 %"
    assert shown["limit"].tolist() == ["at least 93 %", "none"]
    assert shown["within limit"].tolist() == ["no", ""]
    assert shown["power of this check"].tolist()[1] == "none"


def test_few_repeats_cannot_tell_and_many_can():
    found = {}
    for repeats in (50, 2000):
        yes = [True] * round(0.95 * repeats) + [False] * (repeats - round(0.95 * repeats))
        found[repeats] = rates(PLANTED, pd.DataFrame({words: yes for words, _ in PLANTED.questions}))
    assert kept(found[50]).tolist() == ["cannot tell", ""]
    assert kept(found[2000]).tolist() == ["yes", ""]
    assert found[50].loc[0, "power"] < 0.05 < 0.95 < found[2000].loc[0, "power"]


def test_the_power_of_a_check_is_how_often_it_flags_a_breach():
    generator = np.random.default_rng(0)
    words, most = ASKED.questions[0][0], ALLOWED[Kind.FALSE_POSITIVE_OF_TEST][1]
    positive = generator.binomial(600, most + experiments.BREACH, 400)
    found = {}  # a check is decided by how many answers are positive
    for count in set(positive):
        yes = np.arange(600) < count
        found[count] = rates(ASKED, pd.DataFrame({words: yes, "another rejects": yes})).iloc[0]
    flagged = np.mean([not found[count]["within_limit"] for count in positive])
    assert flagged == pytest.approx(found[positive[0]]["power"], abs=0.08)


def test_repeats_have_seeds_of_their_own_for_sample_and_analysis():
    asked = []
    simulate(
        Scenario("seeds", "", "", (("any", Kind.POWER),), lambda *given: (bool(asked.append(given)),)),
        range(50),
        9,
        1,
    )
    assert len({own for own, _, _ in asked} | {inner for _, inner, _ in asked}) == 100
    assert {draws for *_, draws in asked} == {9}


def test_an_interval_overlaps_what_is_allowed_unless_it_lies_wholly_beyond():
    table = pd.DataFrame({"low": [0.04, 0.06, 0.6, 0.6], "high": [0.05, 0.07, 0.7, 0.7],
                          "least": [0.0, 0.0, 0.75, 0.0], "most": [0.05, 0.05, 1.0, np.nan]})  # fmt: skip
    assert overlaps(*(table[end] for end in ("low", "high", "least", "most"))).tolist() == [
        True,
        False,
        False,
        True,
    ]
