"""The control experiments: which worlds, which analyses, and what is true.

Truth is planted in accuracy: the mean accuracy of a simulated world is exact, while that of other metrics would
be approximate. Claims are judged in the metrics that they name; where nothing is planted, nothing is true of any.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from face_sets.expressions import CHANCE
from fer_utils.analysis.adjusted_groups import adjusted_gap, adjusted_groups
from fer_utils.analysis.groups import group_pairs, largest_gap
from fer_utils.analysis.intervals import Interval, clears_chance, intervals, unpaired_differences
from fer_utils.analysis.metrics import chance_level, confusions_by_subject
from fer_utils.analysis.run_scores import compare_runs
from fer_utils.published.scores import ALPHA
from fer_utils.simulation.experiments import Draw, Kind, Scenario
from fer_utils.simulation.verdict_scenarios import verdict_scenarios
from fer_utils.simulation.worlds import as_cafe, as_drawn, faces_of, true_accuracy
from fer_utils.study import load_study

METRIC: Final = "accuracy"

SHIFT: Final = 0.05
"""Planted between two networks; our choice, below what the paper prints between its children's and adults' copy."""

GAP: Final = 0.2
"""Planted in one group; our choice, wide enough for groups of this size to show it now and then."""

TONE_GAP: Final = 0.4
"""Planted between the lightest and the darkest tone; our choice, strong enough to pass for a group's gap."""

CAFE: Final = "CAFE"
QUICK: Final = "profile quick"
REFERENCE: Final = "profile reference"
"""Whose numbers of children, groups and photographs a world has."""

NO_HABITS: Final = 0.001
"""Correlation within children for a network that guesses: next to none, which a beta distribution cannot be."""


def _paired(drawn: Draw) -> tuple[bool, ...]:
    pair = ("network 2", "network 1")
    found = compare_runs(drawn.joined, [pair], METRIC, drawn.draws, drawn.seed).iloc[0]
    truth = drawn.world.leads[1] - drawn.world.leads[0]
    return found["low"] <= truth <= found["high"], found["low"] > 0 or found["high"] < 0


def _no_pair(drawn: Draw) -> tuple[bool, ...]:
    return (_paired(drawn)[1],)


def _guesser(drawn: Draw) -> tuple[bool, ...]:
    _, confusions = confusions_by_subject(drawn.joined)
    found = intervals(confusions, drawn.draws, drawn.seed)["balanced_accuracy"]
    return (clears_chance(found, chance_level(confusions)),)


def _named_gap(drawn: Draw) -> tuple[bool, bool]:
    """Whether the interval of the others minus the named group holds the truth, and whether it excludes zero."""
    low_group = (drawn.joined["ethnicity"] == drawn.world.gap_group).to_numpy()
    right = true_accuracy(drawn.world, faces_of(drawn.world))
    truth = right[~low_group].mean() - right[low_group].mean()
    found = _gap_between(drawn, ~low_group, low_group)
    return found.low <= truth <= found.high, found.excludes_zero


def _gap_between(drawn: Draw, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    """Return first minus second of two sides that were named without a look at the answers, or as if they were."""
    sides = [confusions_by_subject(drawn.joined[side])[1] for side in (first, second)]
    return unpaired_differences(sides[0], sides[1], drawn.draws, drawn.seed)[METRIC]


def _groups(drawn: Draw) -> tuple[bool, ...]:
    gap = largest_gap(drawn.joined, "ethnicity", METRIC, drawn.draws, drawn.seed)
    speaks = gap.p_value <= ALPHA
    return (
        speaks,
        speaks and gap.worst == drawn.world.gap_group,
        gap.largest_low <= GAP <= gap.largest_high,
        *_named_gap(drawn),
    )


def _no_groups(drawn: Draw) -> tuple[bool, ...]:
    gap = largest_gap(drawn.joined, "ethnicity", METRIC, drawn.draws, drawn.seed)
    best, worst = ((drawn.joined["ethnicity"] == group).to_numpy() for group in (gap.best, gap.worst))
    pairs = group_pairs(drawn.joined, "ethnicity", METRIC)
    return (
        gap.p_value <= ALPHA,
        bool(pairs["p_holm"].min() <= ALPHA),
        gap.largest_low > 0,
        _named_gap(drawn)[1],
        _gap_between(drawn, best, worst).excludes_zero,
    )


def _adjusted(drawn: Draw) -> tuple[bool, ...]:
    """Whether the adjusted test speaks; where a gap is planted, first whether its interval holds the truth."""
    found = adjusted_groups(drawn.joined)
    speaks = found.p_value <= ALPHA
    if not drawn.world.group_gap:
        return (speaks,)
    right, groups = true_accuracy(drawn.world, faces_of(drawn.world)), drawn.joined["ethnicity"]
    truth = right[groups == drawn.world.gap_group].mean() - right[groups == found.reference].mean()
    named = found.table.set_index("group").loc[drawn.world.gap_group]
    return bool(named["low"] <= truth <= named["high"]), speaks


def _five_networks(drawn: Draw) -> tuple[bool, ...]:
    gaps = [
        largest_gap(run, "ethnicity", METRIC, drawn.draws, drawn.seed).p_value
        for _, run in drawn.joined.groupby("run_id")
    ]
    # Holm's rule (1979) speaks at all exactly if the smallest p-value passes its first step
    return min(gaps) <= ALPHA / len(gaps), min(gaps) <= ALPHA


def _tone_or_group(drawn: Draw) -> tuple[bool, ...]:
    pairs = (("ethnicity", "skin_tone"), ("skin_tone", "ethnicity"))
    held = [adjusted_gap(drawn.joined, *pair, drawn.draws, drawn.seed).p_value <= ALPHA for pair in pairs]
    plain = largest_gap(drawn.joined, "ethnicity", METRIC, drawn.draws, drawn.seed)
    return *held, plain.p_value <= ALPHA


def _tones(name: str, truth: str, *kinds: Kind, **planted: float) -> Scenario:
    words = ("groups within tones: test speaks", "tones within groups: test speaks",
             "groups without regard to tone: test speaks")  # fmt: skip
    world = as_drawn(load_study("reference").test_replicates, **planted)
    return Scenario(name, truth, REFERENCE, world, tuple(zip(words, kinds, strict=True)), _tone_or_group)


def scenarios() -> tuple[Scenario, ...]:
    """Return the control experiments, in the order of the page."""
    alarm, found = Kind.ALARM_OF_TEST, Kind.FOUND
    even, uneven = "tones even in all groups", "one group mostly dark"
    return (
        Scenario("shift-none", "two networks equally good", CAFE, as_cafe(leads=(0.0, 0.0)),
                 (("paired interval excludes zero", Kind.ALARM_OF_INTERVAL),), _no_pair),
        Scenario("shift-planted", f"one network better by {100 * SHIFT:.0f} points", CAFE, as_cafe(leads=(0.0, SHIFT)),
                 (("paired interval holds the difference", Kind.HOLDS_TRUTH),
                  ("paired interval excludes zero", found)), _paired),
        Scenario("guessing", "a network that guesses", QUICK, as_drawn(accuracy=CHANCE, correlation=NO_HABITS),
                 (("interval clears chance", Kind.ALARM_OF_ONE_SIDE),), _guesser),
        Scenario("groups-none", "no group read worse", CAFE, as_cafe(),
                 (("shuffling test of the largest gap speaks", alarm),
                  ("any pair of groups differs, by Holm's rule", Kind.ALARM_OF_INTERVAL),
                  ("bounds of the largest gap exclude zero", Kind.ALARM_OF_INTERVAL),
                  ("interval of the smallest group's gap excludes zero", Kind.ALARM_OF_INTERVAL),
                  ("interval of two groups picked after looking excludes zero", Kind.WARNING)), _no_groups),
        Scenario("groups-planted", f"smallest group read worse by {100 * GAP:.0f} points", CAFE, as_cafe(group_gap=GAP),
                 (("shuffling test of the largest gap speaks", found),
                  ("the test speaks and that group is the worst", found),
                  ("bounds of the largest gap hold it", Kind.HOLDS_TRUTH),
                  ("interval of that group's gap holds the truth", Kind.HOLDS_TRUTH),
                  ("interval of that group's gap excludes zero", found)), _groups),
        Scenario("adjusted-none", "no group read worse, test adjusted for what groups pose", CAFE, as_cafe(),
                 (("test of the adjusted model speaks", alarm),), _adjusted, in_full_only=True),
        Scenario("adjusted-planted", f"smallest group read worse by {100 * GAP:.0f} points, adjusted", CAFE,
                 as_cafe(group_gap=GAP), (("interval of the adjusted difference holds the truth", Kind.HOLDS_TRUTH),
                                           ("test of the adjusted model speaks", found)), _adjusted, in_full_only=True),
        Scenario("five-networks", "no group read worse by any of five networks", QUICK, as_drawn(leads=(0.0,) * 5),
                 (("any of five tests speaks, by Holm's rule", alarm),
                  ("any of five tests speaks, unadjusted", Kind.WARNING)), _five_networks),
        _tones("tone-even", f"dark tones read worse, {even}", alarm, found, alarm, tone_gap=TONE_GAP),
        _tones("group-even", f"one group read worse, {even}", found, alarm, found, group_gap=GAP),
        _tones("tone-uneven", f"dark tones read worse, {uneven}", alarm, found, Kind.WARNING,
               tone_gap=TONE_GAP, tones_go_with_groups=True),
        _tones("group-uneven", f"one group read worse, {uneven}", found, alarm, found,
               group_gap=GAP, tones_go_with_groups=True),
        *verdict_scenarios(CAFE),
    )  # fmt: skip
