"""A made-up data set in a simple layout, with its reader; and sets that are put among the results without pictures."""

import hashlib
import inspect
from pathlib import Path

import made_up_children
import made_up_layouts
import made_up_london
import numpy as np
import pandas as pd
from made_up import write_face

from face_sets import tables
from face_sets.duplicates import perceptual_hash
from face_sets.expressions import EXPRESSIONS
from face_sets.files import write_bytes
from face_sets.images import encode_png, without_bars
from face_sets.ingested import IngestedSet, Report
from face_sets.readers.reading import ROW_COLUMNS, Reading, Source, load_picture, name_of

WRITERS = {
    name.removeprefix("write_"): writer
    for module in (made_up_layouts, made_up_children, made_up_london)
    for name, writer in inspect.getmembers(module, inspect.isfunction)
}
"""By set: what writes a small copy of its owner's layout into a folder."""

NAME = "kdef"  # a set that is described and has a reader of its own
SECRET = "F-EA"
"""In every file name: names of real sets tell of the people, and must not be printed."""


def write_set(folder, people=4, expressions=EXPRESSIONS, size=96):
    """Write a face for each person and expression, named as `read` wants it."""
    for person in range(people):
        for expression in expressions:
            write_face(folder / f"{SECRET}-{person:02}_{expression}.jpg", person, size, expression=expression)


def read(folder: Path) -> Reading:
    """Rows from `<person>_<expression>.jpg`; files of other names are rejected."""
    names = sorted(path.name for path in folder.iterdir())
    good = [name for name in names if name.count("_") == 1]
    rows = pd.DataFrame({"path": pd.array(good, dtype="string")})
    parts = rows["path"].str.extract(r"(.*)_(.*)[.]\w+")
    rows = rows.assign(
        face_id=[name_of(NAME, name) for name in good],
        dataset=NAME,
        subject_id=NAME + "-" + parts[0].str[-2:],
        expression=parts[1],
        age_group="adult",
        ethnicity=np.where(np.arange(len(rows)) % 2, "A", "B"),
        domain="lab",
        source_key=rows["path"],
    )
    bad = [name for name in names if name not in good]
    rejected = pd.DataFrame({"path": bad, "reason": ["is misnamed"] * len(bad)}, dtype="string")
    return Reading(
        rows.reindex(columns=list(ROW_COLUMNS)).astype(dict(ROW_COLUMNS)), rejected, {"contempt": 3}
    )


SOURCE = Source(NAME, read, load_picture)


def ingested_rows(name, people, seed=0, age_group="child", **columns):
    """Rows of the table `ingested` with a hash drawn at random each, without pictures."""
    generator = np.random.default_rng([seed, len(name), *name.encode()])
    count = people * len(EXPRESSIONS)
    ids = [f"{name}-{hashlib.sha256(f'{name}{seed}{k}'.encode()).hexdigest()[:12]}" for k in range(count)]
    frame = pd.DataFrame(
        {
            "face_id": ids,
            "dataset": name,
            "subject_id": [f"{name}-{k // len(EXPRESSIONS):04}" for k in range(count)],
            "expression": [EXPRESSIONS[k % len(EXPRESSIONS)] for k in range(count)],
            "age_group": age_group,
            "domain": "lab",
            "source_key": ids,
            "path": [f"images-0/{name}/{face}.png" for face in ids],
            "sha256": [hashlib.sha256(face.encode()).hexdigest() for face in ids],
            "perceptual_hash": random_hashes(generator, count),
            "picture_hash": random_hashes(generator, count),
        }
    )
    return tables.conform(frame.assign(**columns), "ingested")


def random_hashes(generator, count):
    """Hashes of directions drawn at random: no two are near."""
    values = generator.normal(size=(count, 64))
    values *= 127 / np.linalg.norm(values, axis=1, keepdims=True)
    return [row.round().astype(np.int8).tobytes().hex() for row in values]


def moved_hash(digits, distance, seed=0):
    """A hash that is `distance` from another, up to rounding, in a direction drawn at random."""
    code = np.frombuffer(bytes.fromhex(digits), np.int8).astype(float)
    code /= np.linalg.norm(code)
    aside = np.random.default_rng(seed).normal(size=len(code))
    aside -= aside @ code * code
    angle = 2 * np.arcsin(distance / 2)
    moved = np.cos(angle) * code + np.sin(angle) * aside / np.linalg.norm(aside)
    return (127 * moved).round().astype(np.int8).tobytes().hex()


def put_set(results, name, people=12, draw=None, size=48, **columns):
    """Put a set among the results as if it had been ingested; `draw(number)` gives its pictures. Returns its rows."""
    rows = ingested_rows(name, people, **columns)
    target = IngestedSet(results, name)
    generator = np.random.default_rng(sum(name.encode()))
    digests, hashes, wholes = [], [], []
    for number, path in enumerate(rows["path"]):
        image = draw(number) if draw else generator.integers(0, 255, (size, size, 3)).astype(np.uint8)
        write_bytes(target.folder / path, data := encode_png(image))
        digests.append(hashlib.sha256(data).hexdigest())
        hashes.append(perceptual_hash(image))
        wholes.append(perceptual_hash(without_bars(image)))
    rows = rows.assign(sha256=digests, perceptual_hash=hashes, picture_hash=wholes)
    tables.write(rows, "ingested", target.faces_file)
    missed = rows.iloc[:1].assign(face_id=f"{name}-missed", reason="no face found", skin_tone=pd.NA)
    tables.write_sealed(missed, target.dropped_file)
    target.rejected_file.write_text("path,reason\n")
    target.write_report(Report(name, len(rows), 1, 0, 0, {}, {}, {}, size, "0"))
    return rows
