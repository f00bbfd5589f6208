import numpy as np
import pandas as pd
import pytest

from fer_utils.reporting import plots
from fer_utils.reporting.gate import PrivacyError, check_publishable, publishable

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
