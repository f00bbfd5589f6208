"""The analyses stay within their limits on simulated predictions, and exceed them as soon as one is broken."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from expression_scores.printed_scores import ALPHA
from fer_utils.simulation import experiments
from fer_utils.simulation import scenarios as scenarios_module
from fer_utils.simulation.experiments import ALLOWED, Kind, for_readers, kept, rates, simulate
from fer_utils.simulation.scenarios import in_short, scenarios
from fer_utils.simulation.simulated_predictions import sample_predictions

BY_NAME = {scenario.name: scenario for scenario in scenarios()}


def run(name, repeats=120, draws=99, seed=5):
    return experiments.run_scenarios([BY_NAME[name]], repeats, draws, seed).set_index("question")


@pytest.fixture
def photographs_as_children(monkeypatch):
    """The mistake of taking every photograph for a child of its own."""
    monkeypatch.setattr(
        experiments,
        "sample_predictions",
        lambda population, seed: (sampled := sample_predictions(population, seed)).assign(
            subject_id=sampled["face_id"]
        ),
    )


@pytest.fixture(scope="module")
def short():
    return in_short(seed=1)


def test_in_short_every_rate_is_within_its_limit(short):
    asked = short[short["within_limit"].notna()]
    assert len(asked) >= 12
    assert asked["within_limit"].all(), asked.loc[
        ~asked["within_limit"], ["truth", "question", "rate", "low"]
    ]


def test_in_short_what_is_planted_is_found_more_often_than_what_is_not(short):
    rate = short.set_index(["scenario", "question"])["rate"]
    rejects = "permutation test of the largest gap rejects"
    assert rate["groups-planted", rejects] > rate["groups-none", rejects] + 0.2
    assert rate["shift-planted", "paired interval excludes zero"] > 0.7
    within_tones, within_groups = "groups within tones: test rejects", "tones within groups: test rejects"
    for tones in ("even", "uneven"):
        assert rate[f"tone-{tones}", within_groups] > rate[f"tone-{tones}", within_tones] + 0.3
        assert rate[f"group-{tones}", within_tones] > rate[f"group-{tones}", within_groups] + 0.3


def test_a_comparison_without_regard_to_tone_blames_the_group(short):
    plain = short.set_index(["scenario", "question"]).loc[
        ("tone-uneven", "groups without regard to tone: test rejects")
    ]
    assert plain["low"] > ALPHA


def test_resampling_photographs_instead_of_children_does_not_cover(photographs_as_children):
    held = run("groups-planted").loc["interval of that group's gap contains the truth"]
    assert not held["within_limit"]


def test_shuffling_photographs_instead_of_children_raises_false_positives(photographs_as_children):
    assert not run("groups-none", repeats=60).loc[
        "permutation test of the largest gap rejects", "within_limit"
    ]


def test_a_network_that_learned_something_is_no_guesser(monkeypatch):
    monkeypatch.setattr(
        experiments,
        "sample_predictions",
        lambda population, seed: sample_predictions(
            scenarios_module.like_synthetic_faces(accuracy=0.25), seed
        ),
    )
    assert not run("guessing", repeats=40)["within_limit"].any()


def test_a_truth_that_is_off_is_not_held(monkeypatch):
    truth = scenarios_module.true_accuracy
    monkeypatch.setattr(
        scenarios_module,
        "true_accuracy",
        lambda population, faces: (
            truth(population, faces) - 0.25 * (faces["ethnicity"] == population.gap_group)
        ),
    )
    assert not run("groups-planted").loc["interval of that group's gap contains the truth", "within_limit"]


def test_holding_nothing_fixed_would_be_seen(monkeypatch):
    held = scenarios_module.adjusted_gap
    monkeypatch.setattr(
        scenarios_module,
        "adjusted_gap",
        lambda joined, factor, within, *rest: held(joined.assign(**{within: "all"}), factor, within, *rest),
    )
    assert not run("tone-uneven", repeats=60).loc["groups within tones: test rejects", "within_limit"]


def test_holms_first_step_decides_whether_holms_rule_rejects_at_all():
    generator = np.random.default_rng(0)
    for values in generator.random((8, 5)) ** 3:
        assert bool(multipletests(values, ALPHA, method="holm")[0].any()) == (min(values) <= ALPHA / 5)


def test_rates_come_with_the_exact_binomial_interval():
    scenario = BY_NAME["groups-none"]
    answers = pd.DataFrame({words: [True] * 3 + [False] * 37 for words, _ in scenario.questions})
    found = rates(scenario, answers).iloc[0]
    share = binomtest(3, 40).proportion_ci(0.99, method="exact")
    assert (found["yes"], found["repeats"], found["rate"]) == (3, 40, 3 / 40)
    assert (found["low"], found["high"]) == (share.low, share.high)


@pytest.mark.parametrize(("yes", "within"), [(0, True), (5, True), (20, False)])
def test_a_rate_is_within_its_limit_unless_the_whole_interval_lies_beyond(yes, within):
    scenario = BY_NAME["groups-none"]
    answers = pd.DataFrame({words: [True] * yes + [False] * (100 - yes) for words, _ in scenario.questions})
    found = rates(scenario, answers).set_index("kind")["within_limit"]
    assert found[Kind.FALSE_POSITIVE_OF_TEST] == within
    assert pd.isna(found[Kind.UNUSED])


def test_readers_see_rate_interval_and_limit_in_percent():
    scenario = BY_NAME["shift-planted"]
    answers = pd.DataFrame({words: [True] * 50 + [False] * 50 for words, _ in scenario.questions})
    shown = for_readers(rates(scenario, answers))
    assert shown["rate"].tolist() == ["50.0 %", "50.0 %"]
    assert shown["99 % interval"].iloc[0] == "36.9 to 63.1 %"
    assert shown["limit"].tolist() == ["at least 93 %", "none"]
    assert shown["within limit"].tolist() == ["no", ""]
    assert shown["power of this check"].tolist()[1] == "none"


def test_few_repeats_cannot_tell_and_many_can():
    scenario = BY_NAME["shift-planted"]
    found = {}
    for repeats in (50, 2000):
        yes = [True] * round(0.95 * repeats) + [False] * (repeats - round(0.95 * repeats))
        found[repeats] = rates(scenario, pd.DataFrame({words: yes for words, _ in scenario.questions}))
    assert kept(found[50]).tolist() == ["cannot tell", ""]
    assert kept(found[2000]).tolist() == ["yes", ""]
    assert found[50].loc[0, "power"] < 0.05 < 0.95 < found[2000].loc[0, "power"]


def test_the_power_of_a_check_is_how_often_it_flags_a_breach():
    generator = np.random.default_rng(0)
    scenario = BY_NAME["rounding-none"]
    words, most = scenario.questions[0][0], ALLOWED[Kind.FALSE_POSITIVE_OF_INTERVAL][1]
    samples = generator.random((400, 600)) < most + experiments.BREACH
    found = [rates(scenario, pd.DataFrame({words: each})).iloc[0] for each in samples]
    flagged = np.mean([not each["within_limit"] for each in found])
    assert flagged == pytest.approx(found[0]["power"], abs=0.08)


@pytest.mark.parametrize("name", ["single-scores", "rounding-none", "rounding-planted"])
def test_further_analyses_keep_their_limits_in_few_repeats(name):
    found = run(name, repeats=20)
    assert found["within_limit"].dropna().all()


def test_repeats_do_not_depend_on_how_they_are_cut():
    scenario = BY_NAME["guessing"]
    whole = simulate(scenario, range(6), 99, 3)
    parts = pd.concat([simulate(scenario, range(2), 99, 3), simulate(scenario, range(2, 6), 99, 3)])
    assert whole.equals(parts)


def test_every_scenario_asks_questions_of_known_kinds_under_names_of_its_own():
    assert len(BY_NAME) == len(scenarios())
    for scenario in scenarios():
        words = [question for question, _ in scenario.questions]
        assert len(set(words)) == len(words)
        assert any(kind in ALLOWED for _, kind in scenario.questions), (
            "a scenario that cannot fail tests nothing"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_in_full_every_rate_is_within_its_limit(name):
    found = run(name, repeats=200 if BY_NAME[name].in_full_only else 1000, draws=199)
    asked = found[found["within_limit"].notna()]
    assert asked["within_limit"].all(), asked.loc[~asked["within_limit"], ["rate", "low", "high"]]
