"""Data sheets: the tables of what each set is, who may have it, how its labels are read, and what it leaves out."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from face_sets.manifests import Manifest, StudyFields

USES: Final = {"training": "training", "testing": "testing only", "external": "external test"}
"""The uses of sets and their names for readers, in the order of the overview; within one use, by name."""

ACCESS: Final = {
    "none": "made here",
    "download": "download",
    "request": "on request",
    "agreement": "signed agreement",
    "own": "yours",
}
"""The kinds of access and their names for readers."""

UNKNOWN: Final = "not known"
NONE: Final = "none"


def overview(manifests: Sequence[Manifest]) -> pd.DataFrame:
    """Return one row per set, all text: set, ages, kind, people, images, expressions, access, used for."""
    rows = [
        {
            "set": manifest.short_name,
            "ages": manifest.study.ages,
            "kind": manifest.study.posing,
            "people": _number(manifest.study.subjects),
            "images": _number(manifest.study.published_images, manifest.study.counted),
            "expressions": _expressions(manifest.study),
            "access": ACCESS[manifest.study.access],
            "used for": USES[manifest.study.use],
        }
        for manifest in ordered(manifests)
    ]
    return pd.DataFrame(rows)


def class_coverage(manifests: Sequence[Manifest]) -> pd.DataFrame:
    """Return one row per set and one column per expression: the published count, `yes` without one, or `none`."""
    rows = [
        {"set": manifest.short_name, **{name: _class(manifest.study, name) for name in EXPRESSIONS}}
        for manifest in ordered(manifests)
    ]
    return pd.DataFrame(rows, columns=["set", *EXPRESSIONS])


def data_sheet(manifest: Manifest) -> pd.DataFrame:
    """Return what is known of a set as question and answer, all text."""
    study, rai = manifest.study, manifest.rai
    counts = ", ".join(f"{name} {study.counts[name]:,}" for name in EXPRESSIONS if name in study.counts)
    answers = {
        "used for": study.role,
        "who may have it": manifest.conditions,
        "how to get it": study.how_to_get,
        "terms in plain words": study.terms,
        "ages": study.ages,
        "age groups here": ", ".join(study.age_groups),
        "origin of the expressions": study.posing,
        "people": _number(study.subjects),
        "size, as published": _number(study.published_images, study.counted),
        "by expression, as published": counts or UNKNOWN,
        "who counted": study.counts_source,
        "labels read as": "; ".join(
            f"{name}: {', '.join(_codes(study, name))}" for name in study.expressions
        ),
        "labels not used": ", ".join(_codes(study, None)) or NONE,
        "left out": study.dropped,
        "how it was collected": _text(rai["rai:dataCollection"]),
        "how it was labelled": _text(rai["rai:dataAnnotationProtocol"]),
        "personal information": _text(rai["rai:personalSensitiveInformation"]),
        "biases": _text(rai["rai:dataBiases"]),
        "limitations": _text(rai["rai:dataLimitations"]),
        "the people shown": _text(rai["rai:dataSocialImpact"]),
        "may its pictures be shown?": "yes" if study.may_publish else "no",
        "may a model trained on it be given away?": "yes" if study.may_release_model else "no",
        "please cite": manifest.citation,
        "owner's page": manifest.url,
        "licence or terms": manifest.license,
    }
    return pd.DataFrame(answers.items(), columns=["question", "answer"])


def ordered(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return the manifests by use, those of one use by name."""
    uses = list(USES)
    return sorted(manifests, key=lambda manifest: (uses.index(manifest.study.use), manifest.name.lower()))


def _class(study: StudyFields, expression: str) -> str:
    if expression in study.counts:
        return f"{study.counts[expression]:,}"
    return "yes" if expression in study.expressions else NONE


def _expressions(study: StudyFields) -> str:
    absent = [name for name in EXPRESSIONS if name not in study.expressions]
    if not absent:
        return "all seven"
    few = len(study.expressions) < len(absent)
    return "only " + ", ".join(study.expressions) if few else "no " + ", no ".join(absent)


def _codes(study: StudyFields, expression: str | None) -> list[str]:
    """The set's own labels that are read as an expression; None: as none."""
    return [code for code, meant in study.codes.items() if meant == expression]


def _number(value: int | None, unit: str = "") -> str:
    return UNKNOWN if value is None else f"{value:,} {unit}".strip()


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)
