"""A run whose jobs a cluster's scheduler (SLURM) takes: what became of each, and jobs that a killed run left."""

import getpass
import importlib.util
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Final, NamedTuple

from face_sets.files import digest
from face_sets.folders import PROJECT_FOLDER
from face_sets.validation import read_yaml

PROFILES_FOLDER: Final = PROJECT_FOLDER / "workflow" / "profiles"

PLUGIN: Final = "snakemake_executor_plugin_slurm"

JOB_STEP_MB: Final = 400
"""What SLURM counts besides a job's own memory: Snakemake's process in the job, and shared libraries in full (measured)."""

_PATIENCE: Final = 60  # seconds that cancelled jobs have to end: SLURM's KillWait is 30

_LOOK_EVERY: Final = 20
"""Seconds after which the queue is asked; Snakemake's plugin asks ever more rarely, at last every 180 s."""

_RULE: Final = re.compile(r"^(?:local)?rule (\S+):$")
_JOBID: Final = re.compile(r"^    jobid: (\d+)$")
_LOG: Final = re.compile(r"^    log: (.+)$")
_SUBMITTED: Final = re.compile(r"^Job (\d+) has been submitted with SLURM jobid (\d+)(?: \(log: (.*)\))?")
_FINISHED: Final = re.compile(r"^Finished jobid: \d+ \(Rule: (\S+)\)$")
_ERROR: Final = re.compile(r"^Error in (?:local)?rule (\S+):$")
_STATUS: Final = re.compile(r"^    message: SLURM-job '(\d+)' failed, SLURM status is: '(\w+)'")
_LOGS: Final = re.compile(r"^    log: (.*) \(check log file\(s\)")
_NO_MEMORY: Final = re.compile(r"memory limit|oom[-_ ]kill|out of memory", re.IGNORECASE)

_REASONS: Final = {
    "OUT_OF_MEMORY": "ended for want of memory: it asks for more when it is tried again",
    "TIMEOUT": "ended at its time limit: a longer one is `runtime` in the workflow profile",
    "CANCELLED": "was cancelled",
    "PREEMPTED": "had to make room for another job",
    "NODE_FAIL": "lost its node",
    "BOOT_FAIL": "lost its node, which did not start",
}
_BAD: Final = {*_REASONS, "FAILED", "DEADLINE"}


class ClusterError(RuntimeError):
    """A profile of the workflow, or a scheduler, that cannot be used; the message says what to do."""


def profile_folder(name: str) -> Path:
    """Return the folder of a workflow profile: one of the project's, by name, or any folder with a config.yaml."""
    for folder in (PROFILES_FOLDER / name, Path(name)):
        if (folder / "config.yaml").is_file():
            return folder.resolve()
    known = ", ".join(sorted(path.name for path in PROFILES_FOLDER.iterdir()))
    raise ClusterError(
        f"no workflow profile {name!r}: give one of {known}, or a folder that holds a config.yaml of Snakemake"
    )


def uses_slurm(profile: Path) -> bool:
    """Return whether a workflow profile hands jobs to SLURM. Raises ClusterError if it is no YAML mapping."""
    try:
        return read_yaml(profile / "config.yaml").get("executor") == "slurm"
    except ValueError as error:
        raise ClusterError(f"workflow profile {profile.name}: {error}") from None


def check_plugin() -> None:
    """Raise ClusterError if Snakemake's plugin for SLURM is not installed."""
    if importlib.util.find_spec(PLUGIN) is None:
        raise ClusterError("this workflow profile needs Snakemake's plugin for SLURM: add it by `make slurm`")


def job_prefix() -> str:
    """Return what the names of this clone's jobs begin with in the queue, so that no other's are taken for them."""
    return "fer-" + digest(getpass.getuser(), str(PROJECT_FOLDER))


def cancel_jobs_left_over() -> int:
    """Cancel this clone's jobs that an earlier, killed run left in the queue, wait for their end, and return how many.

    Two runs would otherwise write the same files. Raises ClusterError if SLURM does not answer or they do not end.
    """
    left = _queued()
    if left:
        _slurm("scancel", *left)
    deadline = time.monotonic() + _PATIENCE
    while _queued():
        if time.monotonic() > deadline:
            raise ClusterError(f"jobs {', '.join(_queued())} of an earlier run do not end: see `squeue --me`")
        time.sleep(1)
    return len(left)


class Submitted(NamedTuple):
    """A job in SLURM's queue: its rule, and its logs, its own first, then the cluster's."""

    rule: str
    logs: list[Path]


def in_progress_words(lines: Iterable[str]) -> Iterator[str]:
    """Translate Snakemake's lines about a cluster's jobs into those that `Progress` reads, each failure with its reason.

    A failure is told as soon as SLURM knows of it, which may be minutes before Snakemake does. Lines that tell nothing
    of a job or of the run's end are left out.
    """
    rules: dict[str, Submitted] = {}
    running: dict[str, Submitted] = {}  # by SLURM's numbers
    rule, log, failure, told = "", "", list[str](), set[str]()
    for line in _with_pauses(lines):
        if line is None:
            for number, state in _ended_badly({n: job for n, job in running.items() if n not in told}):
                told.add(number)
                yield from _failed(running.pop(number), number, state)
            continue
        if failure and line.startswith("    "):
            failure.append(line)
            continue
        if failure:
            yield from _block_failed(failure, told)
            failure = []
        if found := _RULE.match(line):
            rule, log = found[1], ""
        elif found := _LOG.match(line):
            log = found[1]
        elif found := _JOBID.match(line):
            rules[found[1]] = Submitted(rule, [Path(log)] if log else [])
        elif found := _SUBMITTED.match(line):
            job = rules.get(found[1], Submitted(found[1], []))
            running[found[2]] = job._replace(logs=[*job.logs, *([Path(found[3])] if found[3] else [])])
            yield f"begins {job.rule}"
        elif found := _FINISHED.match(line):
            yield f"ends {found[1]}"
        elif _ERROR.match(line):
            failure = [line]
        elif line.startswith("due "):
            yield line


def _with_pauses(lines: Iterable[str]) -> Iterator[str | None]:
    """The lines as they come, without their ends; None whenever it is time to look at the queue; an empty one last."""
    came: Queue[str | None] = Queue()

    def read() -> None:
        for line in chain(lines, [""]):
            came.put(line.rstrip("\n"))
        came.put(None)

    Thread(target=read, daemon=True).start()
    look = time.monotonic() + _LOOK_EVERY
    while True:
        try:
            line = came.get(timeout=max(look - time.monotonic(), 0))
        except Empty:
            look = time.monotonic() + _LOOK_EVERY
            yield None
            continue
        if line is None:
            return
        yield line


def _ended_badly(running: Mapping[str, Submitted]) -> list[tuple[str, str]]:
    """Those of the jobs that SLURM knows to have failed, with their states; none if it does not answer now."""
    if not running:
        return []
    try:
        answer = _slurm(
            "squeue", "--states=all", "--noheader", "--format=%i %T", f"--jobs={','.join(running)}"
        )
    except ClusterError:
        return []
    states = (line.split() for line in answer.splitlines())
    return [(number, state) for number, state in states if state in _BAD and number in running]


def _block_failed(block: list[str], told: set[str]) -> Iterator[str]:
    """The lines of one `Error in rule` block, unless its job is among those that were told."""
    name = found[1] if (found := _ERROR.match(block[0])) else ""
    status = next((found for line in block if (found := _STATUS.match(line))), None)
    logs = next((found[1].split(", ") for line in block if (found := _LOGS.match(line))), [])
    number, state = (status[1], status[2]) if status else ("", "FAILED")
    if number in told:
        return
    told.update([number] if number else [])  # a job that ran here has none
    yield from _failed(Submitted(name, [Path(log) for log in logs]), number, state)


def _failed(job: Submitted, number: str, state: str) -> Iterator[str]:
    """A failure, and one sentence: what happened, and where to look."""
    yield f"fails {job.rule}"
    texts = [_text(log) for log in job.logs]
    if state == "FAILED" and texts and _NO_MEMORY.search(texts[-1]):
        state = "OUT_OF_MEMORY"
    who = f"{job.rule} (SLURM job {number})" if number else job.rule
    said = [line for text in texts[:1] for line in text.splitlines() if line.strip()]
    reason = _REASONS.get(state) or (said[-1].strip() if said else f"failed with status {state}")
    yield f"{who}: {reason}" + (f"; its log: {job.logs[0]}" if job.logs else "")


def _text(log: Path) -> str:
    return log.read_text("utf-8", errors="replace") if log.is_file() else ""


def _queued() -> list[str]:
    rows = (line.split() for line in _slurm("squeue", "--me", "--noheader", "--format=%i %j").splitlines())
    return [number for number, name, *_ in rows if name.startswith(job_prefix())]


def _slurm(*command: str) -> str:
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PATIENCE)
    except FileNotFoundError:
        raise ClusterError(
            f"this workflow profile needs SLURM, but `{command[0]}` is not on this machine: run on a login node"
        ) from None
    except subprocess.TimeoutExpired:
        raise ClusterError(
            f"SLURM did not answer `{command[0]}` within {_PATIENCE} s: try again later"
        ) from None
    if answer.returncode != 0:
        raise ClusterError(f"`{command[0]}` failed: {answer.stderr.strip() or answer.stdout.strip()}")
    return answer.stdout
