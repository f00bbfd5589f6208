import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fer_utils.reporting import gate, plots
from fer_utils.reporting.figures import save_figure
from fer_utils.reporting.gate import PrivacyError, check_publishable, publishable
from fer_utils.reporting.pages import html_table
from fer_utils.study import load_study

FACES = pd.DataFrame(
    {
        "face_id": ["secret-1", "open-1", "secret-2"],
        "dataset": ["cafe", "london", "cafe"],
        "expression": ["fear", "neutral", "anger"],
        "may_publish": [False, True, False],
    }
)
PIXELS = np.zeros((3, 8, 8, 3), np.uint8)


def test_only_what_may_be_shown_remains():
    assert publishable(FACES)["face_id"].tolist() == ["open-1"]
    check_publishable(publishable(FACES))
    check_publishable(FACES.iloc[:0])


def test_a_picture_that_may_not_be_shown_is_refused_in_one_sentence():
    with pytest.raises(PrivacyError, match="2 of 3 pictures may not be shown by the terms of cafe") as error:
        plots.contact_sheet(FACES, PIXELS)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("unknown", [None, pd.NA, float("nan")])
def test_unknown_means_no(unknown):
    faces = FACES.assign(may_publish=pd.Series([unknown] * 3, dtype=object))
    assert publishable(faces).empty
    with pytest.raises(PrivacyError):
        check_publishable(faces)


def test_pictures_beyond_the_rows_are_refused():
    with pytest.raises(ValueError, match="3 pictures were given for 1 faces"):
        plots.contact_sheet(publishable(FACES), PIXELS)


def test_no_plot_takes_pictures_but_through_the_gate():
    """`imshow` of pixels stands in one place of the package: behind the gate."""
    from face_sets.folders import PROJECT_FOLDER

    package = PROJECT_FOLDER / "fer_utils"
    using = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if ".imshow(" in path.read_text()
    ]
    assert using == ["reporting/plots.py"]
    source = (package / "reporting" / "plots.py").read_text()
    assert source.count(".imshow(") == 1
    assert source.index("check_publishable(faces)") < source.index(".imshow(")


def test_no_notebook_draws_pictures_itself():
    from fer_utils.stages import STAGES, notebook_source

    for stage in STAGES:
        text = notebook_source(stage).read_text()
        assert not [word for word in ("imshow", "IPython.display.Image", "PIL", "cv2") if word in text]


GROUPS = pd.DataFrame(
    {"group": ["many", "few", "wide"], "subjects": [30, 3, 20], "images": [210, 21, 140],
     "accuracy": [0.625, 0.375, 0.875], "too_small": [False, True, True]}
)  # fmt: skip
CHILDREN = pd.DataFrame(
    [{"group": g, "expression": e, "subject_id": f"{g}{k}"} for g, n in (("many", 12), ("few", 3))
     for k in range(n) for e in ("fear", "anger", "anger")]
)  # fmt: skip


@pytest.fixture(params=["licensed", "quick"])
def guarded(request, monkeypatch):
    """Whether small cells must be hidden: in a study of licensed faces."""
    monkeypatch.setattr(gate, "_guarded", set())
    gate.guard(load_study(request.param))
    return request.param == "licensed"


def test_numbers_of_few_children_leave_by_no_way(guarded, tmp_path):
    class Source:
        def line(self):
            return "Source"

    save_figure(Figure(), "dots", GROUPS, folder=tmp_path, source=Source())
    ways = (
        html_table(GROUPS),
        (tmp_path / "dots.csv").read_text(),
        gate.without_small_cells(GROUPS).to_string(),
    )
    for text in ways:
        assert all(number in text for number in ("30", "210", "0.625"))
        for number in ("0.375", "0.875", "21<", ",21,"):
            assert number not in text or not guarded, text


def test_counts_are_hidden_by_the_number_of_children(guarded):
    table = gate.counted(
        CHILDREN, ["group", "expression"], lambda part: pd.crosstab(part["group"], part["expression"])
    )
    assert table.loc["many"].tolist() == [24, 12]
    assert table.loc["few"].isna().all() == guarded
    plots.coverage(table)
    assert set(gate.large_groups(CHILDREN, "group")["group"]) == ({"many"} if guarded else {"many", "few"})
