"""Runs on a cluster: what Snakemake and SLURM say of jobs, in words for the user; jobs that a killed run left."""

import os
import stat
from threading import Event

import pytest

from face_sets.folders import PROJECT_FOLDER
from fer_utils.graph import COMPRESSING_MB, LARGE_MB, TRAINING_MB, jobs
from fer_utils.paths import Paths
from fer_utils.study import load_study
from workflow_runs import slurm
from workflow_runs.slurm import (
    ClusterError,
    cancel_jobs_left_over,
    in_progress_words,
    job_prefix,
    profile_folder,
)

SUBMITTED = """\
[Fri Nov 27 13:23:10 2026]
rule train-nasnet_mobile:
    output: runs.parquet
    log: {own}
    jobid: 2
    resources: mem_mb=200
No SLURM account given, trying to guess.
Job 2 has been submitted with SLURM jobid 10 (log: {cluster}).
"""
FAILED = """\
Error in rule train-nasnet_mobile:
    message: SLURM-job '10' failed, SLURM status is: '{status}'. Detailed failure reason unavailable (status command).
    jobid: 2
    output: runs.parquet
    log: {own}, {cluster} (check log file(s) for error details)
    shell:
        python -m fer_utils.cli step train
        (command exited with non-zero exit code)
    external_jobid: 10
Trying to restart job 2.
"""


@pytest.fixture
def logs(tmp_path):
    own, of_cluster = tmp_path / "train.txt", tmp_path / "10.log"
    own.write_text("loading\nfer: the disk is full: free some space and run again\n")
    of_cluster.write_text("rule train\n")
    return own, of_cluster


def told(text, logs, status="FAILED"):
    filled = text.format(own=logs[0], cluster=logs[1], status=status)
    return list(in_progress_words(filled.splitlines(keepends=True)))


def test_a_job_begins_when_it_is_submitted_and_ends_when_it_is_done(logs):
    done = "Finished jobid: 2 (Rule: train-nasnet_mobile)\n1 of 2 steps (50%) done\n"
    assert told(SUBMITTED + done, logs) == ["begins train-nasnet_mobile", "ends train-nasnet_mobile"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("TIMEOUT", "time limit"),
        ("CANCELLED", "was cancelled"),
        ("NODE_FAIL", "lost its node"),
        ("OUT_OF_MEMORY", "want of memory"),
        ("FAILED", "the disk is full"),
        ("DEADLINE", "the disk is full"),
    ],
)
def test_a_failure_is_one_sentence_with_its_reason_and_its_log(logs, status, words):
    begun, failed, reason = told(SUBMITTED + FAILED, logs, status)
    assert (begun, failed) == ("begins train-nasnet_mobile", "fails train-nasnet_mobile")
    assert reason.startswith("train-nasnet_mobile (SLURM job 10): ")
    assert words in reason
    assert reason.endswith(f"its log: {logs[0]}")


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd: error: Exceeded job memory limit",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=10.0",
        "slurmstepd: error: Detected 1 oom-kill event(s) in step 10.batch",
    ],
)
def test_want_of_memory_is_named_where_slurm_only_says_failed(logs, line):
    logs[1].write_text(f"rule train\n{line}\n")
    assert "want of memory" in told(SUBMITTED + FAILED, logs)[2]


def test_a_failure_whose_log_is_not_there_is_told_too(logs):
    logs[0].unlink()
    assert told(SUBMITTED + FAILED, logs)[2].startswith(
        "train-nasnet_mobile (SLURM job 10): failed with status FAILED"
    )


def test_a_line_is_told_before_the_next_one_comes(logs):
    asked = Event()

    def lines():
        yield from SUBMITTED.format(own=logs[0], cluster=logs[1]).splitlines(keepends=True)
        asked.wait(timeout=30)

    assert next(in_progress_words(lines())) == "begins train-nasnet_mobile"
    assert not asked.is_set()
    asked.set()


def test_a_failure_is_told_when_slurm_knows_of_it_and_once(logs, tmp_path, monkeypatch):
    scheduler(tmp_path, monkeypatch, squeue="echo 10 TIMEOUT; echo 11 FAILED; echo 12 RUNNING")
    monkeypatch.setattr(slurm, "_LOOK_EVERY", 0.05)
    told_first = Event()

    def lines():
        yield from SUBMITTED.format(own=logs[0], cluster=logs[1]).splitlines(keepends=True)
        assert told_first.wait(timeout=30), "the failure was not told before Snakemake said so"
        yield from FAILED.format(own=logs[0], cluster=logs[1], status="TIMEOUT").splitlines(keepends=True)

    answers = in_progress_words(lines())
    assert [next(answers) for _ in range(2)] == ["begins train-nasnet_mobile", "fails train-nasnet_mobile"]
    sentence = next(answers)
    assert sentence.startswith("train-nasnet_mobile (SLURM job 10): ended at its time limit")
    assert sentence.endswith(f"its log: {logs[0]}")
    told_first.set()
    assert list(answers) == []


def test_a_block_at_the_very_end_is_not_lost(logs):
    assert len(told(FAILED.partition("Trying")[0], logs)) == 2


def scheduler(folder, monkeypatch, **programs):
    """Stand-ins for SLURM's programs on PATH."""
    for name, script in programs.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder) + os.pathsep + "/usr/bin:/bin")


def test_only_jobs_of_this_clone_are_cancelled(tmp_path, monkeypatch):
    queue = tmp_path / "queue"
    queue.write_text(f"7 {job_prefix()}_a\n8 fer-somebody_else\n9 {job_prefix()}_b\n")
    scheduler(
        tmp_path,
        monkeypatch,
        squeue=f"cat {queue}",
        scancel=f'echo "$@" > {tmp_path}/cancelled; echo "8 fer-x" > {queue}',
    )
    assert cancel_jobs_left_over() == 2
    assert (tmp_path / "cancelled").read_text().split() == ["7", "9"]


def test_jobs_that_do_not_end_stop_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "_PATIENCE", 0)
    scheduler(tmp_path, monkeypatch, squeue=f"echo 7 {job_prefix()}", scancel="true")
    monkeypatch.setattr(slurm.subprocess, "run", without_timeout(slurm.subprocess.run))
    with pytest.raises(ClusterError, match="7 of an earlier run"):
        cancel_jobs_left_over()


def without_timeout(run):
    return lambda *given, timeout, **options: run(*given, **options)


def test_a_machine_without_slurm_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="needs SLURM"):
        cancel_jobs_left_over()


def test_a_scheduler_that_fails_is_quoted(tmp_path, monkeypatch):
    scheduler(tmp_path, monkeypatch, squeue="echo slurm_load_jobs error: no controller >&2; exit 1")
    with pytest.raises(ClusterError, match="no controller"):
        cancel_jobs_left_over()


def test_profiles_go_by_name_or_folder(tmp_path):
    assert profile_folder("slurm") == PROJECT_FOLDER / "workflow" / "profiles" / "slurm"
    (tmp_path / "config.yaml").write_text("executor: slurm\n")
    assert profile_folder(str(tmp_path)) == tmp_path
    with pytest.raises(ClusterError, match="default, slurm"):
        profile_folder("nowhere")


@pytest.mark.parametrize(
    ("text", "is_slurm"), [("executor: slurm\n", True), ("cores: 2\n", False), ("executor: local\n", False)]
)
def test_whether_a_profile_hands_jobs_to_slurm(tmp_path, text, is_slurm):
    (tmp_path / "config.yaml").write_text(text)
    assert slurm.uses_slurm(tmp_path) is is_slurm


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "executor"])
def test_a_profile_that_is_no_mapping_is_an_error_in_one_sentence(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ClusterError, match=r"config\.yaml"):
        slurm.uses_slurm(tmp_path)


def memory(**changes):
    study = load_study("quick", **changes)
    return {job.name: job.memory_mb for job in jobs(study, Paths.of(study))}


def test_memory_is_the_measured_one_at_both_sizes_that_were_measured():
    quick, large = memory(), memory(image_size=224, batch_size=32)
    for network in TRAINING_MB:
        assert quick[f"train-{network}"] == TRAINING_MB[network]
        assert quick[f"compress-{network}-plain"] == COMPRESSING_MB[network]
        assert large[f"train-{network}"] == LARGE_MB[network]


def test_memory_grows_with_images_and_batches_and_never_falls_below_the_smallest_measured():
    sizes = [memory(image_size=size)["train-mobilenet_v2"] for size in (32, 64, 128, 224)]
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[1]
    assert memory(batch_size=64)["train-mobilenet_v2"] > memory()["train-mobilenet_v2"]


def test_without_the_plugin_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(slurm, "PLUGIN", "a_plugin_that_nobody_has")
    with pytest.raises(ClusterError, match="make slurm"):
        slurm.check_plugin()
