import pytest
from made_up import write_face, write_text
from made_up_layouts import write_jaffe

from face_sets.readers.reading import LayoutError, source

SOURCE = source("jaffe")


@pytest.fixture
def jaffe(tmp_path):
    write_jaffe(tmp_path)
    return tmp_path


def test_expressions_by_their_codes(jaffe):
    rows = SOURCE.read(jaffe).rows
    assert set(rows["expression"]) == {
        "anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise",
    }  # fmt: skip
    assert rows.loc[rows["path"].str.contains("HA1"), "expression"].item() == "happiness"


def test_a_repeat_number_that_stands_twice_is_two_pictures(jaffe):
    rows = SOURCE.read(jaffe).rows
    assert (rows["subject_id"] == "jaffe-MK").sum() == 2
    assert rows["face_id"].is_unique


def test_serial_numbers_above_213_are_read(jaffe):
    assert SOURCE.read(jaffe).rows["path"].str.contains("219").any()


def test_the_women_are_adults_whose_ages_are_not_published(jaffe):
    rows = SOURCE.read(jaffe).rows
    assert set(rows["sex"]) == {"female"}
    assert set(rows["age_group"]) == {"adult"}
    assert rows["age_years"].isna().all()
    assert set(rows["subject_id"]) == {"jaffe-KA", "jaffe-MK", "jaffe-NA"}


@pytest.mark.parametrize(("separator", "suffix"), [("_", "tiff"), (".", "tif"), ("_", "png"), (".", "TIFF")])
def test_copies_with_other_names(jaffe, tmp_path_factory, separator, suffix):
    other = tmp_path_factory.mktemp("other")
    write_jaffe(other, separator, suffix)
    told = ["subject_id", "expression"]
    assert sorted(map(tuple, SOURCE.read(other).rows[told].values)) == sorted(
        map(tuple, SOURCE.read(jaffe).rows[told].values)
    )


def test_a_second_copy_and_a_stranger_are_rejected(jaffe):
    said = dict(SOURCE.read(jaffe).rejected.itertuples(index=False))
    assert set(said) == {"jaffe/KA.AN1.39.tiff", "jaffe/XX.AN1.400.tiff"}
    assert said["jaffe/KA.AN1.39.tiff"] == "is a second copy of a picture"


@pytest.mark.parametrize(
    "name", ["KA.AN1.tiff", "KA.AN.39.tiff", "KA+AN1+39.tiff", "readme.png", "KA.ANN.39.tiff"]
)
def test_other_names_are_rejected(jaffe, name):
    write_face(jaffe / name, 1, grey=True)
    assert name in set(SOURCE.read(jaffe).rejected["path"])


def test_an_unknown_expression_is_rejected(jaffe):
    write_face(jaffe / "KA.CO1.99.tiff", 1, grey=True)
    said = dict(SOURCE.read(jaffe).rejected.itertuples(index=False))
    assert said["KA.CO1.99.tiff"] == "unknown label code 'CO'"


def test_grey_tiff_loads_as_rgb(jaffe):
    pixels = SOURCE.load(SOURCE.read(jaffe).rows.iloc[0].to_dict(), jaffe)
    assert pixels.shape == (96, 96, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_other_folders_are_refused(tmp_path):
    write_text(tmp_path / "README", "x")
    with pytest.raises(LayoutError, match="is not JAFFE"):
        SOURCE.read(tmp_path)


def test_a_link_that_leads_out_is_rejected(jaffe, tmp_path_factory):
    (jaffe / "KL.AN1.167.tiff").symlink_to(write_face(tmp_path_factory.mktemp("other") / "x.tiff", 1))
    reading = SOURCE.read(jaffe)
    assert not reading.rows["path"].str.contains("KL").any()
    assert "KL.AN1.167.tiff" in set(reading.rejected["path"])
