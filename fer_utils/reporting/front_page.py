"""The first page: how many verdicts of each kind, findings with one number each, two figures, controls, claims.

Numbers come from `analysis.published_tables` and from the tables behind other pages' figures.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from expression_scores.printed_scores import ALPHA, most_discordant, numerators
from fer_utils.analysis import published_tables
from fer_utils.analysis.claims import Claim, printed, published
from fer_utils.analysis.published_tables import SOURCES, children_by_group, photographs
from fer_utils.analysis.verdicts import VERDICTS
from fer_utils.paths import Paths
from fer_utils.reporting import plots
from fer_utils.reporting.build import render
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.in_words import LEVEL
from fer_utils.reporting.provenance import Provenance, edition
from fer_utils.reporting.released import released

FOLDER: Final = "front"
"""Of the figures of this page, and name of its generated part."""

SHOWN_CORRELATIONS: Final = (0.0, 0.2)
"""Within children: none, which gives the narrowest intervals, and a fifth of the variance."""

OURS: Final = " (ours)"
"""Ends the names of this run's networks in the figure of smiles."""


class Finding(NamedTuple):
    """One result: its number as shown, the sentence that explains it, and where it is shown."""

    number: str
    sentence: str
    address: str


def front_page(board: pd.DataFrame, claims: Sequence[Claim], links: dict[str, Any], paths: Paths) -> str:
    """Return the generated part of the first page, as MyST Markdown, and save its figures with their tables.

    `board` is the scoreboard, `links` each claim's links, by its id.
    """
    latencies = pd.read_csv(paths.figures("05_moto_g6_profiling") / "latency-sources.csv")
    counts = board["verdict"].value_counts()
    return render(
        "front.md.j2", claims=len(claims), findings=findings(latencies), figures=_figures(latencies, paths),
        counts=[(word, int(counts.get(word, 0))) for word in VERDICTS], controls=controls(paths), links=links,
        smiles=smiles(pd.read_csv(paths.figures("03_cohorts") / "smiles-by-sex.csv")), released=released(),
        groups=[(word, board[board["verdict"] == word].to_dict("records")) for word in VERDICTS], edition=edition(),
        kind=paths.study.kind_of_faces, one_seed=not paths.study.further_seeds, profile=paths.study.profile,
    )  # fmt: skip


def findings(latencies: pd.DataFrame) -> list[Finding]:
    """Return what the published numbers imply without any training; `latencies` is the table of stage 5's figure."""
    page = "stages/07_published_numbers.html"
    score, gap = published("accuracy-all"), published("below-reference")
    whole = numerators(score, photographs())
    bounds = [most_discordant(net) for net in published_tables.net_photographs()]
    chance = float(published_tables.chance_gaps((0.0,))["as_wide"].iloc[0])
    article, preprint, _ = published_tables.nearest_sizes(published_tables.reference_sizes())
    both = " and ".join(f"{ms:g}" for ms in sorted(published_tables.published_claims()["ms"], reverse=True))
    common, tried = common_threads(latencies), " nor ".join(each.split(", ")[-1] for each in SOURCES[1:3])
    fit = (
        f"both fit our prediction for {common}"
        if common
        else f"fit our prediction together with neither {tried}"
    )
    return [
        Finding(f"{score:.2f} %", f"The paper's best accuracy {'can' if whole else 'cannot'} be a whole number out "
                f"of CAFE's {photographs():,} photographs.", f"{page}#which-fraction-of-cafe-is-it"),
        Finding(f"{bounds[0]} to {bounds[1]}", "photographs: if only one of the best and the reference network is right "
                f"on more, their gap of {gap:.2f} points is not significant.",
                f"{page}#does-the-gap-to-the-best-earlier-network-differ-from-zero"),
        Finding(f"1 in {1 / chance:.0f}", f"studies or more, of {len(children_by_group())} groups of CAFE's sizes, shows a "
                f"gap of {published('accuracy-gap'):.2f} points or more by chance.", f"{page}#groups-of-eleven-children"),
        Finding(f"{both} ms", f"The published times of two networks on one phone {fit}, as float32 files.",
                "stages/05_moto_g6_profiling.html#latency-sources"),
        Finding(f"{article:.1f} or {preprint:.1f}", "million parameters: the paper and its preprint imply two sizes "
                "for the same earlier network (with this project's heads).", f"{page}#how-large-is-the-reference-network"),
    ]  # fmt: skip


def common_threads(latencies: pd.DataFrame) -> str:
    """Return which predicted setting covers all published times by its intervals, in words; empty if none does."""
    said = latencies[latencies["source"] == SOURCES[0]].set_index("architecture")["ms"]
    fitting = []
    for source in SOURCES[1:3]:
        ends = latencies[latencies["source"] == source].set_index("architecture").reindex(said.index)
        if bool(said.between(ends["low_ms"], ends["high_ms"]).all()):
            fitting.append(source.split(", ")[-1])
    return " or ".join(fitting)


def controls(paths: Paths) -> dict[str, Any]:
    """Return how many analyses exceed their false-positive limit, and how often planted effects were detected.

    Keys: rates, beyond, highest (a share), its limit `permitted`, repeats; effects, one per kind of difference: effect,
    networks, detected, expected by chance; in how many networks groups were `tested`, and the planted gap was `found`.
    """
    folder = paths.figures("08_validation")
    rates = pd.read_csv(folder / "validation-false-positives.csv")
    top, planted = rates.iloc[int(rates["rate"].argmax())], pd.read_csv(folder / "validation-planted.csv")
    effects, p_values = [], planted.get("group_p_value", pd.Series(dtype=float))
    for series, part in planted.groupby("series", sort=False) if "series" in planted else ():
        detected = int(((part["low"] > 0) | (part["high"] < 0)).sum())
        unequal = int((part["difference"] != 0).sum())  # equal pictures get equal answers, without chance
        effects.append({"effect": series, "networks": len(part), "detected": detected,
                        "expected by chance": f"{LEVEL * unequal:.2f}"})  # fmt: skip
    return {
        "rates": len(rates), "beyond": int((~rates["within_limit"]).sum()), "repeats": int(rates["repeats"].max()),
        "highest": float(top["rate"]), "permitted": float(top["allowed_high"]), "effects": pd.DataFrame(effects),
        "tested": int(p_values.notna().sum()), "found": int((p_values <= ALPHA).sum()),
    }  # fmt: skip


def smiles(by_sex: pd.DataFrame) -> dict[str, str]:
    """Return which shares of real adults' smiles are recognised, in words: `open` networks', and `ours` if there are any."""
    ours = by_sex["group"].astype(str).str.endswith(OURS)
    parts = {"open": by_sex[~ours], "ours": by_sex[ours]}
    ends = {who: 100 * part["estimate"].agg(["min", "max"]) for who, part in parts.items() if len(part)}
    return {who: f"{least:.0f} to {most:.0f} %" for who, (least, most) in ends.items()}


def _figures(latencies: pd.DataFrame, paths: Paths) -> list[dict[str, str]]:
    """Save the two figures; return for each what the template shows: name and result."""
    scores = published_tables.score_intervals(SHOWN_CORRELATIONS).rename(columns={"series": "group"})
    within = SHOWN_CORRELATIONS[1]
    labels = {0.0: "photographs independent", within: f"correlation {within:g} within children"}
    scores["series"] = scores["correlation"].map(labels)
    shares = {"estimate": scores["percent"] / 100, "low": scores["low"] / 100, "high": scores["high"] / 100}
    persons = {"subjects": published_tables.children(), "images": published_tables.photographs()}
    scores = scores[["group", "series"]].assign(**persons, **shares)
    reference = f"the reference network's {printed('reference-score').printed} %"
    told = latencies[latencies["source"].isin(SOURCES[:3])]
    told = told[told["architecture"].isin(published_tables.published_claims()["architecture"])]
    told = told.assign(source=pd.Categorical(told["source"], categories=SOURCES[:3]))
    level = printed("reference-score").value / 100
    drawn = {
        "published-scores": (plots.scores_near(scores, "score on CAFE", level, reference), scores),
        "published-times": (plots.latency_sources(told), told),
    }
    source = Provenance(paths.study.profile, "published numbers", {}, "")
    for name, (figure, data) in drawn.items():
        save_figure(figure, name, data, folder=paths.figures(FOLDER), source=source)
    return [{"name": name, "result": str(figure.get_label())} for name, (figure, _) in drawn.items()]
