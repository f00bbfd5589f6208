"""Sheets of numbered, unlabelled synthetic faces for people to name, and the key to them.

`python benchmarks/naming.py FOLDER` writes sheet-1.png to sheet-4.png, which readers see, and key.csv (number, face_id,
shown), which they do not. Answers go to data_manifests/synthetic_naming.csv: reader, number, face_id, shown, named.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from rendered_faces.action_units import EXPRESSIONS
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face

EACH, COLUMNS, ROWS, SIZE, LABEL = 20, 7, 5, 160, 20
"""Faces of each expression; a sheet's columns and rows; sides of a face and of its number's strip, pixels."""


def main() -> None:
    """Write the sheets and the key."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    plan = plan_faces(Design())
    trained = plan[plan["split"] == "train"]  # crossed, and of no child who hardly shows anything
    chosen = trained.groupby("expression").sample(EACH, random_state=0).sample(frac=1, random_state=1)
    folder.mkdir(parents=True, exist_ok=True)
    tiles = [_tile(n, render_face(row, SIZE)) for n, row in enumerate(chosen.to_dict("records"), 1)]
    for sheet in range(len(EXPRESSIONS) * EACH // (COLUMNS * ROWS)):
        part = tiles[sheet * COLUMNS * ROWS : (sheet + 1) * COLUMNS * ROWS]
        rows = [np.hstack(part[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)]
        cv2.imwrite(str(folder / f"sheet-{sheet + 1}.png"), np.vstack(rows))
    key = chosen[["face_id", "expression"]].rename(columns={"expression": "shown"})
    key.insert(0, "number", range(1, len(key) + 1))
    key.to_csv(folder / "key.csv", index=False)


def _tile(number: int, face: np.ndarray) -> np.ndarray:
    tile = np.full((SIZE + LABEL, SIZE, 3), 255, np.uint8)
    tile[LABEL:] = face[..., ::-1]
    cv2.putText(tile, str(number), (4, LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    main()
