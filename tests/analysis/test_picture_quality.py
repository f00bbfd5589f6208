import numpy as np
import pandas as pd
import pytest

from fer_utils.analysis.picture_quality import MEASURES, picture_quality


def crowd(children=40, pictures=3, seed=0):
    """Noise pictures of children in two groups, brightness varying from child to child."""
    random = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(children), pictures)
    light = random.uniform(80, 140, children)[subjects]
    noise = random.normal(0, 25, (len(subjects), 16, 16, 1))
    pixels = (light[:, None, None, None] + noise).clip(0, 255).astype(np.uint8).repeat(3, axis=3)
    faces = pd.DataFrame({"subject_id": subjects.astype(str), "ethnicity": np.where(subjects % 2, "A", "B")})
    return faces, pixels


def test_medians_are_those_of_children():
    faces, pixels = crowd(children=3, pictures=2)
    table = picture_quality(faces, pixels, "ethnicity").set_index("measure")
    grey = pixels[..., 0].reshape(3, 2, -1).mean(axis=2).mean(axis=1)
    assert list(table.index) == list(MEASURES)
    assert table.loc["brightness", "A"] == pytest.approx(grey[1])
    assert table.loc["brightness", "B"] == pytest.approx((grey[0] + grey[2]) / 2)


def test_a_darker_group_is_found_and_only_that():
    faces, pixels = crowd()
    dark = (faces["ethnicity"] == "A").to_numpy()
    pixels[dark] = (pixels[dark].astype(int) - 40).clip(0).astype(np.uint8)
    table = picture_quality(faces, pixels, "ethnicity").set_index("measure")
    assert table.loc["brightness", "p_holm"] < 0.01
    assert table.loc["brightness", "A"] < table.loc["brightness", "B"]
    assert table.loc["sharpness", "p_holm"] > 0.01


def test_alike_groups_are_called_unlike_as_rarely_as_stated():
    found = [
        picture_quality(*crowd(children=24, pictures=2, seed=seed), "ethnicity")["p_holm"].min() <= 0.05
        for seed in range(100)
    ]
    assert sum(found) <= 11  # 5 expected; 99.5 % of binomial draws lie below


def test_many_pictures_of_a_child_count_once():
    faces, pixels = crowd(pictures=1)
    again = picture_quality(pd.concat([faces] * 5), np.concatenate([pixels] * 5), "ethnicity")
    pd.testing.assert_frame_equal(again, picture_quality(faces, pixels, "ethnicity"))


def test_faces_without_a_group_are_left_out_and_one_group_is_not_tested():
    faces, pixels = crowd()
    faces.loc[faces["ethnicity"] == "B", "ethnicity"] = None
    table = picture_quality(faces, pixels, "ethnicity")
    assert "B" not in table
    assert table[["p_value", "p_holm"]].isna().all(axis=None)
