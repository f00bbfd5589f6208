"""What a run of the workflow tells its reader: how many jobs are due, which run, which are done, how long it will take."""

import json
import sys
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

_TRUST = 60.0
"""Declared seconds that weigh against what the finished jobs took on this machine."""

_NEXT = 3  # jobs that are announced: with the running ones, a block that a small terminal holds


class Progress(Live):
    """Tells a reader what matters of the workflow's lines: in a log a line per job that ended, on a terminal one block
    that changes in place, with what is done, the time left, what runs and what is next.

    The Snakefile writes `due {job: [declared seconds, threads, jobs that it waits for]}` once, those that begin first
    first, and `begins JOB`, then `ends JOB` or `fails JOB` for each. Other lines, such as the reason of a failure, are
    printed as they are.
    """

    def __init__(self, cores: int | None, console: Console | None = None) -> None:
        self.cores, self.failed = cores, 0
        self.due: dict[str, tuple[float, int, list[str]]] = {}
        self.begun, self.took = dict[str, float](), dict[str, float]()  # when, and for how many seconds
        # In a notebook rich would take FORCE_COLOR, which Jupyter sets, for a terminal that can be written over
        console = console or Console(force_jupyter=False, force_terminal=sys.stdout.isatty())
        super().__init__(console=console, get_renderable=self._block, transient=True, redirect_stdout=False)

    def read(self, line: str) -> None:
        """Take one line of the workflow."""
        word, _, rest = line.partition(" ")
        if word == "due" and not self.due:
            self.due = json.loads(rest)
            jobs = "1 job" if len(self.due) == 1 else f"{len(self.due)} jobs"
            where = f"on {self.cores} cores, {self.remaining()}" if self.cores else "on the cluster"
            line = f"{jobs} to do {where}"
        elif word == "begins" and rest in self.due:
            if self.took.pop(rest, None) is not None:  # it failed, and is tried again
                self.failed -= 1
            self.begun[rest] = time.monotonic()
            return
        elif word in {"ends", "fails"} and rest in self.begun:
            self.took[rest] = time.monotonic() - self.begun.pop(rest)
            self.failed += word == "fails"
            if word == "ends" and self.console.is_terminal:
                return  # the block says so
            words = self._so_far() if word == "ends" else "FAILED:"
            line = f"{rest:44} {self.took[rest]:6.0f} s   {words}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _so_far(self) -> str:
        done = f"{len(self.took) - self.failed} of {len(self.due)} done"
        return done if len(self.took) == len(self.due) or not self.cores else f"{done}, {self.remaining()}"

    def remaining(self) -> str:
        """Return the time to the end in words: declared seconds, scaled by what the finished jobs took."""
        expected = sum(self.due[name][0] for name in self.took)
        scale, now = (sum(self.took.values()) + _TRUST) / (expected + _TRUST), time.monotonic()
        left = {
            name: max(scale * seconds - (now - self.begun.get(name, now)), 0)
            for name, (seconds, *_) in self.due.items() if name not in self.took
        }  # fmt: skip
        shared = sum(seconds * self.due[name][1] for name, seconds in left.items()) / (self.cores or 1)
        minutes = max(0, shared, *left.values()) / 60
        return f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"

    def upcoming(self) -> list[str]:
        """Return the jobs that begin as soon as cores are free, or when what runs now has ended; first ones first."""
        known = {*self.begun, *self.took}
        waiting = [name for name in self.due if name not in known]
        return [name for name in waiting if not set(self.due[name][2]) & set(waiting)]

    def _block(self) -> Table:
        block = Table.grid(padding=(0, 2))
        for overflow in ("fold", "ellipsis"):
            block.add_column(no_wrap=True, overflow=overflow)
        if not self.due:
            block.add_row("Looking for what is missing or out of date ...")
            return block
        block.add_row("done", self._so_far())
        for name, begun in self.begun.items():
            block.add_row("runs", f"{name}, {time.monotonic() - begun:.0f} s")
        block.add_row("next", ", ".join(self.upcoming()[:_NEXT]) or "the end")
        return block
