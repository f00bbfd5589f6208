import numpy as np
import pytest
from made_up import write_face, write_table, write_text
from made_up_layouts import AFFECTNET_HEADER, write_affectnet, write_affectnet_reduced

from face_sets.images import read_image
from face_sets.readers.affectnet import SOURCE, read
from face_sets.readers.reading import LayoutError


@pytest.fixture
def older(tmp_path):
    write_affectnet(tmp_path)
    return tmp_path


@pytest.fixture
def newer(tmp_path):
    write_affectnet_reduced(tmp_path)
    return tmp_path


def lists(folder, name="training.csv"):
    return folder / "Manually_Annotated_file_lists" / name


def reasons(reading):
    return {p.split("/")[-1]: r for p, r in reading.rejected.itertuples(index=False)}


def test_the_older_release(older):
    rows = read(older).rows
    train = rows[rows["owner_split"] == "train"]
    codes = train["path"].str.extract(r"_Images/(\d+)/")[0].astype(int) - 100
    said = dict(zip(codes, train["expression"], strict=True))
    assert said == {
        0: "neutral", 1: "happiness", 2: "sadness", 3: "surprise", 4: "fear", 5: "disgust", 6: "anger",
    }  # fmt: skip
    assert set(rows["age_group"]) == {"unknown"}
    assert rows["subject_id"].isna().all()
    assert rows["face_id"].is_unique


def test_codes_that_the_study_drops_are_counted(older):
    assert read(older).dropped_labels == {"10": 1, "7": 1, "8": 1, "9": 1}


def test_doubled_and_absent_pictures_have_their_reasons(older):
    reading = read(older)
    assert sorted(reasons(reading).values()) == ["is listed twice", "is listed, but not there"]


def test_a_list_without_header_is_read(older):
    rows = read(older).rows
    row = rows[rows["owner_split"] == "validation"].iloc[0]
    assert (row["expression"], row["left"], row["right"]) == ("anger", 8, 58)


def test_both_copies_of_lists_at_the_root(older):
    for name in ("training.csv", "validation.csv"):
        lists(older, name).rename(older / name)
    assert len(read(older).rows) == 8


def test_the_automatic_list_is_not_read(older):
    (lists(older).parent / "training.csv").unlink()
    lists(older, "validation.csv").unlink()
    with pytest.raises(LayoutError, match=r"is not AffectNet"):
        read(older)


def test_the_box_is_the_owners(older):
    rows = read(older).rows
    assert (rows[["left", "top", "right", "bottom"]].iloc[0] == [8, 9, 58, 61]).all()


@pytest.mark.parametrize(("newline", "encoding"), [("\r\n", "utf-8"), ("\n", "utf-8-sig")])
def test_line_ends_and_marks(older, newline, encoding):
    expected = read(older).rows
    text = lists(older).read_text()
    lists(older).write_bytes(text.replace("\n", newline).encode(encoding))
    assert read(older).rows.equals(expected)


@pytest.mark.parametrize(
    "place", ["../../secret.jpg", "/etc/secret.jpg", "C:/secret.jpg", "..\\secret.jpg", ""]
)
def test_a_path_that_leads_out_is_rejected(older, place):
    write_face(older / "Manually_Annotated" / "secret.jpg", 1)
    row = (place, 1, 1, 30, 30, "1;2", 1, 0.5, 0.5)
    good = ("100/" + "0" * 32 + ".jpg", 1, 1, 30, 30, "1;2", 0, 0.5, 0.5)
    write_table(lists(older), [row, good], AFFECTNET_HEADER)
    reading = read(older)
    assert len(reading.rows) == 2  # the good one, and validation's
    assert not reading.rows["path"].str.contains("secret").any()
    assert len(reading.rejected) == 1


def test_a_link_that_leads_out_is_rejected(older, tmp_path_factory):
    secret = write_face(tmp_path_factory.mktemp("other") / "secret.jpg", 1)
    target = older / "Manually_Annotated" / "Manually_Annotated_Images" / "100" / ("0" * 32 + ".jpg")
    target.unlink()
    target.symlink_to(secret)
    reading = read(older)
    assert len(reading.rows) == 7
    said = reading.rejected.loc[reading.rejected["path"].str.endswith(target.name), "reason"]
    assert "is a link that leads out of the folder" in set(said)


@pytest.mark.parametrize("column", ["subDirectory_filePath", "expression", "face_width"])
def test_a_missing_column_is_named(older, column):
    lists(older).write_text(lists(older).read_text().replace(column, "other"))
    with pytest.raises(LayoutError, match=column) as error:
        read(older)
    assert "\n" not in str(error.value)


def test_wrong_types_are_rejected_with_their_code(older):
    text = lists(older).read_text().replace(";4.5,3,", ";4.5,glad,").replace(",8,9,50,52,", ",x,9,50,52,")
    lists(older).write_text(text)
    reading = read(older)
    assert "unknown label code 'glad'" in reasons(reading).values()
    assert reading.rows["left"].isna().sum() == 6


def test_codes_of_a_resaved_table(older):
    lists(older).write_text(lists(older).read_text().replace(";4.5,3,", ";4.5,3.0,"))
    assert "surprise" in set(read(older).rows["expression"])


def test_the_newer_release(newer):
    reading = read(newer)
    rows = reading.rows
    said = {p.split("/")[-1]: e for p, e in zip(rows["path"], rows["expression"], strict=True)}
    assert said["6.jpg"] == "anger"  # text
    assert said["20.jpg"] == "surprise"  # bytes
    assert said["21.jpg"] == "fear"  # a number
    assert said["22.jpg"] == "disgust"  # a number with a point
    assert reading.dropped_labels == {"7": 1}
    assert rows["owner_split"].value_counts().to_dict() == {"train": 7, "validation": 3}


def test_labels_that_are_lost_pickled_or_noise_are_rejected(newer):
    found = reasons(read(newer))
    assert sorted(found) == ["23.jpg", "24.jpg", "25.jpg"]


def test_a_pickled_label_is_never_run(newer):
    class Trap:
        def __reduce__(self):
            return (newer.joinpath("sprung").write_text, ("x",))

    np.save(newer / "val_set" / "annotations" / "23_exp.npy", np.array([Trap()], dtype=object))
    read(newer)
    assert not (newer / "sprung").exists()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,), }",
        "{'descr': '<U99999999', 'fortran_order': False, 'shape': (), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (",
        "[" * 90,
        "9" * 5000,
    ],
)
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
def test_a_label_file_that_claims_what_it_does_not_hold_is_rejected(newer, header, version):
    size = len(header).to_bytes(2 if version[0] == 1 else 4, "little")
    path = newer / "val_set" / "annotations" / "23_exp.npy"
    path.write_bytes(b"\x93NUMPY" + version + size + header.encode())
    assert "23.jpg" in reasons(read(newer))


@pytest.mark.parametrize("order", ["<", ">"])
def test_text_labels_of_either_byte_order(newer, order):
    np.save(newer / "val_set" / "annotations" / "23_exp.npy", np.array("6", dtype=f"{order}U3"))
    rows = read(newer).rows
    assert rows.loc[rows["path"].str.endswith("23.jpg"), "expression"].item() == "anger"


def test_text_of_no_alphabet_is_rejected(newer):
    path = newer / "val_set" / "annotations" / "23_exp.npy"
    np.save(path, np.array("6"))
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    assert "23.jpg" in reasons(read(newer))


def test_a_list_without_header_and_with_more_columns_is_refused(older):
    lists(older, "validation.csv").write_text("500/validation.jpg" + ",1" * 20 + "\n")
    with pytest.raises(LayoutError, match=r"validation\.csv"):
        read(older)


def test_a_copy_sorted_into_folders_is_refused(tmp_path):
    """Class names sort otherwise than the codes do, so that folders of such copies cannot be trusted."""
    for number in range(3):
        write_face(tmp_path / "train" / str(number) / "a.jpg", number)
    with pytest.raises(LayoutError, match="is not AffectNet"):
        read(tmp_path)


def test_other_folders_are_refused(tmp_path):
    write_text(tmp_path / "notes.txt", "x")
    with pytest.raises(LayoutError, match=r"is not AffectNet"):
        read(tmp_path)
    with pytest.raises(LayoutError, match=r"is not a folder"):
        read(tmp_path / "nowhere")


def test_lists_without_pictures_are_refused(older):
    (older / "Manually_Annotated" / "Manually_Annotated_Images").rename(older / "Pictures")
    with pytest.raises(LayoutError, match=r"Manually_Annotated_Images"):
        read(older)


def test_pictures_load(older):
    row = read(older).rows.iloc[0].to_dict()
    assert np.array_equal(SOURCE.load(row, older), read_image(older / row["path"]))
    assert not SOURCE.aligned
