"""The scenarios of the simulation study: which populations, which analyses, what is true; run in short and in full.

Truth is planted in accuracy, of which a simulated population has an exact mean. Verdicts on claims are tried in
`operating_characteristics`.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from expression_scores.adjusted_groups import adjusted_gap, adjusted_groups
from expression_scores.calibration import overconfidence
from expression_scores.experiments import RATES, Kind, Scenario, rates, run_scenarios, simulate
from expression_scores.few_shot import CHILDREN
from expression_scores.groups import Gap, group_pairs, largest_gap
from expression_scores.intervals import clears_chance, intervals, recall_intervals, unpaired_differences
from expression_scores.luck import differences_over_seeds, scores_over_seeds
from expression_scores.metrics import chance_level, confusions_by_subject, scores_of_confusions
from expression_scores.printed_scores import ALPHA
from expression_scores.run_scores import compare_runs, rounding_losses
from expression_scores.simulated_few_shot import gains_of_sample, true_gains
from face_sets.code_digests import own_code_digest
from face_sets.expressions import CHANCE, EXPRESSIONS
from face_sets.files import atomic_path
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.processes import usable_cores
from fer_utils.analysis.claims import children_by_group, printed
from fer_utils.simulation.simulated_predictions import (
    Population,
    faces_of,
    like_cafe,
    like_synthetic_faces,
    sample_predictions,
    true_accuracy,
)
from fer_utils.study import load_study

TABLE: Final = MANIFESTS_FOLDER / "simulations.csv"
"""The shipped table of the study in full; `fer validate` makes it."""

ANALYSES: Final = ("adjusted_groups", "calibration", "experiments", "few_shot", "groups", "intervals", "luck", "metrics",
                   "run_scores", "simulated_few_shot")  # fmt: skip
SIMULATED: Final = ("scenarios", "simulated_predictions")
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

TRAININGS: Final = 3
"""Of each copy, where scores are over seeds: as many as the profile reference has, the fewest of any that has several."""

SEED_POINTS: Final = (0, 1, 2, 3)
"""Standard deviations between trainings that are tried, in points; two networks on the quick faces showed 3.1 and 4.5."""

_COLUMNS: Final = (*RATES, "draws", "code")


@dataclass(frozen=True)
class Sample:
    """One sample of a population: predictions joined with faces, and the resamples and seed for the analysis."""

    joined: pd.DataFrame
    population: Population
    draws: int
    seed: int


def _of(
    population: Population, answer: Callable[[Sample], tuple[bool, ...]]
) -> Callable[..., tuple[bool, ...]]:
    return partial(_sampled, population, answer)


def _sampled(
    population: Population, answer: Callable[[Sample], tuple[bool, ...]], own: int, inner: int, draws: int
) -> tuple[bool, ...]:
    return answer(Sample(sample_predictions(population, own), population, draws, inner))


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


def _named_gap(sample: Sample, metric: str = METRIC) -> tuple[bool, bool]:
    """Whether the interval of the others minus the named group contains the truth, and whether it excludes zero."""
    low_group = (sample.joined["ethnicity"] == sample.population.gap_group).to_numpy()
    right = true_accuracy(sample.population, faces_of(sample.population))
    truth = right[~low_group].mean() - right[low_group].mean()
    sides = [confusions_by_subject(sample.joined[side])[1] for side in (~low_group, low_group)]
    found = unpaired_differences(sides[0], sides[1], sample.draws, sample.seed)[metric]
    return found.low <= truth <= found.high, found.excludes_zero


def _largest_gap(sample: Sample, metric: str = METRIC) -> Gap:
    return largest_gap(sample.joined, "ethnicity", metric, sample.draws, sample.seed)


def _no_groups_in_f1(sample: Sample) -> tuple[bool, ...]:
    return _largest_gap(sample, "macro_f1").p_value <= ALPHA, _named_gap(sample, "macro_f1")[1]


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
    """Whether the intervals of overconfidence, of one expression's recall and of macro F1 contain the truth."""
    _, confusions = confusions_by_subject(sample.joined)
    recall = recall_intervals(confusions, sample.draws, sample.seed)[EXPRESSIONS[0]]
    truth, over = sample.population.accuracy, 0.1
    stated = np.random.default_rng(sample.seed).uniform(-0.2, 0.2, len(sample.joined)) + truth + over
    found = overconfidence(sample.joined.assign(confidence=stated), sample.draws, sample.seed)
    macro, f1 = _macro_f1(sample), intervals(confusions, sample.draws, sample.seed)["macro_f1"]
    return found.low <= over <= found.high, recall.low <= truth <= recall.high, f1.low <= macro <= f1.high


def _rounding(sample: Sample) -> tuple[bool, ...]:
    """Whether a file, network 2, is said to lose more than a point, and to lose no more."""
    about = {"run_id": ["network 2"], "parent_run_id": "network 1", "architecture": "", "technique": "none"}
    found = rounding_losses(sample.joined, pd.DataFrame(about), sample.draws, sample.seed)[
        "within_a_point"
    ].iloc[0]
    return (found == "no",) if not sample.population.leads[1] else (found == "yes",)


def _over_seeds(sample: Sample) -> tuple[bool, bool]:
    """Whether the intervals over seeds and children of a score, and of a difference of two copies, contain the truth."""
    each = [confusions_by_subject(run)[1] for _, run in sample.joined.groupby("run_id", sort=False)]
    first, second = np.stack(each[:TRAININGS]), np.stack(each[TRAININGS:])
    found = (
        scores_over_seeds(first)[METRIC].interval,
        differences_over_seeds(first, second)[METRIC].interval,
    )
    leads = sample.population.leads
    truths = (sample.population.accuracy + leads[0], leads[0] - leads[1])
    score, difference = (one.low <= truth <= one.high for one, truth in zip(found, truths, strict=True))
    return score, difference


def _few_shot(children: int, photographs: int, own: int, inner: int, draws: int) -> tuple[bool, ...]:
    """Whether the interval of the gain from each number of children contains the mean gain of all such samples."""
    found = gains_of_sample(children, photographs, own, draws, inner)
    truths = found["children"].map(true_gains(photographs))
    return tuple(((found["low"] <= truths) & (truths <= found["high"])).tolist())


def _macro_f1(sample: Sample) -> float:
    """Return the macro F1 of a network that errs evenly: of the counts that are expected, as accuracy is."""
    shown = sample.joined["expression"].value_counts().reindex(EXPRESSIONS).to_numpy(np.float64)
    right = np.eye(len(EXPRESSIONS)) * sample.population.accuracy
    wrong = (1 - np.eye(len(EXPRESSIONS))) * (1 - sample.population.accuracy) / (len(EXPRESSIONS) - 1)
    return float(scores_of_confusions(shown[:, None] * (right + wrong))["macro_f1"])


def _tone_or_group(sample: Sample) -> tuple[bool, ...]:
    pairs = (("ethnicity", "skin_tone"), ("skin_tone", "ethnicity"))
    held = [adjusted_gap(sample.joined, *pair, sample.draws, sample.seed).p_value <= ALPHA for pair in pairs]
    return *held, _largest_gap(sample).p_value <= ALPHA


def _tones(name: str, truth: str, *kinds: Kind, **planted: float) -> Scenario:
    words = ("groups within tones: test rejects", "tones within groups: test rejects",
             "groups without regard to tone: test rejects")  # fmt: skip
    population = like_synthetic_faces(MANY_REPLICATES, **planted)
    return Scenario(name, truth, MANY, tuple(zip(words, kinds, strict=True)), _of(population, _tone_or_group))


def _seeds(points: int) -> Scenario:
    population = like_cafe(leads=(SHIFT, 0.0), trainings=TRAININGS, by_seed=points / 100)
    truth = (
        f"{TRAININGS} trainings of two networks, {100 * SHIFT:.0f} points apart, scatter by {points} points"
    )
    questions = (("interval of a score over seeds contains the truth", Kind.COVERAGE),
                 ("interval of the difference over seeds contains the truth", Kind.COVERAGE))  # fmt: skip
    return Scenario(f"seeds-{points}", truth, CAFE, questions, _of(population, _over_seeds))


def _last_layer(name: str, size: str, children: int, photographs: int) -> Scenario:
    questions = tuple(
        (f"interval of the gain from {n} children contains the truth", Kind.COVERAGE) for n in CHILDREN
    )
    truth = "the last layer, retrained on other children, gains accuracy"
    ask = partial(_few_shot, children, photographs)
    return Scenario(name, truth, size, questions, ask, in_full_only=True)


def scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios, in the order of the page."""
    of_test, of_interval, power = Kind.FALSE_POSITIVE_OF_TEST, Kind.FALSE_POSITIVE_OF_INTERVAL, Kind.POWER
    even, uneven = "tones balanced across groups", "one group mostly dark"
    worse = f"accuracy of the smallest group lower by {100 * GAP:.0f} points"
    guessing = like_synthetic_faces(accuracy=CHANCE, correlation=NEARLY_INDEPENDENT)
    none, planted = like_cafe(), like_cafe(group_gap=GAP)
    no_pair, pair, worse_pair = (like_cafe(leads=(0.0, lead)) for lead in (0.0, SHIFT, -0.03))
    five = like_synthetic_faces(leads=(0.0,) * 5)
    in_cafe = sum(children_by_group().values())
    photographs = round(printed("cafe-photographs").value / in_cafe)
    return (
        Scenario("shift-none", "two networks equally accurate", CAFE,
                 (("paired interval excludes zero", of_interval),), _of(no_pair, _no_pair)),
        Scenario("shift-planted", f"one network more accurate by {100 * SHIFT:.0f} points", CAFE,
                 (("paired interval contains the truth", Kind.COVERAGE),
                  ("paired interval excludes zero", power)), _of(pair, _paired)),
        Scenario("guessing", "a network that guesses", FEW,
                 (("interval lies above chance", Kind.FALSE_POSITIVE_OF_ONE_SIDE),), _of(guessing, _guesser)),
        Scenario("groups-none", "accuracy equal in all groups", CAFE,
                 (("permutation test of the largest gap rejects", of_test),
                  ("any pair of groups differs, by Holm's rule", of_interval),
                  ("bounds of the largest gap exclude zero", of_interval),
                  ("interval of the smallest group's gap excludes zero", of_interval),
                  ("interval of two groups picked after looking excludes zero", Kind.UNUSED)), _of(none, _no_groups)),
        Scenario("groups-none-f1", "accuracy equal in all groups, macro F1 compared", CAFE,
                 (("permutation test of the largest gap rejects", of_test),
                  ("interval of the smallest group's gap excludes zero", of_interval)), _of(none, _no_groups_in_f1),
                 in_full_only=True),
        Scenario("groups-planted", worse, CAFE,
                 (("permutation test of the largest gap rejects", power),
                  ("the test rejects and that group is the worst", power),
                  ("bounds of the largest gap contain the truth", Kind.COVERAGE),
                  ("interval of that group's gap contains the truth", Kind.COVERAGE),
                  ("interval of that group's gap excludes zero", power)), _of(planted, _groups)),
        Scenario("adjusted-none", "accuracy equal in all groups, test adjusted for what groups pose", CAFE,
                 (("test of the adjusted model rejects", of_test),), _of(none, _adjusted), in_full_only=True),
        Scenario("adjusted-planted", f"{worse}, adjusted", CAFE,
                 (("interval of the adjusted difference contains the truth", Kind.COVERAGE),
                  ("test of the adjusted model rejects", power)), _of(planted, _adjusted), in_full_only=True),
        Scenario("single-scores", "overconfident by 10 points, recalls equal", CAFE,
                 (("interval of overconfidence contains the truth", Kind.COVERAGE),
                  ("interval of one expression's recall contains the truth", Kind.COVERAGE),
                  ("interval of macro F1 contains the truth", Kind.COVERAGE)), _of(none, _single_scores), in_full_only=True),
        *map(_seeds, SEED_POINTS),
        _last_layer("few-shot-cafe", CAFE, in_cafe, photographs),
        _last_layer("few-shot-few", FEW, 50, photographs),
        Scenario("rounding-none", "a file as accurate as its network", CAFE,
                 (("said to lose or gain more than a point", of_interval),), _of(no_pair, _rounding), in_full_only=True),
        Scenario("rounding-planted", "a file less accurate by three points", CAFE,
                 (("said to lose less than a point", Kind.FALSE_POSITIVE_OF_ONE_SIDE),), _of(worse_pair, _rounding),
                 in_full_only=True),
        Scenario("five-networks", "accuracy equal in all groups, five networks", FEW,
                 (("any of five tests rejects, by Holm's rule", of_test),
                  ("any of five tests rejects, unadjusted", Kind.UNUSED)), _of(five, _five_networks)),
        _tones("tone-even", f"accuracy lower on dark tones, {even}", of_test, power, of_test, tone_gap=TONE_GAP),
        _tones("group-even", f"accuracy of one group lower, {even}", power, of_test, power, group_gap=GAP),
        _tones("tone-uneven", f"accuracy lower on dark tones, {uneven}", of_test, power, Kind.UNUSED,
               tone_gap=TONE_GAP, tones_go_with_groups=True),
        _tones("group-uneven", f"accuracy of one group lower, {uneven}", power, of_test, power,
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
