"""The sentences of a model card; poor results are said as plainly as good ones."""

from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from fer_utils.analysis.card_facts import CardFacts, worst_expression, worst_group
from fer_utils.reporting.card_inputs import FACTOR_NAMES, CardInputs, interval, percent, share

SOURCE: Final = (
    "A living replication of Banerjee et al. (2023, https://doi.org/10.2196/39917), whose models this is not."
)
USES: Final = (
    "For trying out, porting and timing a phone-sized classifier, and for research into how such classifiers fail. "
    "Not for any decision about a person: it is not a diagnosis and no medical device, and a posed expression is not a "
    "felt emotion. It knows seven posed expressions and will name one of them for whatever picture it is given, a face "
    "or not. A child does not use it alone."
)
PREPARING: Final = (
    "Scaling of the levels is inside the file. Outside it the face must be found, turned level and cut out by the rule "
    "that cut the training faces; faces cut out otherwise are read worse. `golden.json` holds an input with the answer "
    "that it must give."
)
TIMES: Final = (
    "Told apart by kind: only a phone's row was measured on a phone. A prediction's interval is its own held-out "
    "error. Times are of this graph at the input side named in the row."
)


def lead(known: CardInputs) -> str:
    """Return what must be read before anything else."""
    if known.study.face_source == "synthetic":
        learned = (
            "**Trained and tested on synthetic faces alone: drawings by a program, not photographs. What it scores on "
            "them says nothing about real faces.**"
        )
    else:
        learned = "**Trained and tested on licensed photographs.**"
    about = "Names one of seven posed facial expressions. Not a diagnosis; a posed expression is not a felt emotion."
    return f"{learned} {about}"


def scores_text(known: CardInputs) -> str:
    """Return the scores on held-out children, and whether the network has learned at all."""
    scores = known.facts.scores
    children = f"{scores['images']} images of {scores['subjects']} held-out children"
    told = (
        f"On {children} ({known.facts.dataset}, {known.study.kind_of_faces}): "
        f"accuracy {share(scores, 'accuracy')}, balanced accuracy {share(scores, 'balanced_accuracy')}, "
        f"macro F1 {share(scores, 'macro_f1')}. In brackets 95 % intervals over children."
    )
    return (
        told if scores["has_learned"] else f"**Has not learned: its interval does not clear chance.** {told}"
    )


def groups_text(known: CardInputs) -> str:
    """Return how the table of groups is to be read."""
    letters = (
        "Groups A to E are letters that stand for no people; skin tones are of the Monk scale, 1 the lightest. "
        if known.study.face_source == "synthetic"
        else ""
    )
    return f"{letters}A group with too few children to speak of is marked; its figure is no finding."


def calibration_text(facts: CardFacts) -> str:
    """Return how true the probabilities are."""
    return (
        f"Expected calibration error {share(facts.scores, 'calibration_error')}: so far, on average, the probability of the "
        "answer and the share of right answers lie apart. Perfectly true probabilities would come out at "
        f"{percent(facts.calibration_by_chance)} with as many images."
    )


def failures_text(known: CardInputs) -> str:
    """Return what the tables know against the model, a line each."""
    worst = worst_expression(known.facts)
    told = [
        f"Worst expression: {worst['expression']}, recall {percent(worst['recall'])} "
        f"({interval(worst['low'], worst['high'])})" + _confusion(worst)
    ]
    group = worst_group(known.facts)
    if group is not None:
        told.append(
            f"Worst group large enough to speak of: {FACTOR_NAMES.get(group['factor'], group['factor'])} {group['group']}, "
            f"accuracy {percent(group['accuracy'])} ({interval(group['low'], group['high'])})."
        )
    if (against := known.facts.against_float) is not None:
        told.append(
            f"Against its float32 file on the same faces: {100 * against.estimate:+.1f} points of accuracy "
            f"({100 * against.low:+.1f} to {100 * against.high:+.1f})."
        )
    if known.photographs is not None:
        told.append(
            f"On {known.photographs['images']} photographs of adults (the London set, some of the seven expressions only): "
            f"balanced accuracy {share(known.photographs, 'balanced_accuracy')}."
        )
    elif known.study.face_source == "synthetic":
        told.append("Never tried on a photograph in this run.")
    told.append(f"It cannot say that it does not know: one of {', '.join(EXPRESSIONS)} is always the answer.")
    return "\n".join(f"- {sentence}" for sentence in told)


def _confusion(worst: pd.Series) -> str:
    if pd.isna(worst["taken_for"]):
        return "."
    return f", taken for {worst['taken_for']} in {percent(worst['taken_share'])} of its images."


def release_text(known: CardInputs) -> str:
    """Return whether the model may be given away."""
    if known.forbidding:
        return (
            f"**Must not be given away.** It may have learned from {', '.join(known.forbidding)}, whose terms forbid that "
            "such a model is released: it is neither packed nor served."
        )
    return "May be given away under the Apache License 2.0: the terms of every set that it learned from allow it."


def learned_text(known: CardInputs) -> str:
    """Return how the faces were split."""
    return f"The {known.study.kind_of_faces} of the table. Subjects of one split are in no other."
