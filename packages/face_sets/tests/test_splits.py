import pandas as pd
import pytest
from made_up_sets import ingested_rows, moved_hash

from face_sets import tables
from face_sets.leaks import check_no_leak
from face_sets.splits import (
    NEAR_TEST,
    NEAR_VALIDATION,
    OF_OWNERS_TEST,
    OF_WHOM,
    VALIDATION_SHARE,
    assign_splits,
)

SEED = 2023


def joined(*parts):
    return tables.conform(pd.concat(parts, ignore_index=True), "ingested")


def splits(rows, seed=SEED):
    return assign_splits(rows, seed)[0].set_index("face_id")["split"]


def copied(rows, of, to, distance=0.05):
    """Make row `to` a near-duplicate of row `of`."""
    rows = rows.copy()
    rows.loc[to, "perceptual_hash"] = moved_hash(rows.loc[of, "perceptual_hash"], distance)
    return rows


def test_people_stay_together_and_a_tenth_are_for_validation():
    faces, left_out = assign_splits(ingested_rows("kdef", 2000), SEED)
    assert left_out.empty
    assert (faces.groupby("subject_id")["split"].nunique() == 1).all()
    share = (faces["split"] == "validation").mean()
    assert share == pytest.approx(VALIDATION_SHARE, abs=0.02)  # 3 standard errors of 2,000 draws
    assert set(faces["split"]) == {"train", "validation"}


def test_the_same_seed_gives_the_same_splits_in_any_order_and_another_others():
    rows = ingested_rows("kdef", 200)
    again = splits(rows.sample(frac=1, random_state=1).reset_index(drop=True))
    pd.testing.assert_series_equal(splits(rows), again.loc[rows["face_id"]])
    assert (splits(rows) != splits(rows, seed=7)).any()


def test_a_further_set_moves_nobody():
    rows = joined(ingested_rows("kdef", 100), ingested_rows("affectnet", 100, subject_id=pd.NA))
    more = joined(ingested_rows("cafe", 20), ingested_rows("jaffe", 10), rows)
    before, after = splits(rows), splits(more)
    pd.testing.assert_series_equal(before, after.loc[before.index])


def test_further_people_move_nobody():
    before, after = splits(ingested_rows("kdef", 50)), splits(ingested_rows("kdef", 80))
    pd.testing.assert_series_equal(before, after.loc[before.index])


def test_cafe_is_for_testing_whatever_its_owner_would_say():
    faces, left_out = assign_splits(ingested_rows("cafe", 10, owner_split="train"), SEED)
    assert set(faces["split"]) == {"test"}
    assert left_out.empty


def test_owners_splits_are_kept():
    rows = ingested_rows("raf_db", 300, subject_id=pd.NA)
    rows["owner_split"] = pd.Categorical(["train", "test", "train"] * 700, ["train", "validation", "test"])
    found = splits(rows)
    own = rows.set_index("face_id")["owner_split"]
    assert (found[own == "test"] == "test").all()
    assert set(found[own == "train"]) == {"train", "validation"}  # drawn: the owner gives none


def test_an_owner_who_gives_a_validation_split_loses_none_to_drawing():
    rows = ingested_rows("fer2013", 100, subject_id=pd.NA)
    rows["owner_split"] = pd.Categorical(
        (["train"] * 6 + ["validation"]) * 100, ["train", "validation", "test"]
    )
    found = splits(rows)
    assert (found == rows.set_index("face_id")["owner_split"].astype(str)).all()


def test_pictures_of_one_source_stay_together():
    rows = ingested_rows("expw", 600, subject_id=pd.NA)
    rows["source_key"] = [f"picture-{k // 3}" for k in range(len(rows))]
    faces, _ = assign_splits(rows, SEED)
    assert (faces.groupby("source_key")[["split", "subject_id"]].nunique() == 1).all(axis=None)
    assert faces["subject_id"].nunique() == 1400
    assert faces["subject_id"].str.fullmatch(r"expw-source-[0-9a-f]{12}").all()


def test_near_duplicates_of_a_set_without_people_stay_together():
    rows = ingested_rows("affectnet", 100, subject_id=pd.NA)
    for place in range(0, 600, 2):
        rows = copied(rows, place, place + 1)
    faces, _ = assign_splits(rows, SEED)
    pairs = faces["split"].to_numpy()[:600].reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert len(set(map(str, pairs[:, 0]))) == 2


def test_a_cluster_across_an_owners_splits_is_tested_not_learned():
    rows = ingested_rows("raf_db", 2, subject_id=pd.NA)
    rows["owner_split"] = pd.Categorical(["train"] * 13 + ["test"], ["train", "validation", "test"])
    rows = copied(rows, 13, 0)
    faces, left_out = assign_splits(rows, SEED)
    assert left_out["face_id"].tolist() == [rows["face_id"][0]]
    assert left_out["reason"].tolist() == [OF_OWNERS_TEST]
    assert faces.set_index("face_id").loc[rows["face_id"][13], "split"] == "test"


def test_near_duplicates_of_test_faces_in_other_sets_are_left_out():
    rows = joined(ingested_rows("cafe", 3), ingested_rows("affectnet", 30, subject_id=pd.NA))
    rows = copied(rows, 4, 50)
    faces, left_out = assign_splits(rows, SEED)
    assert left_out[["face_id", "reason"]].to_numpy().tolist() == [[rows["face_id"][50], NEAR_TEST]]
    assert rows["face_id"][4] in set(faces["face_id"])


@pytest.mark.parametrize("column", ["perceptual_hash", "picture_hash"])
@pytest.mark.parametrize("tested", ["cafe", "london"])
def test_a_leak_is_followed_to_its_subject(tested, column):
    rows = joined(ingested_rows(tested, 3), ingested_rows("guesswhat", 30))
    rows.loc[50, column] = moved_hash(rows.loc[4, column], 0.05)
    faces, left_out = assign_splits(rows, SEED)
    subject = rows["subject_id"] == rows["subject_id"][50]
    assert set(left_out["face_id"]) == set(rows.loc[subject, "face_id"])
    assert left_out["reason"].value_counts().to_dict() == {NEAR_TEST: 1, OF_WHOM.format(NEAR_TEST): 6}
    assert (faces["dataset"] == tested).sum() == 21
    assert set(faces.loc[faces["dataset"] == tested, "split"]) == {"test"}
    check_no_leak(faces)


def test_near_duplicates_of_validation_faces_in_other_sets_are_left_out():
    rows = joined(ingested_rows("kdef", 100), ingested_rows("jaffe", 100))
    split = splits(rows)
    one = rows.index[(rows["face_id"].map(split) == "validation") & (rows["dataset"] == "kdef")][0]
    two = rows.index[(rows["face_id"].map(split) == "train") & (rows["dataset"] == "jaffe")][0]
    _, left_out = assign_splits(copied(rows, one, two), SEED)
    reasons = left_out.set_index("face_id")["reason"]
    assert reasons.pop(rows["face_id"][two]) == NEAR_VALIDATION
    others = rows["subject_id"] == rows["subject_id"][two]
    assert set(reasons.index) == set(rows.loc[others, "face_id"]) - {rows["face_id"][two]}
    assert set(reasons) == {OF_WHOM.format(NEAR_VALIDATION)}


def test_what_comes_out_passes_the_gate():
    parts = [
        ingested_rows("cafe", 5),
        ingested_rows("kdef", 20),
        ingested_rows("affectnet", 50, subject_id=pd.NA),
    ]
    rows = copied(copied(joined(*parts), 3, 100), 40, 200)
    faces, _ = assign_splits(rows, SEED)
    check_no_leak(faces)


def test_no_rows():
    faces, left_out = assign_splits(ingested_rows("kdef", 0), SEED)
    assert faces.empty
    assert left_out.empty
