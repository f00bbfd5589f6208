"""What trained networks show of the effects that were planted in rendered faces.

Planted is an intensity: children's expressions are rendered weaker, and in a second set group E's weaker still. Its
direction is known, not how much accuracy it costs. On faces that are the same picture in both sets the difference has
to be zero exactly.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import t

from expression_scores.adjusted_groups import adjusted_gap
from expression_scores.groups import largest_gap
from expression_scores.intervals import DRAWS, LEVEL, jackknife_error, welch
from expression_scores.metrics import is_right
from expression_scores.run_scores import compare_runs
from rendered_faces.design import DATASET, GAP_DATASET, GAP_GROUP

METRIC: Final = "accuracy"


def gap_by_twins(joined: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return what planting the gap cost each run: accuracy with the gap minus accuracy on the same faces without.

    `joined` holds predictions of the rendered test children of both sets. Columns: run_id, faces ("changed": those of
    the group with the planted gap; "unchanged": all others), subjects, difference, low, high, from -1 to 1. Raises
    ValueError if a face has no twin.
    """
    planted = joined[joined["dataset"] == GAP_DATASET]
    planted = planted.assign(
        face_id=planted["face_id"].str.replace(GAP_DATASET, DATASET, n=1), dataset=DATASET, side="planted"
    )
    plain = joined[(joined["dataset"] == DATASET) & joined["face_id"].isin(planted["face_id"])]
    both = pd.concat([planted, plain.assign(side="plain")])
    both["faces"] = (both["ethnicity"] == GAP_GROUP).map({True: "changed", False: "unchanged"})
    rows = []
    for (run_id, faces), part in both.groupby(["run_id", "faces"]):
        pair = part.drop(columns="run_id").rename(columns={"side": "run_id"})
        found = compare_runs(pair, [("planted", "plain")], METRIC, draws, seed).iloc[0]
        rows.append((run_id, faces, part["subject_id"].nunique(), *found[["difference", "low", "high"]]))
    return pd.DataFrame(rows, columns=["run_id", "faces", "subjects", "difference", "low", "high"])


def shift_between_copies(joined: pd.DataFrame, networks: Sequence[str]) -> pd.DataFrame:
    """Return how much more the copy trained on children is ahead on rendered children than on rendered adults.

    `joined` holds predictions of the rendered test faces of both ages by the runs "NETWORK.children" and
    "NETWORK.adults". Columns: architecture, subjects, difference, low, high, from -2 to 2. Every subject counts
    once, whatever its number of pictures: the 95 % interval is Welch's (1947) on the subjects' means (none for one subject).
    """
    plain = joined[joined["dataset"] == DATASET]
    keys = [plain["subject_id"], plain["age_group"], plain["run_id"]]
    means = is_right(plain).astype(float).groupby(keys, observed=True).mean().unstack()
    rows = []
    for network in networks:
        if not {f"{network}.children", f"{network}.adults"} <= set(means.columns):
            continue  # a study of other cohorts
        ahead = means[f"{network}.children"] - means[f"{network}.adults"]
        groups = [ahead.xs(group, level="age_group").to_numpy() for group in ("child", "adult")]
        difference, reach = groups[0].mean() - groups[1].mean(), np.nan
        if min(map(len, groups)) > 1:
            errors = [jackknife_error(g.mean(), (g.sum() - g) / (len(g) - 1), lowest=-1.0) for g in groups]
            error, freedom = welch((errors[0], errors[1]), (len(groups[0]), len(groups[1])))
            reach = t.ppf((1 + LEVEL) / 2, freedom) * error
        rows.append((network, len(ahead), difference, difference - reach, difference + reach))
    return pd.DataFrame(rows, columns=["architecture", "subjects", "difference", "low", "high"])


def tone_or_group(joined: pd.DataFrame, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Return, for each set and run, whether groups differ within tones, and tones within groups.

    `joined` holds predictions of the rendered test children of both sets. Columns: dataset, run_id, group_gap (0 to 1),
    worst_group, group_p_value, tone_gap, worst_tone, tone_p_value, plain_p_value (tone ignored). No row if inseparable.
    """
    rows, pairs = [], {"group": ("ethnicity", "skin_tone"), "tone": ("skin_tone", "ethnicity")}
    for (dataset, run_id), part in joined.groupby(["dataset", "run_id"]):
        if not all(part.groupby(within)[factor].nunique().max() > 1 for factor, within in pairs.values()):
            continue
        row: dict[str, object] = {"dataset": dataset, "run_id": run_id}
        for what, pair in pairs.items():
            gap = adjusted_gap(part, *pair, draws, seed)
            row |= {f"{what}_gap": gap.difference, f"worst_{what}": gap.worst, f"{what}_p_value": gap.p_value}
        rows.append(row | {"plain_p_value": largest_gap(part, "ethnicity", METRIC, draws, seed).p_value})
    columns = ["dataset", "run_id", "group_gap", "worst_group", "group_p_value",
               "tone_gap", "worst_tone", "tone_p_value", "plain_p_value"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
