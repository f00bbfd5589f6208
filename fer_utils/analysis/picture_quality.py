"""Whether the pictures of groups are alike in quality, a reason of its own for one group to be read worse.

Three measures of the face as the networks get it: brightness and contrast, the mean and the standard deviation of its
grey levels, and sharpness (`face_sets.sharpness`). Each child counts once, with the mean over its pictures.
"""

from typing import Final

import cv2
import numpy as np
import pandas as pd
from scipy.stats import kruskal

from face_sets.images import Pixels
from face_sets.sharpness import sharpness
from fer_utils.analysis.group_pairs import holm

MEASURES: Final = ("brightness", "contrast", "sharpness")


def picture_quality(faces: pd.DataFrame, pixels: Pixels, group: str) -> pd.DataFrame:
    """Return one row a measure and a column a group, with the median over the group's children, and a test.

    `pixels` is uint8 (N, S, S, 3), in the order of the `faces` table, whose column `group` is taken; faces without a
    group are left out. Brightness and contrast are in grey levels, 0 to 255. `p_value` is that of Kruskal and Wallis
    (1952): how often groups of children drawn from one crowd would differ as much; `p_holm` allows for the three
    measures. Both are missing where fewer than two groups are known.
    """
    known = faces[group].notna().to_numpy()
    measured = pd.DataFrame([_measured(face) for face in pixels[known]], columns=list(MEASURES))
    keys = [faces.loc[known, column].astype(str).to_numpy() for column in (group, "subject_id")]
    children = measured.groupby(keys).mean()
    medians = children.groupby(level=0).median().T
    of_groups = [part for _, part in children.groupby(level=0)]
    p_values = pd.Series(
        [kruskal(*(part[measure] for part in of_groups)).pvalue for measure in MEASURES]
        if len(of_groups) > 1
        else np.nan,
        index=list(MEASURES),
        dtype=float,
    )
    table = medians.assign(p_value=p_values, p_holm=holm(p_values))
    return table.rename_axis("measure").reset_index()


def _measured(face: Pixels) -> tuple[float, float, float]:
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return float(grey.mean()), float(grey.std()), sharpness(face)
