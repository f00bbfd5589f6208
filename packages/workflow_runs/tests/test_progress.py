"""What a run tells its reader, with a terminal and without."""

import io
import json
import re

import pytest
from rich.console import Console

from workflow_runs import progress as module
from workflow_runs.progress import Progress

DUE = "due " + json.dumps(
    {
        "faces": (60, 2, []),
        "train-nasnet_mobile": (600, 1, ["faces"]),
        "train-mobilenet_v2": (300, 1, ["faces"]),
    }
)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def told(cores=2, terminal=False):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, color_system=None)
    return Progress(cores, console), stream


def test_a_log_gets_a_line_at_the_begin_and_one_at_the_end_of_each_job(clock):
    progress, stream = told()
    with progress:
        progress.read(DUE)
        progress.read("begins faces")
        clock[0] = 60
        progress.read("ends faces")
    # 60 s on both cores and 900 on one: 510; the longest job alone is longer
    assert stream.getvalue().splitlines() == [
        "3 jobs to do on 2 cores, about 10 min left",
        f"{'faces':44}     60 s   1 of 3 done, about 10 min left",
    ]


def test_work_that_is_shared_by_cores_counts_where_it_is_longer(clock):
    progress, _ = told(cores=1)
    progress.read(DUE)
    assert progress.remaining() == "about 17 min left"


def test_a_machine_that_is_twice_as_slow_is_expected_to_stay_so(clock):
    progress, _ = told()
    progress.read("due " + json.dumps({"a": (600, 1, []), "b": (600, 1, [])}))
    progress.read("begins a")
    clock[0] = 1200
    progress.read("ends a")
    assert progress.remaining() == "about 19 min left"
    progress.read("begins b")
    clock[0] = 1800
    assert progress.remaining() == "about 9 min left"
    clock[0] = 5000
    assert progress.remaining() == "less than a minute left", "never below nothing"


def test_a_failed_job_is_named_before_its_reason_and_is_not_called_done(clock):
    progress, stream = told()
    for line in (DUE, "begins faces", "fails faces", "fer: [the] disk is full"):
        progress.read(line)
    progress.read("begins train-mobilenet_v2")
    progress.read("ends train-mobilenet_v2")
    failed, reason, other = stream.getvalue().splitlines()[1:]
    assert failed.startswith("faces ")
    assert failed.endswith("FAILED:")
    assert reason == "fer: [the] disk is full"
    assert "   1 of 3 done" in other


def test_a_terminal_shows_what_runs(clock):
    progress, stream = told(terminal=True)
    with progress:
        progress.refresh()
        assert "Looking for what is missing" in stream.getvalue()
        progress.read(DUE)
        progress.read("begins faces")
        progress.read("begins train-nasnet_mobile")
        clock[0] = 30
        progress.refresh()
        shown = stream.getvalue()
        for line in ("done  0 of 3 done, about 10 min left", "runs  faces, 30 s", "next  train-mobilenet_v2"):
            assert line in shown


def test_a_terminal_gets_no_line_of_a_job_that_ended_and_the_reason_of_one_that_failed(clock):
    progress, stream = told(terminal=True)
    with progress:
        for line in (
            DUE,
            "begins faces",
            "ends faces",
            "begins train-mobilenet_v2",
            "fails train-mobilenet_v2",
            "why",
        ):
            progress.read(line)
        progress.refresh()
    assert not re.search(r"faces +\d+ s", stream.getvalue())
    assert re.search(r"train-mobilenet_v2 +0 s   FAILED:", stream.getvalue())
    assert "done  1 of 3 done, " in stream.getvalue()


def test_a_notebook_gets_plain_lines_though_it_asks_for_colours(clock, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress(2) as progress:
        for line in (DUE, "begins faces", "ends faces"):
            progress.read(line)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("3 jobs to do on 2 cores")
    assert second.startswith("faces ")


def test_next_is_what_waits_for_nothing_but_what_runs(clock):
    progress, _ = told()
    due = {
        "faces": (60, 2, []),
        "train": (9, 1, ["faces"]),
        "other": (5, 1, []),
        "book": (5, 1, ["train", "other"]),
    }
    progress.read("due " + json.dumps(due))
    assert progress.upcoming() == ["faces", "other"]
    progress.read("begins faces")
    assert progress.upcoming() == ["train", "other"]
    progress.read("ends faces")
    for name in ("train", "other"):
        progress.read(f"begins {name}")
    assert progress.upcoming() == ["book"]
