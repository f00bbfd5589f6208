import base64
import io

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

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
    assert Image.open(folder / "curves.png").format == "PNG"
    pd.testing.assert_frame_equal(pd.read_csv(folder / "curves.csv"), DATA)
    assert sorted(path.name for path in folder.iterdir()) == ["curves.csv", "curves.png"]


def test_a_named_index_is_kept(source, folder):
    data = DATA.set_index("epoch")
    save_figure(drawn(), "curves", data, folder=folder, source=source)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "curves.csv", index_col="epoch"), data)


def test_the_notebook_shows_the_picture_and_carries_the_source(source, folder):
    shown = save_figure(drawn(), "curves", DATA, folder=folder, source=source)._repr_mimebundle_()
    picture = base64.b64decode(shown["image/png"])
    assert picture == (folder / "curves.png").read_bytes()
    assert Image.open(io.BytesIO(picture)).width > 200
    assert shown["text/plain"].startswith("Source: profile quick, synthetic faces")


def test_links_lead_from_the_executed_notebook_to_the_data(source, folder):
    line = save_figure(drawn(), "curves", DATA, folder=folder, source=source).source_line
    notebooks = folder.parent.parent / "notebooks"
    notebooks.mkdir()
    link = line.split("[data (CSV)](")[1].rstrip(")")
    assert (notebooks / link).resolve() == (folder / "curves.csv").resolve()
    assert "[notebook](03_cohorts.ipynb)" in line


def test_same_data_same_bytes(source, folder):
    first = save_figure(drawn(), "curves", DATA, folder=folder, source=source).png
    assert save_figure(drawn(), "curves", DATA, folder=folder, source=source).png == first


@pytest.mark.parametrize("name", ["Curves", "a b", "../curves", "curves.png", ""])
def test_bad_names_write_nothing(name, source, folder):
    with pytest.raises(ValueError, match="figure name"):
        save_figure(drawn(), name, DATA, folder=folder, source=source)
    assert not folder.exists()


def test_no_data_no_figure(source, folder):
    with pytest.raises(ValueError, match="no data behind it"):
        save_figure(drawn(), "curves", DATA.iloc[:0], folder=folder, source=source)
    assert not folder.exists()
