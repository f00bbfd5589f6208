"""The generated parts of the chapter on published numbers, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fer_utils.reporting.page_figures import PageFigures
from fer_utils.reporting.provenance import Provenance
from fer_utils.reporting.published_groups import groups_part, sizes_part, versions_part
from fer_utils.reporting.published_scores import difference_part, fractions_part, intervals_part, metrics_part

CHAPTER: Final = "published_numbers"
"""The page's name, which is also the folder of its figures."""


def published_pages(folder: Path, source: Provenance) -> Mapping[str, str]:
    """Return the chapter's generated parts, MyST text by name; its figures are saved in `folder`.

    `folder` is `paths.figures(CHAPTER)`. Every sentence that holds a number is made here, from the data files.
    """
    parts: dict[str, Callable[[PageFigures], str]] = {
        "metrics": metrics_part, "intervals": intervals_part, "difference": difference_part, "fractions": fractions_part,
        "sizes": sizes_part, "groups": groups_part, "versions": versions_part,
    }  # fmt: skip
    figures = PageFigures(folder, source)
    return {f"published_{name}": part(figures) for name, part in parts.items()}
