"""What a run tells its reader, with a terminal and without."""

import io
import json

import pytest
from rich.console import Console

from fer_utils import progress as module
from fer_utils.progress import Progress

DUE = "due " + json.dumps({"faces": (60, 2), "train-nasnet_mobile": (600, 1), "train-mobilenet_v2": (300, 1)})


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
    progress.read("due " + json.dumps({"a": (600, 1), "b": (600, 1)}))
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
        assert "0 of 3 done, about 10 min left: faces 30 s, train-nasnet_mobile 30 s" in stream.getvalue()
