"""What could make the study's conclusions wrong, each threat with the number that bounds it, computed and never typed.

Published numbers give what CAFE can show at best; the tables of the run give what the run can.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from expression_scores.groups import Clustering, detectable_gaps
from expression_scores.metrics import scores_of_confusions
from expression_scores.printed_scores import ALPHA
from expression_scores.training_seeds import known_spread
from fer_utils.analysis.claims import children_by_group, load_claims, printed
from fer_utils.analysis.evidence import Tables, Unavailable, confusions_of, trained_runs
from fer_utils.study import Study

NETWORKS, COPIES = 5, 15
"""What the paper chose its best network from: five architectures, three copies of each."""

SHARED: Final = (0.6, 0.4)
"""Share of the luck on single photographs that networks have in common, from more to less: not known, our assumption."""

ALIKE: Final = (0.1, 0.25)
"""Correlation between photographs of one child on CAFE, our assumption; the run's own is on the page of groups."""


@dataclass(frozen=True)
class Threat:
    """A threat to a conclusion: what it is, the ends of the number that bounds it with its unit, and where it is from."""

    name: str
    meaning: str
    low: float
    high: float
    unit: str

    @property
    def bound(self) -> str:
        """The number in words: one value, or from the lower to the higher end."""
        low, high = f"{self.low:.1f}", f"{self.high:.1f}"
        return f"{low} {self.unit}" if low == high else f"{low} to {high} {self.unit}"


def threats(study: Study, tables: Tables) -> list[Threat]:
    """Return the threats, those that published numbers bound first, then those that the run's tables do."""
    claims = {claim.id: claim for claim in load_claims()}
    score, raters = float(claims["accuracy-all"].published or np.nan), printed("libreface-raters").value
    photographs, children = printed("cafe-photographs").value, int(printed("cafe-children").value)
    judged = sum(claim.rule is not None for claim in claims.values())
    lead = printed("reference-score").value - score
    best = [expected_lead(NETWORKS, score / 100, photographs, shared) for shared in SHARED]
    most = [expected_lead(COPIES, score / 100, photographs, shared) for shared in SHARED]
    errors = [standard_error(score / 100, photographs, children, each) for each in ALIKE]
    clusters = [Clustering(score / 100, each, photographs / children, 0.0) for each in ALIKE]
    gaps = [float(detectable_gaps(each, children_by_group())["detectable"].max()) for each in clusters]
    alike = f"with a correlation of {ALIKE[0]} to {ALIKE[1]} within children"
    known = known_spread()
    found = [
        Threat("The best network may have been chosen on the test set",
               f"The best of {NETWORKS} equally good networks scores higher than it is by this much, by chance; the printed "
               f"difference from the reference network is {lead:.2f} points.", *_points(best), "points"),
        Threat("So may the best copy", f"The same for {COPIES} copies.", *_points(most), "points"),
        Threat("The training seed", f"Standard deviation of children's copy minus adults' copy over {known.seeds} repeated "
               f"trainings of each of {len(known.architectures)} networks on the quick faces; the abstract mentions none.",
               *_points([known.least, known.most]), "points"),
        Threat("CAFE's children are a sample", f"Standard error of an accuracy of {score} % over other such children, "
               f"{alike}; a statement on these children alone has none of it.", *_points(errors), "points"),
        Threat("Small groups", "The true gap between CAFE's two smallest groups that a test finds in four cases of five, "
               f"{alike}.", *_points(gaps), "points"),
        Threat("Many verdicts", f"Expected wrong verdicts if each of {judged} rules errs in {100 * ALPHA:.0f} % of cases.",
               judged * ALPHA, judged * ALPHA, "claims"),
        Threat("Labels", f"Accuracy of human raters on CAFE; {score} % is {100 * score / raters:.0f} % of it, so scores "
               f"above {raters:g} % show how well labels are learned, not how well faces are read.", raters, raters, "%"),
    ]  # fmt: skip
    return found + [each for each in (_class_mix(study, tables), _domain(tables)) if each]


def hyper_parameters(study: Study) -> list[tuple[str, str, str]]:
    """Return every field of a study in its order: name, value, what it is."""
    values = study.model_dump(mode="json")
    fields = type(study).model_fields
    return [(name, _words(values[name]), fields[name].description or "") for name in fields]


def expected_lead(networks: int, share: float, photographs: float, shared: float) -> float:
    """Return by how much the best of equally good networks scores above the truth, 0 to 1: the mean of the largest of
    normal errors (Tippett 1925), each of a share of photographs, less what all networks have in common."""
    largest, _ = quad(lambda x: x * networks * norm.pdf(x) * norm.cdf(x) ** (networks - 1), -10, 10)
    return float(largest * np.sqrt(share * (1 - share) / photographs * (1 - shared)))


def standard_error(share: float, photographs: float, children: int, correlation: float) -> float:
    """Return the standard error of a share, 0 to 1, of children with equally many photographs that correlate."""
    effect = Clustering(share, correlation, photographs / children, 0.0).design_effect
    return float(np.sqrt(share * (1 - share) / photographs * effect))


def _class_mix(study: Study, tables: Tables) -> Threat | None:
    """How far plain and balanced accuracy of the all-data copies differ, on this run's test children."""
    try:
        runs = [trained_runs(tables, network, "all").iloc[0] for network in study.architectures]
        confusions = [confusions_of(tables, run["run_id"], study.test_set) for run in runs]
    except Unavailable:
        return None
    scores = [scores_of_confusions(each.sum(axis=0)) for each in confusions]
    apart = [100 * abs(float(each["accuracy"] - each["balanced_accuracy"])) for each in scores]
    meaning = "Plain and balanced accuracy of a network of this run differ: the abstract does not say which it gives."
    return Threat("The mix of expressions", meaning, min(apart), max(apart), "points")


def _domain(tables: Tables) -> Threat | None:
    """Share of adult training faces from domains that no child's training face is from."""
    training = tables.faces[tables.faces["split"] == "train"]
    adults = training[training["age_group"].isin(["adult", "unknown"])]
    domains = set(training.loc[training["age_group"] == "child", "domain"])
    if adults.empty:
        return None
    other = 100 * float((~adults["domain"].isin(domains)).mean())
    meaning = "Adult training faces of this run from a domain without child faces, where age and domain are confounded."
    return Threat("The domain of the pictures", meaning, other, other, "%")


def _points(shares: list[float]) -> tuple[float, float]:
    return 100 * min(shares), 100 * max(shares)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
