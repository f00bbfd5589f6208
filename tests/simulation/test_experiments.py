"""The control experiments hold what they promise, and fail as soon as an analysis is broken."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from fer_utils.published.scores import ALPHA
from fer_utils.simulation import experiments as controls
from fer_utils.simulation import scenarios as control_scenarios
from fer_utils.simulation.experiments import ALLOWED, Kind, rates, simulate
from fer_utils.simulation.runs import in_short
from fer_utils.simulation.scenarios import scenarios
from fer_utils.simulation.worlds import draw

BY_NAME = {scenario.name: scenario for scenario in scenarios()}


def run(name, repeats=120, draws=99, seed=5):
    return controls.controls([BY_NAME[name]], repeats, draws, seed).set_index("question")


@pytest.fixture
def photographs_as_children(monkeypatch):
    """The mistake of taking every photograph for a child of its own."""
    monkeypatch.setattr(
        controls, "draw", lambda world, seed: (drawn := draw(world, seed)).assign(subject_id=drawn["face_id"])
    )


@pytest.fixture(scope="module")
def short():
    return in_short(seed=1)


def test_in_short_every_limit_is_kept(short):
    asked = short[short["kept"].notna()]
    assert len(asked) >= 12
    assert asked["kept"].all(), asked.loc[~asked["kept"], ["truth", "question", "rate", "low"]]


def test_in_short_what_is_planted_is_found_more_often_than_what_is_not(short):
    rate = short.set_index(["scenario", "question"])["rate"]
    speaks = "shuffling test of the largest gap speaks"
    assert rate["groups-planted", speaks] > rate["groups-none", speaks] + 0.2
    assert rate["shift-planted", "paired interval excludes zero"] > 0.7
    within_tones, within_groups = "groups within tones: test speaks", "tones within groups: test speaks"
    for tones in ("even", "uneven"):
        assert rate[f"tone-{tones}", within_groups] > rate[f"tone-{tones}", within_tones] + 0.3
        assert rate[f"group-{tones}", within_tones] > rate[f"group-{tones}", within_groups] + 0.3


def test_a_comparison_without_regard_to_tone_blames_the_group(short):
    plain = short.set_index(["scenario", "question"]).loc[
        ("tone-uneven", "groups without regard to tone: test speaks")
    ]
    assert plain["low"] > ALPHA


def test_resampling_photographs_instead_of_children_does_not_cover(photographs_as_children):
    held = run("groups-planted").loc["interval of that group's gap holds the truth"]
    assert not held["kept"]


def test_shuffling_photographs_instead_of_children_raises_false_alarms(photographs_as_children):
    assert not run("groups-none", repeats=60).loc["shuffling test of the largest gap speaks", "kept"]


def test_a_network_that_learned_something_is_no_guesser(monkeypatch):
    monkeypatch.setattr(
        controls, "draw", lambda world, seed: draw(control_scenarios.as_drawn(accuracy=0.25), seed)
    )
    assert not run("guessing", repeats=40)["kept"].any()


def test_a_truth_that_is_off_is_not_held(monkeypatch):
    truth = control_scenarios.true_accuracy
    monkeypatch.setattr(
        control_scenarios,
        "true_accuracy",
        lambda world, faces: truth(world, faces) - 0.25 * (faces["ethnicity"] == world.gap_group),
    )
    assert not run("groups-planted").loc["interval of that group's gap holds the truth", "kept"]


def test_holding_nothing_fixed_would_be_seen(monkeypatch):
    held = control_scenarios.adjusted_gap
    monkeypatch.setattr(
        control_scenarios,
        "adjusted_gap",
        lambda joined, factor, within, *rest: held(joined.assign(**{within: "all"}), factor, within, *rest),
    )
    assert not run("tone-uneven", repeats=60).loc["groups within tones: test speaks", "kept"]


def test_holms_first_step_is_all_of_holms_rule_about_speaking_at_all():
    generator = np.random.default_rng(0)
    for values in generator.random((8, 5)) ** 3:
        assert bool(multipletests(values, ALPHA, method="holm")[0].any()) == (min(values) <= ALPHA / 5)


def test_verdicts_are_seldom_given_where_nothing_is_true_and_given_where_it_is(monkeypatch):
    claim = "claim children-above-adults called reproduced"
    assert run("verdict-score_difference", repeats=12).loc[claim, "kept"]
    ahead = control_scenarios.as_cafe(leads=(0.1, 0.0, 0.0))
    monkeypatch.setattr(controls, "draw", lambda world, seed: draw(ahead, seed))
    found = run("verdict-score_difference", repeats=12)
    assert found.loc[claim, "rate"] > 0.8
    assert not found.loc[claim, "kept"]


def test_rates_come_with_the_exact_binomial_interval():
    scenario = BY_NAME["groups-none"]
    answers = pd.DataFrame({words: [True] * 3 + [False] * 37 for words, _ in scenario.questions})
    found = rates(scenario, answers).iloc[0]
    share = binomtest(3, 40).proportion_ci(0.99, method="exact")
    assert (found["yes"], found["repeats"], found["rate"]) == (3, 40, 3 / 40)
    assert (found["low"], found["high"]) == (share.low, share.high)


@pytest.mark.parametrize(("yes", "kept"), [(0, True), (5, True), (20, False)])
def test_a_limit_is_kept_unless_the_whole_interval_lies_beyond(yes, kept):
    scenario = BY_NAME["groups-none"]
    answers = pd.DataFrame({words: [True] * yes + [False] * (100 - yes) for words, _ in scenario.questions})
    found = rates(scenario, answers).set_index("kind")["kept"]
    assert found[Kind.ALARM_OF_TEST] == kept
    assert pd.isna(found[Kind.WARNING])


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
        assert any(kind in ALLOWED for _, kind in scenario.questions), "a control that cannot fail is none"


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_in_full_every_limit_is_kept(name):
    found = run(name, repeats=200 if BY_NAME[name].in_full_only else 1000, draws=199)
    asked = found[found["kept"].notna()]
    assert asked["kept"].all(), asked.loc[~asked["kept"], ["rate", "low", "high"]]
