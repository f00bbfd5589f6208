import hashlib

import numpy as np
import pandas as pd
import pytest

from face_sets import face_images
from face_sets.face_images import FaceImages, StoredFaceError, load_pixels
from face_sets.files import write_bytes
from face_sets.images import encode_png
from face_sets.packed_faces import NAME, write_packed


@pytest.fixture
def stored(tmp_path):
    """Ten images of random levels, and what of the `faces` table `load_pixels` needs."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
    data = [encode_png(image) for image in pixels]
    for k, encoded in enumerate(data):
        write_bytes(tmp_path / "s" / f"{k}.png", encoded)
    faces = pd.DataFrame(
        {"path": [f"s/{k}.png" for k in range(10)], "sha256": [hashlib.sha256(d).hexdigest() for d in data]}
    )
    return tmp_path, faces, pixels


def test_pixels_come_back_in_the_tables_order(stored):
    folder, faces, pixels = stored
    np.testing.assert_array_equal(load_pixels(faces, folder, 32), pixels)
    np.testing.assert_array_equal(load_pixels(faces[::-1], folder, 32), pixels[::-1])


def test_pixels_are_resized_by_averaging(stored):
    folder, faces, pixels = stored
    halves = pixels.reshape(10, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    assert np.abs(load_pixels(faces, folder, 16) - halves).max() <= 0.5


def test_an_empty_table_gives_no_pixels(stored):
    folder, faces, _ = stored
    assert load_pixels(faces.iloc[:0], folder, 16).shape == (0, 16, 16, 3)


def test_missing_changed_and_cut_files_are_counted_not_named(stored):
    folder, faces, pixels = stored
    (folder / "s/1.png").unlink()
    write_bytes(folder / "s/2.png", encode_png(pixels[3]))
    (folder / "s/4.png").write_bytes((folder / "s/4.png").read_bytes()[:50])
    (folder / "s/5.png").write_bytes(b"")
    with pytest.raises(StoredFaceError, match="^4 of 10 stored faces") as error:
        load_pixels(faces, folder, 32)
    assert ".png" not in str(error.value)
    assert str(folder) not in str(error.value)


@pytest.mark.parametrize("kept_bytes", [0, 2**30])
def test_kept_images_and_those_read_on_demand_are_the_same(stored, kept_bytes):
    folder, faces, pixels = stored
    images = FaceImages.stored(faces, folder, 32, kept_bytes)
    assert len(images) == 10
    np.testing.assert_array_equal(images[2:5], pixels[2:5])
    np.testing.assert_array_equal(images[np.array([7, 1, 7])], pixels[[7, 1, 7]])
    odd = images.part(np.arange(10) % 2 == 1)
    np.testing.assert_array_equal(odd.part(np.array([0, 1, 1, 0, 0], bool))[:], pixels[[3, 5]])
    assert images[:0].shape == (0, 32, 32, 3)


def test_packed_faces_are_read_from_one_file_that_is_checked(stored):
    folder, faces, pixels = stored
    write_packed(folder, faces["path"].tolist())
    for path in faces["path"]:
        (folder / path).unlink()
    images = FaceImages.stored(faces[::-1], folder, 32, kept_bytes=0)
    np.testing.assert_array_equal(images[np.array([0, 9, 4])], pixels[[9, 0, 5]])
    whole = (folder / NAME).read_bytes()
    picture = whole.index(encode_png(pixels[3]))
    (folder / NAME).write_bytes(whole[: picture + 60] + b"\0" + whole[picture + 61 :])
    with pytest.raises(StoredFaceError, match="^1 of 10 stored faces"):
        FaceImages.stored(faces, folder, 32, kept_bytes=0)
    (folder / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoredFaceError, match="is damaged"):
        FaceImages.stored(faces, folder, 32, kept_bytes=0)
    write_bytes(folder / NAME, whole)
    with pytest.raises(StoredFaceError, match="^1 of 11 stored faces"):
        more = pd.DataFrame({"path": ["s/10.png"], "sha256": ["0"]})
        load_pixels(pd.concat([faces, more]), folder, 32)


def test_what_does_not_fit_is_read_only_on_demand(stored, monkeypatch):
    folder, faces, _ = stored
    asked = []
    black = np.zeros((32, 32, 3), np.uint8)
    monkeypatch.setattr(face_images, "decode_image", lambda data: asked.append(data) or black)
    images = FaceImages.stored(faces, folder, 32, kept_bytes=10 * 32 * 32 * 3 - 1)
    images.part(np.arange(10) > 4)
    assert asked == []
    images[3:5]
    assert len(asked) == 2


def test_damage_is_reported_at_the_start_even_if_nothing_is_kept(stored):
    folder, faces, _ = stored
    (folder / "s/1.png").unlink()
    with pytest.raises(StoredFaceError, match="^1 of 10 stored faces"):
        FaceImages.stored(faces, folder, 32, kept_bytes=0)
