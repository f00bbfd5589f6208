"""Faces packed in one file: whatever byte of it is damaged, reading says so and does not end the program."""

import hashlib

import pandas as pd

from face_sets.packed_faces import NAME, is_packed, write_packed

FACES = {"a.png": b"one face", "b/c.png": b"another", "d.png": b"a third"}


def test_any_damaged_byte_leaves_an_answer(tmp_path):
    for path, content in FACES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    write_packed(tmp_path, list(FACES))
    digests = [hashlib.sha256(content).hexdigest() for content in FACES.values()]
    faces = pd.DataFrame({"path": list(FACES), "sha256": digests})
    assert is_packed(tmp_path, faces)
    whole = (tmp_path / NAME).read_bytes()
    answers = []
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] = 0xFF if whole[place] != 0xFF else 0
        (tmp_path / "new").write_bytes(damaged)
        (tmp_path / "new").replace(tmp_path / NAME)  # a mapped file must not change below whoever reads it
        answers.append(is_packed(tmp_path, faces))
    assert set(answers) == {True, False}  # True where the byte only fills a gap
