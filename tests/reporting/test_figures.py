import base64
import io
import json
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fer_utils.reporting import absent, style
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.provenance import provenance
from fer_utils.study import load_study
from table_charts.charts import Intervals

style.apply()  # as plots does: these tests may run first


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


def test_the_data_say_the_level_of_their_intervals_and_their_unit(source, folder):
    data = pd.DataFrame({"group": ["A"], "estimate": [0.5], "low": [0.4], "high": [0.6]})
    save_figure(drawn(), "dots", data, folder=folder, source=source)
    (row,) = pd.read_csv(folder / "dots.csv").to_dict("records")
    assert row == {
        "group": "A",
        "estimate": 0.5,
        "low": 0.4,
        "high": 0.6,
        "interval_level": 0.95,
        "unit": "share, 1 is 100 %",
    }


def test_a_chart_reads_the_saved_data_and_is_linked(source, folder):
    data = pd.DataFrame({"group": ["A"], "series": ["x"], "estimate": [0.5], "low": [0.4], "high": [0.6]})
    chart = Intervals("group", "series", "accuracy", 1 / 7)
    shown = save_figure(drawn(), "dots", data, folder=folder, source=source, chart=chart)
    assert json.loads((folder / "dots.vl.json").read_text())["data"]["url"] == "dots.csv"
    assert "(../figures/03_cohorts/dots.vl.json)" in shown.source_line


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


def test_a_note_needs_no_table(source, folder):
    sentence = absent.note("Nobody was asked.")
    assert save_figure(sentence, "answers", DATA[:0], folder=folder, source=source) is sentence
    assert not folder.exists()


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
