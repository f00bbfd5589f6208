import base64
import io
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fer_utils.reporting import absent, style
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.provenance import provenance
from fer_utils.study import load_study


@pytest.fixture
def source(tmp_path):
    table = tmp_path / "faces.parquet"
    table.write_bytes(b"faces")
    return provenance(load_study("quick"), {"faces": table})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "figures" / "03_cohorts"


def drawn():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2])
    return figure


DATA = pd.DataFrame({"epoch": [1, 2], "accuracy": [0.25, 0.5]})


def test_picture_and_data_are_files(source, folder):
    save_figure(drawn(), "curves", DATA, folder=folder, source=source)
    assert ElementTree.parse(folder / "curves.svg").getroot().tag.endswith("svg")
    pd.testing.assert_frame_equal(pd.read_csv(folder / "curves.csv"), DATA)
    assert sorted(path.name for path in folder.iterdir()) == ["curves.csv", "curves.svg"]


def test_a_named_index_is_kept(source, folder):
    data = DATA.set_index("epoch")
    save_figure(drawn(), "curves", data, folder=folder, source=source)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "curves.csv", index_col="epoch"), data)


def test_the_notebook_shows_the_picture_and_carries_the_source_and_the_result(source, folder):
    figure = drawn()
    figure.set_label("From 25 % to 50 %.")
    shown = save_figure(figure, "curves", DATA, folder=folder, source=source)._repr_mimebundle_()
    assert shown["image/svg+xml"] == (folder / "curves.svg").read_text()
    first, second = shown["text/plain"].split("\n")
    assert first.startswith("Source: profile quick, synthetic faces")
    assert second == "From 25 % to 50 %."


def test_letters_stay_letters_and_follow_the_page_into_the_dark(source, folder):
    save_figure(drawn(), "curves", DATA, folder=folder, source=source)
    picture = (folder / "curves.svg").read_text()
    letters = [
        tag.get("style") for tag in ElementTree.fromstring(picture).iter() if tag.tag.endswith("}text")
    ]
    assert letters
    assert all(f"fill: {style.INK}" in look for look in letters)
    assert f'[style*="fill: {style.INK}"]' in picture.split("prefers-color-scheme: dark")[1]


def test_photographs_are_saved_as_png_on_white(source, folder):
    figure = Figure(figsize=(2, 1))
    figure.subplots().imshow([[0, 1]])
    shown = save_figure(figure, "faces", DATA, folder=folder, source=source)._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert picture.getpixel((0, 0))[:3] == (255, 255, 255)
    assert sorted(path.name for path in folder.iterdir()) == ["faces.csv", "faces.png"]


def test_a_note_stands_in_the_place_of_a_figure_beside_its_table(source, folder):
    sentence = absent.note("Nobody was asked.")
    assert save_figure(sentence, "answers", DATA, folder=folder, source=source) is sentence
    assert [path.name for path in folder.iterdir()] == ["answers.csv"]


@pytest.mark.parametrize(
    ("index", "first"),
    [(pd.RangeIndex(2), "epoch,accuracy"), (pd.Index([3, 5]), "epoch,accuracy"),
     (pd.Index(["a", "b"]), "row,epoch,accuracy"), (pd.Index([3, 5], name="run"), "run,epoch,accuracy")],
)  # fmt: skip
def test_every_column_of_the_table_has_a_name(source, folder, index, first):
    save_figure(drawn(), "curves", DATA.set_axis(index), folder=folder, source=source)
    assert (folder / "curves.csv").read_text().splitlines()[0] == first


def test_links_lead_from_the_executed_notebook_to_the_data(source, folder):
    line = save_figure(drawn(), "curves", DATA, folder=folder, source=source).source_line
    notebooks = folder.parent.parent / "notebooks"
    notebooks.mkdir()
    link = line.split("[data (CSV)](")[1].rstrip(")")
    assert (notebooks / link).resolve() == (folder / "curves.csv").resolve()
    assert "[notebook](03_cohorts.ipynb)" in line


def test_same_data_same_bytes(source, folder):
    first = save_figure(drawn(), "curves", DATA, folder=folder, source=source).picture
    assert save_figure(drawn(), "curves", DATA, folder=folder, source=source).picture == first


@pytest.mark.parametrize("name", ["Curves", "a b", "../curves", "curves.png", ""])
def test_bad_names_write_nothing(name, source, folder):
    with pytest.raises(ValueError, match="figure name"):
        save_figure(drawn(), name, DATA, folder=folder, source=source)
    assert not folder.exists()


def test_no_data_no_figure(source, folder):
    with pytest.raises(ValueError, match="no data behind it"):
        save_figure(drawn(), "curves", DATA.iloc[:0], folder=folder, source=source)
    assert not folder.exists()
