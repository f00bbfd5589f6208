"""One primary test between groups, and secondary ones that count only after it: they err in one study of twenty.

The primary test is named beforehand: the permutation test of the largest gap in accuracy, of one network. Where it does not
reject, no other test of groups counts, whatever its p-value: where groups do not differ, something is significant
exactly as often as the primary test (a gatekeeper: Dmitrienko, Offen & Westfall 2003, doi:10.1002/sim.1526). Where it
rejects, the secondary tests (other networks, all pairs of groups, the adjusted model) share one correction by Holm's method.
"""

from typing import Final

import pandas as pd

from expression_scores.adjusted_groups import adjusted_groups
from expression_scores.groups import comparable, gaps_of_runs, group_pairs, holm
from expression_scores.intervals import DRAWS
from expression_scores.printed_scores import ALPHA

PRIMARY: Final = "primary"
SECONDARY: Final = "secondary"
COLUMNS: Final = ("role", "test", "run_id", "p_value", "p_holm", "significant")


def group_tests(
    joined: pd.DataFrame, primary_run: str, column: str = "ethnicity", draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Return one row per test between groups, the primary one first: columns `COLUMNS`.

    `joined` holds predictions of one or more runs. `p_holm` is adjusted for the number of secondary tests, and missing for
    the primary one; `significant`: whether the test may be read as a difference between groups. No rows where groups
    cannot be compared.
    """
    runs = [primary_run, *(run for run in joined["run_id"].unique() if run != primary_run)]
    primary = joined[joined["run_id"] == primary_run]
    if len(comparable(primary, column)) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    gap = "largest gap in accuracy (permutation)"
    gaps = gaps_of_runs(joined, runs, column, "accuracy", draws, seed).set_index("run_id")["p_value"]
    pairs = group_pairs(primary, column, "accuracy")
    rows = [(SECONDARY if run != primary_run else PRIMARY, gap, run, p) for run, p in gaps.items()]
    named = zip(pairs["first"] + " and " + pairs["second"], pairs["p_value"], strict=True)
    rows += [(SECONDARY, words, primary_run, p) for words, p in named]
    rows.append((SECONDARY, "adjusted model", primary_run, adjusted_groups(primary, column).p_value))
    table = pd.DataFrame(rows, columns=list(COLUMNS[:4]))
    table["p_holm"] = holm(table["p_value"].where(table["role"] == SECONDARY))
    opens = gaps[primary_run] <= ALPHA
    return table.assign(significant=opens & ((table["role"] == PRIMARY) | (table["p_holm"] <= ALPHA)))
