"""The scenarios of the simulation study: which populations, which analyses, what is true; run in short and in full.

Truth is planted in accuracy, of which a simulated population has an exact mean. Verdicts on claims are tried in
`operating_characteristics`.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from expression_scores.adjusted_groups import adjusted_gap, adjusted_groups
from expression_scores.calibration import overconfidence
from expression_scores.groups import Gap, group_pairs, largest_gap
from expression_scores.intervals import clears_chance, intervals, recall_intervals, unpaired_differences
from expression_scores.metrics import chance_level, confusions_by_subject
from expression_scores.printed_scores import ALPHA
from expression_scores.run_scores import compare_runs, rounding_losses
from face_sets.code_digests import own_code_digest
from face_sets.expressions import CHANCE, EXPRESSIONS
from face_sets.files import atomic_path
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.processes import usable_cores
from fer_utils.analysis.claims import children_by_group, printed
from fer_utils.simulation.experiments import RATES, Kind, Sample, Scenario, rates, run_scenarios, simulate
from fer_utils.simulation.simulated_predictions import (
    faces_of,
    like_cafe,
    like_synthetic_faces,
    true_accuracy,
)
from fer_utils.study import load_study

TABLE: Final = MANIFESTS_FOLDER / "simulations.csv"
"""The shipped table of the study in full; `fer validate` makes it."""

ANALYSES: Final = ("adjusted_groups", "calibration", "groups", "intervals", "metrics", "run_scores")
SIMULATED: Final = ("experiments", "scenarios", "simulated_predictions")
"""Modules of `expression_scores` and of this package whose code that table is keyed by."""

METRIC: Final = "accuracy"

SHIFT: Final = 0.05
"""Planted between two networks; our choice, below what the paper prints between its children's and adults' copy."""

GAP: Final = 0.2
"""Planted in one group; our choice, wide enough for groups of this size to show it now and then."""

TONE_GAP: Final = 0.4
"""Planted between the lightest and the darkest tone; our choice, strong enough to pass for a group's gap."""

CAFE: Final = "CAFE"
FEW: Final = "50 children"
MANY: Final = "200 children"
"""Whose numbers of children, groups and photographs a population has: CAFE's, or children crossed with groups and tones."""

MANY_REPLICATES: Final = 4
"""Of the 50 children of every group and tone."""

NEARLY_INDEPENDENT: Final = 0.001
"""Correlation within children for a network that guesses; a beta distribution cannot have none."""

SHORT_REPEATS: Final = 50
SHORT_DRAWS: Final = 99
"""Of each scenario, at every build: about fifteen seconds; enough to see an analysis that is broken."""

FULL_REPEATS: Final = 2000
"""A rate of 5 % is then known to a point and a quarter either way (99 %)."""

FULL_DRAWS: Final = 999

_BLOCK: Final = 100
"""Repeats that one process does in one go."""

_COLUMNS: Final = (*RATES, "draws", "code")


def _paired(sample: Sample) -> tuple[bool, ...]:
    pair = ("network 2", "network 1")
    found = compare_runs(sample.joined, [pair], METRIC, sample.draws, sample.seed).iloc[0]
    truth = sample.population.leads[1] - sample.population.leads[0]
    return found["low"] <= truth <= found["high"], found["low"] > 0 or found["high"] < 0


def _no_pair(sample: Sample) -> tuple[bool, ...]:
    return (_paired(sample)[1],)


def _guesser(sample: Sample) -> tuple[bool, ...]:
    _, confusions = confusions_by_subject(sample.joined)
    found = intervals(confusions, sample.draws, sample.seed)["balanced_accuracy"]
    return (clears_chance(found, chance_level(confusions)),)


def _named_gap(sample: Sample) -> tuple[bool, bool]:
    """Whether the interval of the others minus the named group contains the truth, and whether it excludes zero."""
    low_group = (sample.joined["ethnicity"] == sample.population.gap_group).to_numpy()
    right = true_accuracy(sample.population, faces_of(sample.population))
    truth = right[~low_group].mean() - right[low_group].mean()
    sides = [confusions_by_subject(sample.joined[side])[1] for side in (~low_group, low_group)]
    found = unpaired_differences(sides[0], sides[1], sample.draws, sample.seed)[METRIC]
    return found.low <= truth <= found.high, found.excludes_zero


def _largest_gap(sample: Sample) -> Gap:
    return largest_gap(sample.joined, "ethnicity", METRIC, sample.draws, sample.seed)


def _groups(sample: Sample) -> tuple[bool, ...]:
    gap = _largest_gap(sample)
    rejects = gap.p_value <= ALPHA
    is_named = rejects and gap.worst == sample.population.gap_group
    return rejects, is_named, gap.largest_low <= GAP <= gap.largest_high, *_named_gap(sample)


def _no_groups(sample: Sample) -> tuple[bool, ...]:
    gap, pairs = _largest_gap(sample), group_pairs(sample.joined, "ethnicity", METRIC)
    any_pair, picked = bool(pairs["p_holm"].min() <= ALPHA), gap.low > 0 or gap.high < 0
    return gap.p_value <= ALPHA, any_pair, gap.largest_low > 0, _named_gap(sample)[1], picked


def _adjusted(sample: Sample) -> tuple[bool, ...]:
    """Whether the adjusted test rejects; where a gap is planted, first whether its interval contains the truth."""
    found = adjusted_groups(sample.joined)
    rejects = found.p_value <= ALPHA
    if not sample.population.group_gap:
        return (rejects,)
    right = true_accuracy(sample.population, faces_of(sample.population))
    groups = sample.joined["ethnicity"]
    truth = right[groups == sample.population.gap_group].mean() - right[groups == found.reference].mean()
    named = found.table.set_index("group").loc[sample.population.gap_group]
    return bool(named["low"] <= truth <= named["high"]), rejects


def _five_networks(sample: Sample) -> tuple[bool, ...]:
    runs = sample.joined.groupby("run_id")
    gaps = [_largest_gap(replace(sample, joined=run)).p_value for _, run in runs]
    # Holm's rule (1979) rejects anything at all exactly if the smallest p-value passes its first step
    return min(gaps) <= ALPHA / len(gaps), min(gaps) <= ALPHA


def _single_scores(sample: Sample) -> tuple[bool, ...]:
    """Whether the intervals of overconfidence and of one expression's recall contain the truth."""
    _, confusions = confusions_by_subject(sample.joined)
    recall = recall_intervals(confusions, sample.draws, sample.seed)[EXPRESSIONS[0]]
    truth, over = sample.population.accuracy, 0.1
    stated = np.random.default_rng(sample.seed).uniform(-0.2, 0.2, len(sample.joined)) + truth + over
    found = overconfidence(sample.joined.assign(confidence=stated), sample.draws, sample.seed)
    return found.low <= over <= found.high, recall.low <= truth <= recall.high


def _rounding(sample: Sample) -> tuple[bool, ...]:
    """Whether a file, network 2, is said to lose more than a point, and to lose no more."""
    about = {"run_id": ["network 2"], "parent_run_id": "network 1", "architecture": "", "technique": "none"}
    found = rounding_losses(sample.joined, pd.DataFrame(about), sample.draws, sample.seed)[
        "within_a_point"
    ].iloc[0]
    return (found == "no",) if not sample.population.leads[1] else (found == "yes",)


def _tone_or_group(sample: Sample) -> tuple[bool, ...]:
    pairs = (("ethnicity", "skin_tone"), ("skin_tone", "ethnicity"))
    held = [adjusted_gap(sample.joined, *pair, sample.draws, sample.seed).p_value <= ALPHA for pair in pairs]
    return *held, _largest_gap(sample).p_value <= ALPHA


def _tones(name: str, truth: str, *kinds: Kind, **planted: float) -> Scenario:
    words = ("groups within tones: test rejects", "tones within groups: test rejects",
             "groups without regard to tone: test rejects")  # fmt: skip
    population = like_synthetic_faces(MANY_REPLICATES, **planted)
    return Scenario(name, truth, MANY, population, tuple(zip(words, kinds, strict=True)), _tone_or_group)


def scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios, in the order of the page."""
    of_test, of_interval, power = Kind.FALSE_POSITIVE_OF_TEST, Kind.FALSE_POSITIVE_OF_INTERVAL, Kind.POWER
    even, uneven = "tones even in all groups", "one group mostly dark"
    worse = f"smallest group read worse by {100 * GAP:.0f} points"
    guessing = like_synthetic_faces(accuracy=CHANCE, correlation=NEARLY_INDEPENDENT)
    return (
        Scenario("shift-none", "two networks equally good", CAFE, like_cafe(leads=(0.0, 0.0)),
                 (("paired interval excludes zero", of_interval),), _no_pair),
        Scenario("shift-planted", f"one network better by {100 * SHIFT:.0f} points", CAFE, like_cafe(leads=(0.0, SHIFT)),
                 (("paired interval contains the difference", Kind.COVERAGE),
                  ("paired interval excludes zero", power)), _paired),
        Scenario("guessing", "a network that guesses", FEW, guessing,
                 (("interval lies above chance", Kind.FALSE_POSITIVE_OF_ONE_SIDE),), _guesser),
        Scenario("groups-none", "no group read worse", CAFE, like_cafe(),
                 (("permutation test of the largest gap rejects", of_test),
                  ("any pair of groups differs, by Holm's rule", of_interval),
                  ("bounds of the largest gap exclude zero", of_interval),
                  ("interval of the smallest group's gap excludes zero", of_interval),
                  ("interval of two groups picked after looking excludes zero", Kind.UNUSED)), _no_groups),
        Scenario("groups-planted", worse, CAFE, like_cafe(group_gap=GAP),
                 (("permutation test of the largest gap rejects", power),
                  ("the test rejects and that group is the worst", power),
                  ("bounds of the largest gap contain it", Kind.COVERAGE),
                  ("interval of that group's gap contains the truth", Kind.COVERAGE),
                  ("interval of that group's gap excludes zero", power)), _groups),
        Scenario("adjusted-none", "no group read worse, test adjusted for what groups pose", CAFE, like_cafe(),
                 (("test of the adjusted model rejects", of_test),), _adjusted, in_full_only=True),
        Scenario("adjusted-planted", f"{worse}, adjusted", CAFE, like_cafe(group_gap=GAP),
                 (("interval of the adjusted difference contains the truth", Kind.COVERAGE),
                  ("test of the adjusted model rejects", power)), _adjusted, in_full_only=True),
        Scenario("single-scores", "overconfident by 10 points, expressions read equally well", CAFE, like_cafe(),
                 (("interval of overconfidence contains it", Kind.COVERAGE),
                  ("interval of one expression's recall contains it", Kind.COVERAGE)), _single_scores, in_full_only=True),
        Scenario("rounding-none", "a file as good as its network", CAFE, like_cafe(leads=(0.0, 0.0)),
                 (("said to lose or gain more than a point", of_interval),), _rounding, in_full_only=True),
        Scenario("rounding-planted", "a file worse by three points", CAFE, like_cafe(leads=(0.0, -0.03)),
                 (("said to lose less than a point", Kind.FALSE_POSITIVE_OF_ONE_SIDE),), _rounding, in_full_only=True),
        Scenario("five-networks", "no group read worse by any of five networks", FEW,
                 like_synthetic_faces(leads=(0.0,) * 5),
                 (("any of five tests rejects, by Holm's rule", of_test),
                  ("any of five tests rejects, unadjusted", Kind.UNUSED)), _five_networks),
        _tones("tone-even", f"dark tones read worse, {even}", of_test, power, of_test, tone_gap=TONE_GAP),
        _tones("group-even", f"one group read worse, {even}", power, of_test, power, group_gap=GAP),
        _tones("tone-uneven", f"dark tones read worse, {uneven}", of_test, power, Kind.UNUSED,
               tone_gap=TONE_GAP, tones_go_with_groups=True),
        _tones("group-uneven", f"one group read worse, {uneven}", power, of_test, power,
               group_gap=GAP, tones_go_with_groups=True),
    )  # fmt: skip


def group_sizes() -> dict[str, tuple[list[int], int]]:
    """Return the sizes of groups that profiles test: by name, the children of each and the photographs of a child."""
    cafe = list(children_by_group().values())
    photographs = round(printed("cafe-photographs").value / sum(cafe))
    few, larger = len(cafe) * [min(cafe)], load_study("reference").test_replicates
    plain = {
        "CAFE's groups": (cafe, photographs),
        "groups as small as CAFE's smallest": (few, len(EXPRESSIONS)),
    }
    several = {
        f"{larger} times {name}": ([larger * n for n in groups], p) for name, (groups, p) in plain.items()
    }
    return plain | several


def in_short(seed: int = 0) -> pd.DataFrame:
    """Return the rates of all scenarios but those that take long, from few repeats."""
    return run_scenarios([s for s in scenarios() if not s.in_full_only], SHORT_REPEATS, SHORT_DRAWS, seed)


def in_full(
    path: Path = TABLE, repeats: int = FULL_REPEATS, draws: int = FULL_DRAWS, seed: int = 0
) -> Iterator[str]:
    """Write the rates of all scenarios to a CSV file once all are done, on all processors; yield each one's name."""
    parts, code = [], _code()
    blocks = [range(start, min(start + _BLOCK, repeats)) for start in range(0, repeats, _BLOCK)]
    with ProcessPoolExecutor(usable_cores()) as pool:
        for scenario in scenarios():
            jobs = [pool.submit(simulate, scenario, block, draws, seed) for block in blocks]
            parts.append(rates(scenario, pd.concat([job.result() for job in jobs])))
            yield scenario.name
    table = pd.concat(parts, ignore_index=True).assign(draws=draws, code=code)
    with atomic_path(path) as temporary:
        table[list(_COLUMNS)].to_csv(temporary, index=False)


def read_full(path: Path = TABLE) -> pd.DataFrame | None:
    """Return the table that `in_full` wrote, None if the code has changed since; raises ValueError for others."""
    try:
        table = pd.read_csv(path, dtype={"within_limit": "boolean", "code": "string"})
    except ValueError:  # pandas' errors of parsing are among them
        table = pd.DataFrame()
    if "code" in table and (table["code"] != _code()).any():
        return None
    if list(table.columns) != list(_COLUMNS) or table.empty:
        raise ValueError(f"{path} is not a table of simulations: run `fer validate` again")
    return table


def _code() -> str:
    analyses = (f"expression_scores.{module}" for module in ANALYSES)
    return own_code_digest(*analyses, *(f"fer_utils.simulation.{module}" for module in SIMULATED))[:12]
