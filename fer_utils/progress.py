"""What a run of the workflow tells its reader: how many jobs are due, which run, which are done, how long it will take."""

import json
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

_TRUST = 60.0
"""Declared seconds that weigh against what the finished jobs took on this machine."""


class Progress(Live):
    """Prints what a reader wants of the workflow's lines; on a terminal its last line shows what runs.

    The Snakefile writes `due {job: [declared seconds, threads]}` once, and `begins JOB`, then `ends JOB` or `fails JOB`
    for each. Other lines, such as the reason of a failure, are printed as they are.
    """

    def __init__(self, cores: int | None, console: Console | None = None) -> None:
        self.cores, self.failed = cores, 0
        self.due: dict[str, tuple[float, int]] = {}
        self.begun, self.took = dict[str, float](), dict[str, float]()  # when, and for how many seconds
        console = console or Console(force_jupyter=False)
        super().__init__(console=console, get_renderable=self._line, transient=True, redirect_stdout=False)

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
            for name, (seconds, _) in self.due.items() if name not in self.took
        }  # fmt: skip
        shared = sum(seconds * self.due[name][1] for name, seconds in left.items()) / (self.cores or 1)
        minutes = max(0, shared, *left.values()) / 60
        return f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"

    def _line(self) -> Text:
        if not self.due:
            return Text("Looking for what is missing or out of date ...")
        running = ", ".join(f"{name} {time.monotonic() - begun:.0f} s" for name, begun in self.begun.items())
        return Text(f"{self._so_far()}: {running}", no_wrap=True, overflow="ellipsis")
