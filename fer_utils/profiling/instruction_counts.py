"""Instructions that an emulated ARM64 program executed, by kind: QEMU's plugin for it, and what that prints."""

import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from fer_utils.profiling.arm64_system import EmulationError

SOURCE: Final = Path(__file__).with_suffix(".c")

_COUNTED: Final = re.compile(r"^COUNTED (\d+) (.+)$", re.MULTILINE)
_QEMU_VERSION: Final = re.compile(r"version (\d+)\.(\d+)(?:\.\d+)?")
_INTERFACE_1: Final = (4, 2), (8, 2)  # the first and last QEMU that take plugins of this interface


@dataclass(frozen=True)
class InstructionCounts:
    """Executed instructions; a vector instruction counts once, however many numbers it works on.

    `fused_multiply_adds` are of vectors of floats, `integer_multiplies` of vectors of integers, most of them with an
    addition. Loads and stores are told apart by the registers that they fill: vectors' or others.
    """

    fused_multiply_adds: int
    integer_multiplies: int
    vector_loads_stores: int
    other_loads_stores: int
    others: int

    @property
    def total(self) -> int:
        """All instructions."""
        return sum(vars(self).values())

    def __sub__(self, before: "InstructionCounts") -> "InstructionCounts":
        """Return what was executed since `before`."""
        return InstructionCounts(**{kind: count - vars(before)[kind] for kind, count in vars(self).items()})


def compile_plugin(target: Path) -> Path:
    """Compile the plugin into the shared library `target` and return it.

    Raises EmulationError, in one sentence, if gcc refuses.
    """
    command = [
        "gcc",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O2",
        "-shared",
        "-fPIC",
        "-o",
        str(target),
        str(SOURCE),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmulationError(f"gcc could not compile {SOURCE.name}: {(done.stderr.splitlines() or ['?'])[0]}")
    return target


def qemu_version(said: str) -> str:
    """Return QEMU's version from what `qemu-aarch64 --version` said, checked to take this plugin.

    Raises EmulationError for a version whose plugins are of another interface, or for another text.
    """
    version = _QEMU_VERSION.search(said)
    if version is None:
        raise EmulationError(
            f"`qemu-aarch64 --version` said {said[:80]!r}, no version: install qemu-user again"
        )
    if not _INTERFACE_1[0] <= (int(version[1]), int(version[2])) <= _INTERFACE_1[1]:
        raise EmulationError(
            f"QEMU {version[0].removeprefix('version ')} takes other plugins than the one that counts instructions "
            "here, which needs 4.2 to 8.2: Debian 12's qemu-user is 7.2"
        )
    return version[0].removeprefix("version ")


def counts_between_marks(printed: str) -> list[InstructionCounts]:
    """Return the instructions between each two marks in what a program under the plugin printed.

    Raises EmulationError if marks are missing, out of order or of other kinds.
    """
    totals = []
    for number, (mark, fields) in enumerate(_COUNTED.findall(printed)):
        pairs = (field.partition("=") for field in fields.split())
        try:
            totals.append(InstructionCounts(**{name: int(value) for name, _, value in pairs}))
        except (TypeError, ValueError) as error:
            raise EmulationError(f"the plugin printed {fields[:80]!r}, which are not its counts") from error
        if int(mark) != number:
            raise EmulationError(f"the plugin printed mark {mark} where {number} was due")
    if len(totals) < 2:
        raise EmulationError("the plugin printed no counts: is it qemu-user, not qemu-user-static?")
    return [after - before for before, after in pairwise(totals)]
