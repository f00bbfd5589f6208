import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil
import pytest
import writing_heic  # noqa: F401
from made_up import face, picture, truncate, write_face, write_noise, write_text
from made_up_sets import NAME, SECRET, SOURCE, write_set
from PIL import Image

from face_sets import catalogue, images, packed_faces, tables
from face_sets import ingest as ingest_module
from face_sets.catalogue import NO_FACE, CatalogueError, Worker, hit_rates
from face_sets.detection import FaceDetector, face_in_box
from face_sets.detectors import DetectorError, HaarDetector, load_detector
from face_sets.face_images import load_pixels
from face_sets.images import read_image
from face_sets.ingest import ingest
from face_sets.ingested import IngestedSet, IngestError, ingest_summary
from face_sets.processes import BusyError, one_at_a_time
from face_sets.readers import reading
from face_sets.readers.reading import LayoutError, Source, load_picture, source

SIZE = 64


@pytest.fixture(autouse=True)
def made_up_source(monkeypatch):
    monkeypatch.setattr(ingest_module, "source", lambda name: SOURCE)


@pytest.fixture
def folder(tmp_path):
    write_set(tmp_path / "owner")
    return tmp_path / "owner"


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def contents(results):
    return {path.relative_to(results): path.read_bytes() for path in results.rglob("*") if path.is_file()}


def test_all_faces_come_in_and_are_told(folder, results):
    report = ingest(NAME, folder, results, SIZE)
    here = IngestedSet(results, NAME)
    faces = here.faces()
    assert (report.found, report.missed, report.failed) == (28, 0, 0)
    assert report.by_expression == dict.fromkeys(sorted(set(faces["expression"])), 4)
    assert report.by_age_group == {"adult": 28}
    assert report.dropped_labels == {"contempt": 3}
    assert {"opencv-python-headless", "simplejpeg"} <= set(report.versions)
    assert read_image(here.folder / faces["path"][0]).shape == (SIZE, SIZE, 3)
    assert here.report() == report


def test_nothing_that_is_kept_but_the_list_of_failures_holds_a_name_of_the_owners(folder, results, capfd):
    write_noise(folder / f"{SECRET}-09_fear.jpg", 1)
    ingest(NAME, folder, results, SIZE, processes=2, show_progress=True)
    for path, data in contents(results).items():
        named = SECRET.encode() in data or SECRET in str(path)
        assert named == (path.name == "rejected.csv")
    table = IngestedSet(results, NAME).faces()
    assert not table.astype(str).apply(lambda column: column.str.contains(SECRET)).any(axis=None)
    assert SECRET not in "".join(capfd.readouterr())


def test_all_faces_lie_in_one_file_as_well_which_is_made_again_when_it_is_damaged(folder, results):
    ingest(NAME, folder, results, SIZE)
    here = IngestedSet(results, NAME)
    (packed,) = here.folder.rglob(packed_faces.NAME)
    whole = packed.read_bytes()
    (here.folder / here.faces()["path"][0]).unlink()
    assert load_pixels(here.faces(), here.folder, SIZE).shape == (28, SIZE, SIZE, 3), (
        "no other file is opened"
    )
    for damaged in (None, whole[: len(whole) // 2], whole.replace(b"\xff\xd8\xff", b"\xff\xd8\xfe", 1)):
        packed.unlink() if damaged is None else packed.write_bytes(damaged)
        ingest(NAME, folder, results, SIZE)
        assert packed.read_bytes() == whole


def test_the_number_of_processes_changes_nothing(folder, results, tmp_path):
    ingest(NAME, folder, results, SIZE)
    ingest(NAME, folder, tmp_path / "again", SIZE, processes=2)
    one, two = contents(results), contents(tmp_path / "again")
    assert one == two


def test_bad_files_are_listed_with_their_reasons_and_the_rest_comes_in(folder, results):
    names = sorted(path.name for path in folder.iterdir())
    truncate(folder / names[0], 0.3)
    write_noise(folder / names[1], 3)
    (folder / names[2]).write_bytes(b"")
    (folder / "odd.jpg").write_bytes(b"")
    report = ingest(NAME, folder, results, SIZE)
    listed = pd.read_csv(IngestedSet(results, NAME).rejected_file).set_index("path")["reason"]
    assert set(listed.index) == {*names[:3], "odd.jpg"}
    assert "truncated" in listed[names[0]]
    assert "not a picture" in listed[names[1]]
    assert "empty" in listed[names[2]]
    assert listed["odd.jpg"] == "is misnamed"
    assert (report.found, report.failed) == (25, 4)
    assert report.failed_share == pytest.approx(4 / 29)


def test_a_picture_without_a_face_is_missed_not_failed_and_counted_by_group(folder, results):
    grey = np.full((96, 96, 3), 90, np.uint8)
    for path in sorted(folder.iterdir())[:2]:
        cv2.imwrite(str(path), grey)
    report = ingest(NAME, folder, results, SIZE)
    assert (report.found, report.missed, report.failed) == (26, 2, 0)
    here = IngestedSet(results, NAME)
    dropped = here.dropped()
    assert dropped["reason"].tolist() == [NO_FACE] * 2
    rates = hit_rates(here.faces(), dropped, ["dataset", "ethnicity"])
    assert rates["missed"].tolist() == [1, 1]
    by_expression = hit_rates(here.faces(), dropped, ["expression"]).set_index("expression")["missed"]
    assert by_expression.sum() == 2


def test_a_file_named_twice_comes_in_once(folder, results, monkeypatch):
    def twice(where):
        reading = SOURCE.read(where)
        rows = pd.concat([reading.rows, reading.rows.iloc[:2]], ignore_index=True)
        return type(reading)(rows, reading.rejected, {})

    monkeypatch.setattr(ingest_module, "source", lambda name: Source(NAME, twice, load_picture))
    report = ingest(NAME, folder, results, SIZE)
    assert (report.found, report.failed) == (28, 2)


def test_no_usable_picture_is_one_sentence_and_leaves_nothing(tmp_path, results):
    (tmp_path / "empty").mkdir()
    with pytest.raises(IngestError, match="no usable picture of kdef") as error:
        ingest(NAME, tmp_path / "empty", results, SIZE)
    assert "\n" not in str(error.value)
    assert not results.exists()


# Interrupted


def counted(monkeypatch, fail_after=None):
    """Count the pictures that are worked on; fail after some, as if the machine had stopped."""
    calls = []
    original = Worker.__call__

    def call(worker, row):
        if fail_after is not None and len(calls) == fail_after:
            raise KeyboardInterrupt
        calls.append(row["face_id"])
        return original(worker, row)

    monkeypatch.setattr(Worker, "__call__", call)
    return calls


def test_an_interrupted_ingest_goes_on_where_it_stopped(folder, results, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_module, "_PART", 5)
    with monkeypatch.context() as patch:
        counted(patch, fail_after=13)
        with pytest.raises(KeyboardInterrupt):
            ingest(NAME, folder, results, SIZE)
    assert not IngestedSet(results, NAME).is_whole
    with monkeypatch.context() as patch:
        calls = counted(patch)
        ingest(NAME, folder, results, SIZE)
        assert len(calls) == 28 - 10
    ingest(NAME, folder, tmp_path / "at-once", SIZE)
    assert contents(results) == contents(tmp_path / "at-once")


def test_asked_again_it_does_nothing_and_a_changed_file_begins_anew(folder, results, monkeypatch):
    ingest(NAME, folder, results, SIZE)
    before = IngestedSet(results, NAME).faces()
    calls = counted(monkeypatch)
    ingest(NAME, folder, results, SIZE)
    assert calls == []
    write_face(sorted(folder.iterdir())[0], 77, 96)
    ingest(NAME, folder, results, SIZE)
    after = IngestedSet(results, NAME).faces()
    assert len(calls) == 28
    assert (before["sha256"] != after["sha256"]).sum() == 1
    assert len(list((results / "data" / NAME).glob("images-*"))) == 1


def one_face(here):
    return here.folder / here.faces()["path"][3]


DAMAGE = {
    "a face is gone": lambda here: one_face(here).unlink(),
    "a face is cut": lambda here: one_face(here).write_bytes(one_face(here).read_bytes()[:-9]),
    "a face is another": lambda here: one_face(here).write_bytes(b"no face"),
    "all faces are gone": lambda here: shutil.rmtree(one_face(here).parent),
    "the table is gone": lambda here: here.faces_file.unlink(),
    "the table is damaged": lambda here: here.faces_file.write_bytes(b"PAR1"),
    "the list of missed faces is damaged": lambda here: here.dropped_file.write_bytes(b""),
    "the list of failures is gone": lambda here: here.rejected_file.unlink(),
    "the report is damaged": lambda here: here.report_file.write_text("{"),
    "a note is damaged": lambda here: next(here.folder.glob("journal-*/*")).write_bytes(b"PAR1 PAR1"),
    "the journal is gone": lambda here: shutil.rmtree(next(here.folder.glob("journal-*"))),
}


@pytest.fixture(scope="module")
def ingested_in_parts(tmp_path_factory):
    """A folder of an owner, and the results of an ingest in parts of five."""
    made = tmp_path_factory.mktemp("made")
    write_set(made / "owner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_module, "source", lambda name: SOURCE)
        patch.setattr(ingest_module, "_PART", 5)
        ingest(NAME, made / "owner", made / "results", SIZE)
    return made / "owner", made / "results"


@pytest.mark.parametrize("damage", DAMAGE)
def test_ingested_again_what_is_damaged_or_missing_is_made_again(
    ingested_in_parts, results, monkeypatch, damage
):
    folder, whole = ingested_in_parts
    shutil.copytree(whole, results)
    monkeypatch.setattr(ingest_module, "_PART", 5)
    report = IngestedSet(results, NAME).report()
    before = contents(results)
    DAMAGE[damage](IngestedSet(results, NAME))
    calls = counted(monkeypatch)
    assert ingest(NAME, folder, results, SIZE) == report
    assert contents(results) == before
    assert len(calls) <= 5 or "all" in damage or "journal" in damage


def test_a_part_that_a_power_cut_took_is_made_again(folder, results, monkeypatch):
    monkeypatch.setattr(ingest_module, "_PART", 5)
    with monkeypatch.context() as patch:
        counted(patch, fail_after=13)
        with pytest.raises(KeyboardInterrupt):
            ingest(NAME, folder, results, SIZE)
    stored = sorted(results.rglob("*.jpg"))
    stored[0].write_bytes(b"")  # noted as done, but never written out
    calls = counted(monkeypatch)
    assert ingest(NAME, folder, results, SIZE).found == 28
    assert len(calls) == 28 - 5


def test_the_old_tables_stay_whole_while_a_new_ingest_is_interrupted(folder, results, monkeypatch):
    ingest(NAME, folder, results, SIZE)
    here = IngestedSet(results, NAME)
    before = here.faces()
    with monkeypatch.context() as patch:
        counted(patch, fail_after=5)
        with pytest.raises(KeyboardInterrupt):
            ingest(NAME, folder, results, SIZE // 2)
    pd.testing.assert_frame_equal(here.faces(), before)
    assert read_image(here.folder / before["path"][0]).shape == (SIZE, SIZE, 3)


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from face_sets import ingest
from made_up_sets import NAME, SOURCE
if __name__ == "__main__":
    ingest.source = lambda name: SOURCE
    ingest._PART = {part}
    ingest.ingest(NAME, Path({folder!r}), Path({results!r}), 64, processes=2)
"""


@pytest.mark.system
def test_a_kill_leaves_no_worker_and_the_next_run_ends_it(tmp_path, results):
    folder = tmp_path / "owner"
    write_set(folder, people=5, size=280)  # 35 pictures: while 30 are left, the kill is in time
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(path=sys.path, folder=str(folder), results=str(results), part=5))
    process = psutil.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list(results.rglob("0*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
        workers = process.children(recursive=True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not psutil.wait_procs(workers, timeout=20)[1]
    assert list(results.rglob("journal-*"))
    assert not list(results.rglob("faces.parquet"))
    assert subprocess.run([sys.executable, str(script)], check=False).returncode == 0
    assert IngestedSet(results, NAME).report().found == 35


def test_a_second_ingest_of_a_set_is_refused_while_one_is_at_work(folder, results):
    with one_at_a_time(IngestedSet(results, NAME).lock_file):
        with pytest.raises(BusyError, match="another run is at work"):
            ingest(NAME, folder, results, SIZE)
    assert not IngestedSet(results, NAME).folder.exists()
    assert ingest(NAME, folder, results, SIZE).found


@pytest.mark.parametrize(
    ("limit", "said"),  # bytes: less than a face; less than a note of the journal
    [(1500, "a face could not be stored .*Free"), (6000, "could not write .*parquet: .*; free")],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_write_that_ends_short_ends_the_ingest_in_a_sentence(
    tmp_path, results, monkeypatch, limit, said, processes
):
    folder = tmp_path / "owner"
    write_set(folder, people=6)
    monkeypatch.setattr(ingest_module, "_PART", 40)
    monkeypatch.setattr(ingest_module, "code_digest", lambda *modules: "")  # is kept in a file
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python would keep cut bytecode and trust it
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, whole[1]))  # of processes that are started here, too
    try:
        with pytest.raises((CatalogueError, OSError), match=f"{said} space and run again"):
            ingest(NAME, folder, results, SIZE, processes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    assert not IngestedSet(results, NAME).is_whole
    assert not list(results.rglob("0*.parquet"))
    assert ingest(NAME, folder, results, SIZE).found == 42
    assert IngestedSet(results, NAME).report().found == 42


# What cannot be read is told


def test_one_hostile_picture_is_that_pictures_reason(folder, results, monkeypatch):
    def load(row, where):
        if "00_fear" in row["path"]:
            raise images.ImageError(None, "is hostile")
        return load_picture(row, where)

    monkeypatch.setattr(ingest_module, "source", lambda name: Source(NAME, SOURCE.read, load))
    report = ingest(NAME, folder, results, SIZE)
    assert (report.found, report.failed) == (27, 1)


def test_no_file_of_a_folder_is_passed_over_in_silence(tmp_path, results, monkeypatch):
    monkeypatch.setattr(ingest_module, "source", source)
    happy = tmp_path / "owner" / "happy"
    happy.mkdir(parents=True)
    image = Image.fromarray(picture(1, 160))
    read = {
        "a.HEIC": "HEIF", "b.avif": "AVIF", "c.jfif": "JPEG", "d.jpe": "JPEG", "e.jp2": "JPEG2000", "f.ppm": "PPM",
        "noending": "PNG", "g.mp4": "JPEG", "h.jpg.part": "JPEG", "i.dng": "TIFF", "j.bin": "WEBP",
    }  # fmt: skip
    for name, kind in read.items():
        image.save(happy / name, kind)
    refused = ["k.svg", "l.heic", "m.psd", "n.jxl"]
    passed_over = ["o.wmv", "p.xyz", "q"]
    for name in [*refused, *passed_over, "notes.txt", "Thumbs.db"]:
        (happy / name).write_bytes(b"<svg/> or anything else that is no picture")
    report = ingest("own", tmp_path / "owner", results, SIZE)
    listed = pd.read_csv(IngestedSet(results, "own").rejected_file).set_index("path")["reason"]
    assert (report.found + report.missed, report.failed, report.passed_over) == (len(read), 4, 3)
    assert set(listed.index) == {f"happy/{name}" for name in [*refused, *passed_over]}
    assert listed[[f"happy/{name}" for name in refused]].str.contains("give a JPEG").all()
    assert listed[[f"happy/{name}" for name in passed_over]].str.contains("passed over").all()


@pytest.mark.parametrize("bad", [50, 100])
def test_each_refused_row_of_a_table_counts(tmp_path, results, monkeypatch, bad):
    monkeypatch.setattr(ingest_module, "source", source)
    pixels = " ".join(str(k % 251) for k in range(48 * 48))
    rows = [f"{'99' if k < bad else k % 7},{pixels},Training" for k in range(100)]
    write_text(tmp_path / "owner" / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]))
    if bad == 100:
        with pytest.raises(LayoutError, match="no label code is known"):
            ingest("fer2013", tmp_path / "owner", results, SIZE)
        return
    report = ingest("fer2013", tmp_path / "owner", results, SIZE)
    assert (report.found, report.failed) == (50, 50)
    listed = pd.read_csv(IngestedSet(results, "fer2013").rejected_file)
    assert set(listed["path"]) == {f"fer2013.csv row {k}" for k in range(50)}


def test_the_reasons_are_told_where_every_row_is_refused(tmp_path, results, monkeypatch):
    monkeypatch.setattr(ingest_module, "source", source)
    rows = ["3,1 2 3,Training"] * 60 + ["3,1 2 3"] * 40
    write_text(tmp_path / "owner" / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]))
    with pytest.raises(LayoutError, match=r"60 x does not hold 48 x 48 grey levels; 40 x has too few fields"):
        ingest("fer2013", tmp_path / "owner", results, SIZE)


def test_where_no_picture_can_be_read_all_are_told(folder, results):
    for path in folder.iterdir():
        path.write_bytes(b"nothing")
    report = ingest(NAME, folder, results, SIZE)
    assert (report.found, report.failed, report.failed_share) == (0, 28, 1.0)


# Rules of detection and crop


def test_a_photograph_turned_by_exif_gives_the_same_face(tmp_path, results):
    folder = tmp_path / "owner"
    write_face(folder / "x-00_fear.png", 5, (120, 160))
    write_face(folder / "x-01_fear.png", 5, (120, 160), turned=6)
    ingest(NAME, folder, results, SIZE)
    assert IngestedSet(results, NAME).faces()["sha256"].nunique() == 1


def test_of_several_faces_the_largest_is_taken(tmp_path, results):
    folder = tmp_path / "owner"
    folder.mkdir()
    both = np.full((200, 320, 3), 128, np.uint8)
    both[20:180, 10:170], both[60:140, 220:300] = face(1, 160), face(2, 80)
    alone = np.full((200, 320, 3), 128, np.uint8)
    alone[20:180, 10:170] = face(1, 160)
    for name, image in (("x-00_fear.png", both), ("x-01_fear.png", alone)):
        cv2.imwrite(str(folder / name), image[:, :, ::-1])
    ingest(NAME, folder, results, SIZE)
    faces = IngestedSet(results, NAME).faces()
    here = IngestedSet(results, NAME).folder
    crops = [read_image(here / path).astype(float) for path in faces["path"]]
    assert np.abs(crops[0] - crops[1]).mean() < 12  # the box moves a little with what is beside the face


def test_the_owners_box_chooses_the_face(tmp_path):
    both = np.full((200, 320, 3), 128, np.uint8)
    both[20:180, 10:170], both[60:140, 220:300] = face(1, 160), face(2, 80)
    small = face_in_box(FaceDetector(), both, (225, 65, 295, 138))
    large = face_in_box(FaceDetector(), both, (20, 30, 160, 170))
    assert small is not None
    assert large is not None
    assert 225 < small.centre[0] < 295
    assert 20 < large.centre[0] < 160
    assert face_in_box(FaceDetector(), both, (180, 0, 210, 20)) is None  # nobody is there
    assert face_in_box(FaceDetector(), both, (900, 900, 950, 950)) is None  # outside the picture


@pytest.mark.parametrize("processes", [1, 2])
def test_aligned_faces_go_through_untouched_or_shrunk(tmp_path, results, monkeypatch, processes):
    monkeypatch.setattr(
        ingest_module, "source", lambda name: Source(NAME, SOURCE.read, load_picture, aligned=True)
    )
    folder = tmp_path / "owner"
    for person in range(40):
        write_face(folder / f"x-{person:02}_fear.png", person % 4, 48 if person else 100)
    ingest(NAME, folder, results, SIZE, processes=processes)
    here = IngestedSet(results, NAME)
    faces = here.faces().set_index("subject_id")["path"]
    np.testing.assert_array_equal(read_image(here.folder / faces[f"{NAME}-01"]), picture(1, 48))
    assert read_image(here.folder / faces[f"{NAME}-00"]).shape == (SIZE, SIZE, 3)


# Detectors that are plugged in


CASCADE = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"


def test_another_detector_can_be_plugged_in(folder, results):
    report = ingest(NAME, folder, results, SIZE)
    other = ingest(NAME, folder, results, SIZE, detector_model=CASCADE)
    assert other.made_from != report.made_from
    assert other.found + other.missed == 28
    assert isinstance(load_detector(CASCADE), HaarDetector)


def test_a_cascade_finds_a_face_where_blazeface_does():
    image = picture(3, 160)
    found, expected = load_detector(CASCADE).detect(image), FaceDetector().detect(image)[0]
    assert np.hypot(*np.subtract(found[0].centre, expected.centre)) < 0.25 * expected.width
    assert found[0].roll == 0


@pytest.mark.parametrize("name", ["absent.tflite", "noise.tflite", "noise.xml", "model.onnx"])
def test_an_unusable_detector_is_one_sentence(tmp_path, folder, results, name):
    if name != "absent.tflite":
        write_noise(tmp_path / name, 1)
    with pytest.raises(DetectorError) as error:
        ingest(NAME, folder, results, SIZE, detector_model=tmp_path / name)
    assert "\n" not in str(error.value)
    assert not results.exists()


# Registry


def test_unknown_sets_are_one_sentence():
    with pytest.raises(LayoutError, match="unknown data set 'kedf': choose one of affectnet"):
        reading.source("kedf")


def test_a_table_that_promises_too_much_is_refused(folder, results):
    ingest(NAME, folder, results, SIZE)
    here = IngestedSet(results, NAME)
    here.report_file.write_text(json.dumps({"dataset": NAME}))
    with pytest.raises(IngestError, match="damaged"):
        here.report()
    assert catalogue.DROPPED_COLUMNS[0] == tables.KEYS["ingested"][0]


def test_what_was_ingested_is_counted_by_set(folder, results):
    write_noise(folder / f"{SECRET}-09_fear.jpg", 1)
    ingest(NAME, folder, results, SIZE)
    (row,) = ingest_summary(results, ["kdef", "jaffe"]).to_dict("records")
    assert row == {
        "dataset": NAME, "faces": 28, "not_found": 0, "blurred": 0, "other_label": 3, "failed": 1,
    }  # fmt: skip
    assert ingest_summary(results, ["jaffe"]).empty
