"""What jobs cost, by the operating system's account."""

import subprocess
import sys

import pytest

from fer_utils.accounting import costs
from fer_utils.paths import Paths
from fer_utils.study import load_study

JOB = r"""
import subprocess, sys
from pathlib import Path
from fer_utils.accounting import write_cost
burn = "import time\nkept = bytearray(300 * 2**20)\nwhile time.process_time() < 2: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
write_cost(Path(sys.argv[1]))
"""


@pytest.fixture
def paths(tmp_path):
    return Paths.of(load_study("quick"), tmp_path)


def test_processor_seconds_and_memory_of_an_ended_child_count(paths):
    # By way of a shell, as the workflow does: a process that this one starts would inherit its peak memory (Linux)
    shell = ["sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, JOB, str(paths.duration("measure"))]
    subprocess.run(shell, check=True)
    job, total = costs(paths).to_dict("records")
    assert job["job"] == "measure"
    assert job["processor seconds"] >= 2
    assert job["wall seconds"] >= 2
    assert 300 < job["peak memory MiB"] < 600
    assert total == {**job, "job": "all, one after the other"}


def test_times_add_up_and_memory_is_that_of_the_largest(paths):
    for name, row in {"a": "1\t2\t30", "b": "10\t20\t3"}.items():
        path = paths.duration(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tcpu_time\tmax_rss\n{row}\n")
    total = costs(paths).iloc[-1]
    assert list(total[1:]) == [11, 22, 30]


def test_without_a_run_nothing_was_spent(paths):
    assert costs(paths)["processor seconds"].tolist() == [0]


@pytest.mark.parametrize(
    "damage", ["", "s\tcpu_time\tmax_rss\n", "\0\0\0", "s\tcpu_time\tmax_rss\na\tb\tc\n", "x\n1\n"]
)
def test_a_damaged_file_counts_as_nothing(paths, damage):
    for name, text in {"a": "s\tcpu_time\tmax_rss\n1\t2\t3\n", "b": damage}.items():
        paths.duration(name).parent.mkdir(parents=True, exist_ok=True)
        paths.duration(name).write_text(text)
    assert list(costs(paths).iloc[-1][1:]) == [1, 2, 3]
