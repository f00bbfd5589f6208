import signal
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from face_sets import catalogue, leaks, tables
from face_sets.images import ImageError, read_image
from face_sets.manifests import ManifestError
from rendered_faces.design import Design, plan_faces
from rendered_faces.person import PICTURE_COLUMNS
from rendered_faces.portrait import render_face

SIZE = 48


@cache
def drawn(size, *looks):
    pixels = render_face(dict(zip(PICTURE_COLUMNS, looks, strict=True)), size)
    pixels.flags.writeable = False
    return pixels


def draw(row, size=96):
    """A synthetic face, rendered once in a process; a row marked `fate` is blank or cannot be read."""
    if row["fate"] == "blank":
        return np.full((size, size, 3), 90, np.uint8)
    if row["fate"] == "unreadable":
        raise ImageError(Path("secret-name.jpg"), "is empty")
    return drawn(size, *(row[column] for column in PICTURE_COLUMNS))


@pytest.fixture(scope="module")
def plan():
    rows = plan_faces(Design())
    # More than one task's worth, so that two processes share the work
    rows = rows[rows["domain"] == "lab"].iloc[:50].assign(fate="drawn")
    rows.iloc[3, rows.columns.get_loc("fate")] = "blank"
    rows.iloc[40, rows.columns.get_loc("fate")] = "unreadable"
    return rows


@pytest.fixture(scope="module")
def stored(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    return folder, *catalogue.catalogue_faces(plan, draw, folder, SIZE, processes=2)


def test_the_table_is_checked_and_in_order(stored, plan):
    _, faces, _ = stored
    pd.testing.assert_frame_equal(tables.conform(faces, "faces"), faces)
    assert faces["face_id"].tolist() == plan.loc[plan["fate"] == "drawn", "face_id"].tolist()


def test_each_crop_is_where_the_table_says(stored):
    folder, faces, _ = stored
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")) == sorted(faces["path"])
    assert {read_image(folder / path).shape for path in faces["path"]} == {(SIZE, SIZE, 3)}


def test_what_was_dropped_has_its_reason_and_no_file_name(stored, plan):
    _, _, dropped = stored
    assert tuple(dropped.columns) == catalogue.DROPPED_COLUMNS
    assert dropped["face_id"].tolist() == plan["face_id"].iloc[[3, 40]].tolist()
    assert dropped["reason"].tolist() == [catalogue.NO_FACE, "the picture is empty"]


def test_the_number_of_processes_changes_nothing(stored, plan, tmp_path):
    _, faces, dropped = stored
    again, dropped_again = catalogue.catalogue_faces(plan, draw, tmp_path, SIZE, processes=1)
    pd.testing.assert_frame_equal(again, faces)
    pd.testing.assert_frame_equal(dropped_again, dropped)


def counted(row, folder):
    """A face that leaves a trace each time it is drawn."""
    (folder / f"{row['dataset']}-{row['face_id']}").touch(exist_ok=False)
    return draw(row)


def test_twins_are_drawn_once_and_become_what_each_alone_becomes(plan, tmp_path):
    originals = plan.iloc[[3, 40, *range(30)]].drop_duplicates(
        "face_id"
    )  # among them a blank and an unreadable one
    twins = originals.assign(dataset="synthetic-gap", face_id="twin-" + originals["face_id"])
    rows = pd.concat([originals.iloc[:20], twins, originals.iloc[20:]], ignore_index=True)
    expected, left_out = catalogue.catalogue_faces(rows, draw, tmp_path / "apart", SIZE)
    assert len(left_out) == 4
    for processes in (1, 2):
        traces, whole = tmp_path / f"traces-{processes}", tmp_path / f"whole-{processes}"
        traces.mkdir()
        once = partial(counted, folder=traces)
        columns = [*PICTURE_COLUMNS, "fate"]
        faces, dropped = catalogue.catalogue_faces(rows, once, whole, SIZE, processes, columns)
        assert len(list(traces.iterdir())) == len(originals)
        pd.testing.assert_frame_equal(faces, expected)
        pd.testing.assert_frame_equal(dropped, left_out)
        for path in faces["path"]:
            assert (whole / path).read_bytes() == (tmp_path / "apart" / path).read_bytes()


def test_the_manifest_decides_what_may_be_shown(plan, tmp_path):
    rows = plan.iloc[:2].assign(may_publish=False)
    faces, _ = catalogue.catalogue_faces(rows, draw, tmp_path, SIZE)
    assert faces["may_publish"].all()
    with pytest.raises(ManifestError, match="unheard-of"):
        catalogue.catalogue_faces(rows.assign(dataset="unheard-of"), draw, tmp_path, SIZE)


def test_no_rows_and_nothing_found_give_empty_tables(plan, tmp_path):
    for rows in (plan.iloc[:0], plan.iloc[3:4]):
        faces, dropped = catalogue.catalogue_faces(rows, draw, tmp_path, SIZE)
        assert len(faces) == 0
        assert len(dropped) == len(rows)
        assert list(faces.columns) == list(tables.COLUMNS["faces"])


@pytest.mark.parametrize("name", ["../outside", "a/b", "", ".hidden", None, "a b"])
def test_a_name_that_leaves_the_folder_is_refused(plan, tmp_path, name):
    rows = plan.iloc[:3].copy()
    rows["face_id"] = [name, "fine-1", "fine-2"]
    with pytest.raises(catalogue.CatalogueError, match="1 row"):
        catalogue.catalogue_faces(rows, draw, tmp_path / "in", SIZE)
    assert not list(tmp_path.rglob("*.png"))


def die(row):
    """A worker that is killed, as by want of memory."""
    signal.raise_signal(signal.SIGKILL)


def test_a_killed_worker_is_one_sentence(plan, tmp_path):
    with pytest.raises(catalogue.CatalogueError, match="killed") as error:
        catalogue.catalogue_faces(plan, die, tmp_path, SIZE, processes=2)
    assert "\n" not in str(error.value)


SCRIPT = """
from functools import partial
from pathlib import Path
from face_sets import tables
from face_sets.catalogue import catalogue_faces
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face
if __name__ == "__main__":
    folder = Path({results!r})
    faces, _ = catalogue_faces(plan_faces(Design()), partial(render_face, size=280), folder, 224, processes=2)
    tables.write(faces, "faces", folder / "faces.parquet")
"""


@pytest.mark.system
def test_a_kill_in_the_middle_leaves_no_table_and_no_worker(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(results=str(tmp_path / "results")))
    process = psutil.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.rglob("*.png")) and time.monotonic() < deadline:
            time.sleep(0.1)
        workers = process.children(recursive=True)
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    for worker in alive:
        worker.kill()
    assert not alive
    assert list(tmp_path.rglob("*.png"))
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_subject_in_two_splits_is_a_leak(stored):
    _, faces, _ = stored
    leaks.check_no_leak(faces)
    subject = faces["subject_id"].iloc[0]
    leaking = faces.copy()
    leaking.loc[leaking.index[0], "split"] = "test"
    with pytest.raises(leaks.LeakError, match="1 subject") as error:
        leaks.check_no_leak(leaking)
    assert subject not in str(error.value)


def test_the_external_check_and_other_sets_are_no_leak(stored):
    _, faces, _ = stored
    shown = faces.assign(split=faces["split"].astype("string"))
    shown.loc[0, "split"] = "external"
    leaks.check_no_leak(shown)
    others = faces.assign(dataset="another", split="test", sha256="of-" + faces["sha256"])
    leaks.check_no_leak(pd.concat([faces, others]))


def test_hit_rates_count_faces_not_broken_files(stored):
    _, faces, dropped = stored
    rates = catalogue.hit_rates(faces, dropped, ["dataset"])
    assert rates[["found", "missed"]].to_numpy().tolist() == [[48, 1]]
    assert rates["hit_rate"].iloc[0] == pytest.approx(48 / 49)
    by_tone = catalogue.hit_rates(faces, dropped, ["dataset", "skin_tone"])
    assert by_tone["found"].sum() == 48
    assert by_tone["missed"].sum() == 1


def test_hit_rates_keep_faces_of_unknown_tone(stored):
    _, faces, dropped = stored
    rates = catalogue.hit_rates(faces.assign(skin_tone=pd.NA), dropped.iloc[:0], ["skin_tone"])
    assert rates["found"].tolist() == [48]


def test_a_loader_can_be_a_partial(plan, tmp_path):
    faces, _ = catalogue.catalogue_faces(plan.iloc[:2], partial(draw, size=128), tmp_path, SIZE)
    assert len(faces) == 2


@pytest.mark.parametrize(
    "problem", [FileNotFoundError(2, "No such file"), RuntimeError("can't start new thread")]
)
def test_processes_that_find_no_memory_to_start_end_in_a_sentence(monkeypatch, problem):
    """What a pool raised under a limit of 2 GB, and what threads raise."""

    def failing(*_):
        raise problem

    monkeypatch.setattr(catalogue.ProcessPoolExecutor, "submit", failing)
    with pytest.raises(catalogue.CatalogueError, match="could be started .*: free some and run again"):
        list(catalogue.outcomes([[{}]], lambda row: row, processes=2))
