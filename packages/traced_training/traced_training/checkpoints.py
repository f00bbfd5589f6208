"""The state of a training after a whole epoch, in one file: after a kill it goes on from there.

A training that goes on ends with the weights, to the bit, of one that was not interrupted, if its batches and its dropout
depend on the epoch alone.
"""

import hashlib
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from traced_training.training_step import TrainingStep

Curve = list[tuple[float, ...]]
"""What was measured after each epoch."""

PAUSE: Final = 30.0
"""Seconds between two states that are kept, but for the last: a kill costs these at most, and the epoch under way.
Writing the state after each epoch of a short training would cost more."""


class Checkpoint:
    """One training's state at `path`; `key` names all that decides the training but the weights that it begins with."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._key = path, key

    def restore(self, step: TrainingStep) -> tuple[Curve, float]:
        """Set a step, which is about to begin, to what was kept; return the curve so far and the seconds that it took.

        Nothing changes, and the answer is an empty curve and 0.0, if nothing was kept for this training and these
        first weights. A damaged file is named on standard error.
        """
        self._begun, self._kept = self._begins_with(step), 0.0
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                if str(kept["begun"]) != self._begun:
                    return [], 0.0
                values = [kept[str(place)] for place in range(len(step.state))]
                curve, steps, seconds = kept["curve"], int(kept["steps"]), float(kept["seconds"])
        except FileNotFoundError:
            return [], 0.0
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            print(f"{self.path.name} is damaged ({error}): this training begins anew", file=sys.stderr)
            return [], 0.0
        for variable, value in zip(step.state, values, strict=True):
            variable.assign(value)
        step.steps, self._kept = steps, seconds
        return [tuple(row) for row in curve.tolist()], seconds

    def is_due(self, seconds: float) -> bool:
        """Return whether a training that has taken `seconds` should keep its state: PAUSE has passed since it last did."""
        return seconds - self._kept >= PAUSE

    def keep(self, step: TrainingStep, curve: Sequence[Sequence[float]], seconds: float) -> None:
        """Write the state after an epoch, whole or not at all; `seconds` is how long the training has taken so far."""
        self._kept = seconds
        state = {str(place): variable.numpy() for place, variable in enumerate(step.state)}
        write_arrays(
            self.path, begun=self._begun, curve=np.array(curve), steps=step.steps, seconds=seconds, **state
        )

    def _begins_with(self, step: TrainingStep) -> str:
        total = hashlib.sha256(self._key.encode())
        for variable in step.network.weights:
            total.update(variable.numpy().tobytes())
        return total.hexdigest()


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write arrays by name as an .npz file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
