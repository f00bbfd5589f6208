"""Data sheets for readers: what each set is, who may have it, how its labels are read, and what it leaves out."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from face_sets.expressions import EXPRESSIONS
from face_sets.manifests import Manifest, StudyFields
from fer_utils.reporting.pages import html_table

USES: Final = {"training": "training", "testing": "testing only", "external": "external test"}
"""What readers call a set's use, in the order of the overview; within one use, by name."""

ACCESS: Final = {
    "none": "made here",
    "download": "download",
    "request": "on request",
    "agreement": "signed agreement",
    "own": "yours",
}
"""What readers call what stands before a set."""

NOT_COUNTED: Final = "yes"
NONE: Final = "none"

INTRODUCTION: Final = """# Data sets

What each manifest in `data_manifests/` says of its set: no manifest holds or lists an image. The published abstract
does not name its twelve public sets; the twelve among the training sets here (all but GuessWhat, the synthetic faces and
your own) are declared by this replication. CAFE is for testing only. If the terms of your own copy differ from what
stands here, yours hold.
"""


def data_sheets_page(manifests: Sequence[Manifest]) -> str:
    """Return a page with a table of all sets, their classes, and one section a set, as MyST Markdown."""
    ordered = _ordered(manifests)
    counted = "Images by expression, as published. *yes*: the set has the class, but no confirmed count; *none*: it has not."
    tables = [
        html_table(overview(ordered), "All sets", cards=True),
        f"## Which set has which expression\n\n{counted}\n\n" + html_table(class_coverage(ordered)),
    ]
    sections = [f"## {m.name}\n\n{m.description}\n\n{html_table(data_sheet(m))}" for m in ordered]
    return "\n".join([INTRODUCTION, *tables, *sections])


def overview(manifests: Sequence[Manifest]) -> pd.DataFrame:
    """Return one row a set, all text: set, ages, kind, people, images, expressions, access, used for."""
    rows = [
        {
            "set": manifest.short_name,
            "ages": manifest.study.ages,
            "kind": manifest.study.posing,
            "people": _number(manifest.study.subjects),
            "images": _published(manifest.study),
            "expressions": _expressions(manifest.study),
            "access": ACCESS[manifest.study.access],
            "used for": USES[manifest.study.use],
        }
        for manifest in _ordered(manifests)
    ]
    return pd.DataFrame(rows)


def class_coverage(manifests: Sequence[Manifest]) -> pd.DataFrame:
    """Return one row a set and one column an expression: the published count, `yes` without one, or `none`."""
    rows = [
        {"set": manifest.short_name, **{name: _class(manifest.study, name) for name in EXPRESSIONS}}
        for manifest in _ordered(manifests)
    ]
    return pd.DataFrame(rows, columns=["set", *EXPRESSIONS])


def data_sheet(manifest: Manifest) -> pd.DataFrame:
    """Return what is known of a set as question and answer, all text."""
    study, rai = manifest.study, manifest.rai
    answers = {
        "used for": study.role,
        "who may have it": manifest.conditions,
        "how to get it": study.how_to_get,
        "terms in plain words": study.terms,
        "ages": study.ages,
        "age groups here": ", ".join(study.age_groups),
        "how the expressions came about": study.posing,
        "people": _number(study.subjects),
        "size, as published": _published(study),
        "by expression, as published": _listed(study.counts),
        "who counted": study.counts_source,
        "labels read as": _codes(study),
        "labels not used": ", ".join(code for code, name in study.codes.items() if name is None) or NONE,
        "left out": study.dropped,
        "how it was collected": _text(rai["rai:dataCollection"]),
        "how it was labelled": _text(rai["rai:dataAnnotationProtocol"]),
        "what is personal in it": _text(rai["rai:personalSensitiveInformation"]),
        "biases": _text(rai["rai:dataBiases"]),
        "limitations": _text(rai["rai:dataLimitations"]),
        "the people shown": _text(rai["rai:dataSocialImpact"]),
        "may its pictures be shown?": _yes(study.may_publish),
        "may a model trained on it be given away?": _yes(study.may_release_model),
        "please cite": manifest.citation,
        "owner's page": manifest.url,
        "licence or terms": manifest.license,
    }
    return pd.DataFrame(answers.items(), columns=["question", "answer"])


def _ordered(manifests: Sequence[Manifest]) -> list[Manifest]:
    return sorted(
        manifests, key=lambda manifest: (list(USES).index(manifest.study.use), manifest.name.lower())
    )


def _class(study: StudyFields, expression: str) -> str:
    if expression in study.counts:
        return f"{study.counts[expression]:,}"
    return NOT_COUNTED if expression in study.expressions else NONE


def _expressions(study: StudyFields) -> str:
    absent = [name for name in EXPRESSIONS if name not in study.expressions]
    if not absent:
        return "all seven"
    few = len(study.expressions) < len(absent)
    return "only " + ", ".join(study.expressions) if few else "no " + ", no ".join(absent)


def _codes(study: StudyFields) -> str:
    return "; ".join(
        f"{name}: {', '.join(code for code, meant in study.codes.items() if meant == name)}"
        for name in study.expressions
    )


def _published(study: StudyFields) -> str:
    return "not known" if study.published_images is None else f"{study.published_images:,} {study.counted}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in EXPRESSIONS if name in counts) or "not known"


def _number(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)
