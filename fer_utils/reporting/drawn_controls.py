"""The generated parts of the page on the instrument's calibration, from drawn faces and the networks of this run."""

import pandas as pd
from scipy.stats import t
from statsmodels.stats.multitest import multipletests

from face_sets.expressions import CHANCE
from fer_utils.analysis.metrics import METRICS
from fer_utils.published.scores import ALPHA
from fer_utils.reporting import plots, style
from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.pages import html_table
from fer_utils.simulation.shuffled_labels import SHUFFLED, TRUE
from synthetic_faces.design import DATASET, GAP_DATASET, GAP_GROUP

_METRIC = METRICS[1]


def labels_part(learned: pd.DataFrame, scored: pd.DataFrame, network: str) -> str:
    """Return what labels without meaning score: in training (`learned`), and in scoring `network` (`scored`).

    Both tables are those of `fer_utils.simulation.shuffled_labels`.
    """
    rows = [
        ("ridge regression on small grey pictures", "in training", learned),
        (style.name(network), "in scoring", scored),
    ]
    table = pd.DataFrame([_labels_row(who, where, scores) for who, where, scores in rows])
    shuffled = learned[learned["labels"] == SHUFFLED]
    cleared = int(shuffled["has_learned"].sum())
    return (
        html_table(table, f"Balanced accuracy with true and with shuffled labels; chance is {100 * CHANCE:.1f} %")
        + f"\nOf {len(shuffled)} regressions on shuffled labels {cleared} cleared chance by the interval over children "
        f"({100 * cleared / len(shuffled):.0f} %). That interval says how another set of children would have scored "
        "the same network. It knows nothing of the luck of one training, which lets a network that learned nonsense "
        "name some expression right more often than by chance. So a single network that clears chance by a hair may "
        "have learned nothing.\n"
    )  # fmt: skip


def _labels_row(who: str, where: str, scores: pd.DataFrame) -> dict[str, str]:
    true = scores[scores["labels"] == TRUE].iloc[0]
    values = scores.loc[scores["labels"] == SHUFFLED, _METRIC].astype(float)
    reach = t.ppf(1 - ALPHA / 2, len(values) - 1) * values.std() / len(values) ** 0.5
    holds = abs(values.mean() - CHANCE) <= reach
    return {
        "who answers": who,
        "labels shuffled": where,
        "true labels": f"{100 * true[_METRIC]:.1f} % "
        f"({100 * true[f'{_METRIC}_low']:.1f} to {100 * true[f'{_METRIC}_high']:.1f} %)",
        f"mean of {len(values)} shuffles": f"{100 * values.mean():.1f} % "
        f"({100 * (values.mean() - reach):.1f} to {100 * (values.mean() + reach):.1f} %)",
        "holds chance": "yes" if holds else "no",
    }


def planted_part(twins: pd.DataFrame, ages: pd.DataFrame, copies: pd.DataFrame, figures: PageFigures) -> str:
    """Return what the networks show of the planted gap and the planted shift (tables of `analysis.planted`)."""
    changed, same = (twins[twins["faces"] == faces] for faces in ("changed", "unchanged"))
    series = {
        f"group {GAP_GROUP}, the same faces with the gap minus without": _by_network(changed),
        "the other groups, the same faces in both sets": _by_network(same),
        "drawn adults minus drawn children": _by_network(ages),
        "children's copy minus adults' copy: on children minus on adults": copies,
    }
    found = pd.concat(part.assign(series=name) for name, part in series.items())
    found = found[["architecture", "series", "difference", "low", "high"]]
    text = (
        f"Planting the gap cost {_below(changed)} of {len(changed)} networks accuracy in group {GAP_GROUP}, beyond the "
        "interval. On the faces that are the same pictures in both sets the largest difference is "
        f"{100 * same['difference'].abs().max():g} points, where it must be zero. The copy that learned from children "
        f"is further ahead on children than on adults in {_above(copies)} of {len(copies)} networks, beyond the "
        "interval: that is the data shift, planted in shape and strength of the expressions together. Of "
        f"{len(ages)} networks that learned from both ages, {_above(ages)} read drawn adults better than drawn "
        f"children, beyond the interval, and {_below(ages)} worse; where neither, the weaker expressions cost less "
        "than this many faces can show.\n\n"
    )
    caption = (
        "What was planted in the drawn faces, as the networks of this run show it. For the other groups the "
        "pictures are the same, so the dot has to stand at zero; the direction of the others is known, their size is not."
    )
    alt = "For each network four dots with intervals around a dashed line at zero."
    points = found.rename(columns={"architecture": "group", "difference": "estimate"})
    drawing = plots.differences(points, "difference in accuracy")
    return text + figures.show("calibration-planted", drawing, found, caption, alt)


def tones_part(found: pd.DataFrame) -> str:
    """Return whether the networks' gaps belong to group or to tone, in both sets (`analysis.planted.tone_or_group`)."""
    named = found["dataset"].map({DATASET: "none", GAP_DATASET: f"in group {GAP_GROUP}"})
    shown = pd.DataFrame(
        {
            "gap planted": named,
            "network": [style.name(run.split(".")[0]) for run in found["run_id"]],
            "gap of groups within tones": [f"{100 * gap:.1f}" for gap in found["group_gap"]],
            "worst group": found["worst_group"],
            "p (group)": [f"{p:.4f}" for p in found["group_p_value"]],
            "gap of tones within groups": [f"{100 * gap:.1f}" for gap in found["tone_gap"]],
            "worst tone": found["worst_tone"],
            "p (tone)": [f"{p:.4f}" for p in found["tone_p_value"]],
        }
    )
    plain, planted = (found[found["dataset"] == dataset] for dataset in (DATASET, GAP_DATASET))
    text = (
        f"\nWhere no gap was planted, the test of groups within tones speaks in {_speaks(plain, 'group')} networks; where "
        f"one was, in {_speaks(planted, 'group')}, and group {GAP_GROUP} is the worst in "
        f"{int((planted['worst_group'] == GAP_GROUP).sum())} of them; by Holm's rule over the networks, in "
        f"{_by_holm(plain)} and in {_by_holm(planted)}. The test of tones within groups speaks in "
        f"{_speaks(plain, 'tone')} networks without the gap and in {_speaks(planted, 'tone')} with it. Whether the "
        "drawings make dark tones harder to read nobody planted; the test of tones is how it would show. All "
        "networks saw the same children, so their answers are not independent.\n"
    )
    return (
        html_table(shown, "Gaps in accuracy, points, on drawn test children, the other factor held fixed")
        + text
    )


def _speaks(found: pd.DataFrame, factor: str) -> str:
    return f"{int((found[f'{factor}_p_value'] <= ALPHA).sum())} of {len(found)}"


def _by_holm(found: pd.DataFrame) -> int:
    return int(multipletests(found["group_p_value"], ALPHA, method="holm")[0].sum())


def _above(found: pd.DataFrame) -> int:
    return int((found["low"] > 0).sum())


def _below(found: pd.DataFrame) -> int:
    return int((found["high"] < 0).sum())


def _by_network(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(architecture=found["run_id"].str.split(".").str[0])
