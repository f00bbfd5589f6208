"""What jobs cost, by the operating system's account."""

import subprocess
import sys

import pytest

from workflow_runs.accounting import costs

JOB = r"""
import subprocess, sys
from pathlib import Path
from workflow_runs.accounting import write_cost
burn = "import time\nkept = bytearray(300 * 2**20)\nwhile time.process_time() < 2: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
write_cost(Path(sys.argv[1]))
"""


def test_processor_seconds_and_memory_of_an_ended_child_count(tmp_path):
    # By way of a shell, as the workflow does: a process that this one starts would inherit its peak memory (Linux)
    shell = ["sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, JOB, str(tmp_path / "measure.tsv")]
    subprocess.run(shell, check=True)
    job, total = costs(tmp_path).to_dict("records")
    assert job["job"] == "measure"
    assert job["processor seconds"] >= 2
    assert job["wall seconds"] >= 2
    assert 300 < job["peak memory MiB"] < 600
    assert total == {**job, "job": "all, one after the other"}


def test_times_add_up_and_memory_is_that_of_the_largest(tmp_path):
    for name, row in {"a": "1\t2\t30", "b": "10\t20\t3"}.items():
        (tmp_path / f"{name}.tsv").write_text(f"s\tcpu_time\tmax_rss\n{row}\n")
    total = costs(tmp_path).iloc[-1]
    assert list(total[1:]) == [11, 22, 30]


def test_without_a_run_nothing_was_spent(tmp_path):
    assert costs(tmp_path)["processor seconds"].tolist() == [0]


@pytest.mark.parametrize(
    "damage", ["", "s\tcpu_time\tmax_rss\n", "\0\0\0", "s\tcpu_time\tmax_rss\na\tb\tc\n", "x\n1\n"]
)
def test_a_damaged_file_counts_as_nothing(tmp_path, damage):
    for name, text in {"a": "s\tcpu_time\tmax_rss\n1\t2\t3\n", "b": damage}.items():
        (tmp_path / f"{name}.tsv").write_text(text)
    assert list(costs(tmp_path).iloc[-1][1:]) == [1, 2, 3]
