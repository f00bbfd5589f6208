from dataclasses import replace

import cv2
import numpy as np
import pytest
from london_photographs import LONDON, needs_london
from made_up import picture
from made_up_sets import NAME, SOURCE, write_set

from face_sets import ingest as ingest_module
from face_sets.catalogue import BLURRED
from face_sets.detection import FaceDetector, crop_face, largest_face
from face_sets.images import decode_image, encode_jpeg, read_image, resize
from face_sets.ingest import ingest
from face_sets.ingested import IngestedSet
from face_sets.sharpness import LEAST, is_blank, is_blurred, sharpness


def blurred(image, share):
    """A Gaussian blur whose deviation is a share of the picture's width."""
    return cv2.GaussianBlur(image, (0, 0), share * image.shape[1])


@pytest.fixture(scope="module")
def drawn():
    return picture(3, 224)


def test_it_falls_with_blur(drawn):
    found = [sharpness(blurred(drawn, share)) for share in (0.003, 0.01, 0.02, 0.04)]
    assert sharpness(drawn) > found[0] > found[1] > found[2] > found[3] > 0


def test_neither_light_nor_a_larger_picture_changes_it(drawn):
    assert sharpness((0.4 * drawn).astype(np.uint8)) == pytest.approx(sharpness(drawn), rel=0.1)
    assert sharpness(np.repeat(np.repeat(drawn, 2, 0), 2, 1)) == pytest.approx(sharpness(drawn), rel=0.01)


def test_a_flat_face_is_blurred():
    assert sharpness(np.full((50, 50, 3), 90, np.uint8)) == 0
    assert is_blurred(np.full((50, 50, 3), 90, np.uint8))


@needs_london
@pytest.mark.parametrize("light", [1, 0.4])
def test_the_threshold_parts_photographs_from_blurred_ones(light):
    detector, sharp, soft = FaceDetector(), [], []
    for path in sorted(LONDON.glob("*_neutral.jpg"))[::4]:
        image = resize(read_image(path), 400) * np.float32(light)
        for kept, made in (
            (sharp, image),
            (soft, cv2.GaussianBlur(image, (0, 0), 4.5)),
        ):  # faces of about 190
            frame = decode_image(encode_jpeg(made.astype(np.uint8), 85))
            kept.append(sharpness(crop_face(frame, largest_face(detector.detect(frame)), 224)))
    assert np.quantile(soft, 0.95) < LEAST < 0.5 * min(sharp)


def test_a_blurred_face_before_a_sharp_background_is_left_out_and_is_no_failed_file(tmp_path, monkeypatch):
    folder = tmp_path / "owner"
    write_set(folder, people=1, size=(320, 240))
    first = sorted(folder.iterdir())[0]
    image = picture(0, (320, 240)).copy()
    image[:, 40:280] = blurred(image[:, 40:280], 0.04)
    image[:, :40] = np.arange(40)[:, None] % 2 * 255  # stripes, as sharp as can be
    first.write_bytes(encode_jpeg(image, 95))
    strict = replace(SOURCE, refuse_blurred=True)
    monkeypatch.setattr(ingest_module, "source", lambda name: strict)
    report = ingest(NAME, folder, tmp_path / "results", 64)
    assert (report.found, report.missed, report.blurred, report.failed_share) == (6, 0, 1, 0)
    dropped = IngestedSet(tmp_path / "results", NAME).dropped()
    assert dropped["reason"].tolist() == [BLURRED]
    monkeypatch.setattr(ingest_module, "source", lambda name: SOURCE)
    assert ingest(NAME, folder, tmp_path / "other", 64).found == 7


@pytest.mark.parametrize("level", [0, 3, 128, 255])
@pytest.mark.parametrize("size", [48, 100, 224])
def test_pictures_of_nearly_one_colour_are_blank_noise_stamp_and_border_aside(level, size):
    noise = np.random.default_rng(size).normal(0, 4, (size, size, 3))
    plain = (level + noise).clip(0, 255).astype(np.uint8)
    plain[0] = 255 - level  # a border
    plain[-6:-1, -20:] = 255 - level  # a time stamp
    assert is_blank(plain)


def test_a_dark_face_is_not_blank(drawn):
    assert not is_blank(drawn)
    assert not is_blank((drawn * 0.2).astype(np.uint8))
