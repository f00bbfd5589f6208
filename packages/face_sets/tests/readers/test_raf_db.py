import pytest
from made_up import write_face, write_text
from made_up_layouts import write_raf_db

from face_sets.readers.raf_db import SOURCE, read
from face_sets.readers.reading import LayoutError

LIST = "basic/EmoLabel/list_patition_label.txt"


@pytest.fixture
def raf(tmp_path):
    write_raf_db(tmp_path)
    return tmp_path


def by_name(folder):
    rows = read(folder).rows
    return rows.assign(name=rows["path"].str.extract(r"/(\w+)_aligned")[0]).set_index("name")


def test_codes_start_at_one_and_follow_no_other_set(raf):
    assert by_name(raf)["expression"].to_dict() == {
        "train_00001": "surprise", "train_00002": "fear", "train_00003": "disgust", "train_00004": "happiness",
        "train_00005": "sadness", "test_0001": "anger", "test_0002": "neutral",
    }  # fmt: skip


def test_the_aligned_pictures_are_taken_untouched(raf):
    rows = read(raf).rows
    assert SOURCE.aligned
    assert rows["path"].str.startswith("basic/Image/aligned/").all()
    assert SOURCE.load(rows.iloc[0].to_dict(), raf).shape == (100, 100, 3)


def test_age_group_sex_and_race_as_annotated(raf):
    rows = by_name(raf)
    assert rows["age_group"].to_dict() == {
        "train_00001": "child", "train_00002": "child", "train_00003": "adult", "train_00004": "adult",
        "train_00005": "adult", "test_0001": "adult", "test_0002": "unknown",
    }  # fmt: skip
    assert rows.loc["train_00001", "sex"] == "male"
    assert rows.loc["train_00002", "sex"] == "female"
    assert rows.loc[["train_00003", "test_0002"], "sex"].isna().all()
    assert list(rows.loc[["train_00001", "train_00002", "train_00003"], "ethnicity"]) == [
        "Caucasian", "African-American", "Asian",
    ]  # fmt: skip
    assert rows["age_years"].isna().all()


def test_owners_split_and_no_subjects(raf):
    rows = read(raf).rows
    assert rows["owner_split"].value_counts().to_dict() == {"train": 5, "test": 2}
    assert rows["subject_id"].isna().all()


def test_codes_that_no_list_explains_are_missing_and_counted(raf):
    write_text(raf / "basic/Annotation/manual/train_00001_manu_attri.txt", "1 2\n" * 5 + "7\nx\n-1\n")
    write_text(raf / "basic/Annotation/manual/train_00002_manu_attri.txt", "1 2\n" * 5 + "2\n0\n1\n")
    reading = read(raf)
    assert len(reading.rows) == 7
    assert reading.unknown_values == {"age_group '-1'": 1, "ethnicity 'x'": 1, "sex '7'": 1}  # 2 is unsure


def test_a_copy_with_the_code_as_folder(tmp_path):
    for seed, (split, code) in enumerate([("train", 1), ("train", 4), ("test", 7)]):
        write_face(tmp_path / "DATASET" / split / str(code) / f"{split}_{seed:05}_aligned.jpg", seed, 100)
    rows = read(tmp_path).rows
    assert sorted(rows["expression"]) == ["happiness", "neutral", "surprise"]
    assert sorted(rows["owner_split"]) == ["test", "train", "train"]


def test_lost_and_doubled_lines_are_rejected(raf):
    assert dict(read(raf).rejected.itertuples(index=False)) == {
        "test_0003.jpg": "is listed, but not there", "train_00001.jpg": "is listed twice",
    }  # fmt: skip


def test_the_spelling_set_right_and_without_the_folder_basic(raf):
    expected = read(raf).rows[["expression", "age_group"]]
    (raf / LIST).rename(raf / "basic/EmoLabel/list_partition_label.txt")
    for part in ("EmoLabel", "Image", "Annotation"):
        (raf / "basic" / part).rename(raf / part)
    assert read(raf).rows[["expression", "age_group"]].equals(expected)


@pytest.mark.parametrize("content", ["", "1\n2\n", "1 2\n" * 5 + "0\n0\n", "1 2\n" * 5 + "7\nx\n-1\n"])
def test_attributes_that_are_none_leave_the_face_unknown(raf, content):
    write_text(raf / "basic/Annotation/manual/train_00001_manu_attri.txt", content)
    row = by_name(raf).loc["train_00001"]
    assert row["age_group"] == "unknown"
    assert row[["sex", "ethnicity"]].isna().all()


def test_binary_attributes_leave_the_face_unknown(raf):
    (raf / "basic/Annotation/manual/train_00001_manu_attri.txt").write_bytes(b"\xff\xfe\x00" * 50)
    assert by_name(raf).loc["train_00001", "age_group"] == "unknown"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("../../secret.jpg 1", "is not `train_"),
        ("train_00009.jpg", "is not `train_"),
        ("train_00009.jpg 1 2", "is not `train_"),
        ("photo.jpg 3", "is not `train_"),
        ("train_00006.jpg 9", "unknown label code '9'"),
        ("train_00006.jpg surprise", "unknown label code 'surprise'"),
    ],
)
def test_wrong_lines_are_rejected(raf, line, reason):
    write_face(raf / "basic/Image/aligned/train_00006_aligned.jpg", 6)
    with (raf / LIST).open("a") as file:
        file.write(line + "\r\n")
    reading = read(raf)
    assert len(reading.rows) == 7
    assert reading.rejected["reason"].str.startswith(reason).sum() == 1


def test_a_link_that_leads_out_is_rejected(raf, tmp_path_factory):
    target = raf / "basic/Image/aligned/train_00001_aligned.jpg"
    target.unlink()
    target.symlink_to(write_face(tmp_path_factory.mktemp("other") / "secret.jpg", 1))
    reading = read(raf)
    assert len(reading.rows) == 6
    said = dict(reading.rejected.itertuples(index=False))
    assert said["basic/Image/aligned/train_00001_aligned.jpg"] == "is a link that leads out of the folder"


def test_other_folders_are_refused(raf, tmp_path_factory):
    with pytest.raises(LayoutError, match="is not RAF-DB"):
        read(tmp_path_factory.mktemp("empty"))
    (raf / "basic/Image/aligned").rename(raf / "basic/Image/myaligned")
    with pytest.raises(LayoutError, match=r"aligned\.zip"):
        read(raf)


def test_a_list_of_nothing_known_is_refused(raf):
    (raf / LIST).write_text("train_00001.jpg x\n")
    with pytest.raises(LayoutError, match="no label code is known"):
        read(raf)
    (raf / LIST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LayoutError, match="cannot be read"):
        read(raf)
