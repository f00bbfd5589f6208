"""Whether an exported file computes what the network computes that it was made from."""

import numpy as np
import pandas as pd

from face_sets.expressions import PROBABILITY_COLUMNS


def parity(predictions: pd.DataFrame, exported: pd.DataFrame) -> pd.DataFrame:
    """Return one row an exported run, beside its parent on the same faces.

    `predictions` holds both runs' answers, `exported` the rows of `runs` (parent_run_id says from which network).
    Columns: run_id, architecture, technique, precision, faces, largest_difference (of any probability, 0 to 1),
    same_class (share of faces with the same most probable expression).
    Raises ValueError for a run whose parent has no predictions of the same faces.
    """
    answers = {
        str(run): part.set_index("face_id").sort_index() for run, part in predictions.groupby("run_id")
    }
    rows = []
    for run in exported.itertuples():
        file, network = (answers.get(str(name)) for name in (run.run_id, run.parent_run_id))
        if file is None or network is None or not file.index.equals(network.index):
            raise ValueError(f"{run.run_id} and {run.parent_run_id} need predictions of the same faces")
        ours, theirs = (part[list(PROBABILITY_COLUMNS)].to_numpy(float) for part in (file, network))
        rows.append(
            {
                "run_id": run.run_id,
                "architecture": run.architecture,
                "technique": run.technique,
                "precision": run.precision,
                "faces": len(ours),
                "largest_difference": float(np.abs(ours - theirs).max()),
                "same_class": float((ours.argmax(1) == theirs.argmax(1)).mean()),
            }
        )
    return pd.DataFrame(rows)
