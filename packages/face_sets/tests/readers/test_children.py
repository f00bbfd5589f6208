"""What holds for every set of children, CAFE and your own pictures alike."""

import numpy as np
import pandas as pd
import pytest
from made_up import write_noise
from made_up_children import LAYOUTS

from face_sets.images import ImageError
from face_sets.readers.reading import ROW_COLUMNS, LayoutError, source
from face_sets.videos import close_video


@pytest.fixture(params=LAYOUTS)
def chosen(request, tmp_path):
    """A set's source, and a folder with its made-up copy."""
    LAYOUTS[request.param](tmp_path)
    yield source(request.param), tmp_path
    close_video()


def test_rows_keep_the_contract(chosen):
    source, folder = chosen
    reading = source.read(folder)
    rows = reading.rows
    assert rows.dtypes.astype(str).to_dict() == ROW_COLUMNS
    assert rows["face_id"].is_unique
    assert rows["face_id"].str.fullmatch(rf"{source.name}-[0-9a-f]{{12}}").all()
    assert (
        not rows[["face_id", "dataset", "expression", "age_group", "path", "source_key"]]
        .isna()
        .any(axis=None)
    )
    assert set(rows["dataset"]) == {source.name}
    assert list(reading.rejected.columns) == ["path", "reason"]
    assert (
        not set(rows["path"]) & set(reading.rejected["path"]) or source.name == "guesswhat"
    )  # rows of one clip


def test_every_row_loads_as_a_picture(chosen):
    source, folder = chosen
    for row in source.read(folder).rows.to_dict("records"):
        image = source.load(row, folder)
        assert image.dtype == np.uint8
        assert image.ndim == 3


def test_two_readings_are_the_same(chosen):
    source, folder = chosen
    one, two = source.read(folder), source.read(folder)
    pd.testing.assert_frame_equal(one.rows, two.rows)
    pd.testing.assert_frame_equal(one.rejected, two.rejected)


def test_a_wrong_folder_is_refused_in_one_sentence_without_names_of_files(chosen, tmp_path_factory):
    source, _ = chosen
    folder = tmp_path_factory.mktemp("other")
    for prepare in (lambda: None, lambda: write_noise(folder / "M-AA-girl.jpg", 1), lambda: folder.rmdir()):
        if folder.is_dir() and not any(folder.iterdir()):
            prepare()
        with pytest.raises(LayoutError) as error:
            source.read(folder)
        assert "\n" not in str(error.value)
        assert "girl" not in str(error.value)
        for path in folder.glob("*"):
            path.unlink()


def test_a_file_instead_of_a_folder(chosen, tmp_path_factory):
    source, _ = chosen
    path = write_noise(tmp_path_factory.mktemp("other") / "set.zip", 1)
    with pytest.raises(LayoutError):
        source.read(path)


def test_scrambled_names_and_bytes_never_crash(chosen):
    source, folder = chosen
    rng = np.random.default_rng(7)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if rng.random() < 0.5:
            data = bytearray(path.read_bytes())
            for place in rng.integers(0, max(1, len(data)), 20):
                if data:
                    data[place] = rng.integers(256)
            path.write_bytes(data)
        if rng.random() < 0.3:
            name = list(path.stem)
            name[rng.integers(len(name))] = chr(rng.integers(33, 1000))
            path.rename(path.with_name("".join(name).replace("/", "") + path.suffix))
    try:
        rows = source.read(folder).rows
    except LayoutError:
        return
    for row in rows.to_dict("records"):
        try:
            assert source.load(row, folder).dtype == np.uint8
        except ImageError:
            continue
