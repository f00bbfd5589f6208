"""Read what the vendor's `benchmark_model` prints: times, memory, and where the time goes by operator.

Formats: tensorflow/lite/tools/benchmark/benchmark_model.cc (tensorflow at 08df8c40), the `Stat` classes of
stats_calculator.h, published logs from 2018 on (tensorflow issues 23131, 27948, 42507, 61950), and for LiteRT's tool
litert/tools/benchmark_litert_model.h (google-ai-edge/LiteRT at 15bfaa8b).
"""

import re
from itertools import takewhile
from typing import Final

import numpy as np
import pandas as pd

from arm_latency.interpreters import ProfilingError
from face_sets.validation import last_line

_STATISTICS: Final = re.compile(r"\bcount=\d+ .*")
_PAIR: Final = re.compile(r"(\w+)=([0-9.e+]+)")
_MEMORY: Final = re.compile(
    r"(?:emory footprint[^:]*\(MB\): init=\S+ overall=|Overall footprint: +)([0-9.e+]+)"
)
_UNCONSUMED: Final = re.compile(r"Unconsumed cmdline flags:? *(.*)")
_HEADING: Final = re.compile(r"=+ (.+?) =+\s*$")
_RUN_ORDER: Final = "Run Order"


def inference_ms(output: str) -> float:
    """Return the mean milliseconds of the timed inferences.

    They are in the last line of statistics; the one before it is of the warm-up. One inference, or equal ones,
    print no mean but only the latest. Raises ProfilingError when a line is missing, cut or no time: the tool stopped early.
    """
    lines = _STATISTICS.findall(output)
    if len(lines) < 2:
        raise ProfilingError(f"benchmark_model printed no timing; its last line: {last_line(output)}")
    values: dict[str, str] = dict(_PAIR.findall(lines[-1]))
    found = _number(values.get("avg", values.get("curr", "")))
    if not found > 0:
        raise ProfilingError(f"benchmark_model printed a timing that is cut or no time: {lines[-1]}")
    return found / 1000


def peak_memory_mib(output: str) -> float | None:
    """Return the MiB by which the process's peak rose from before the model was opened, None if not reported.

    The tool says MB and divides kibibytes by 1024; its footprint is getrusage's peak (memory_info.cc).
    """
    found = _MEMORY.search(output)
    return float(found.group(1)) if found else None


def unconsumed_options(output: str) -> str | None:
    """Return the options that the tool did not know, as it names them, or None: it only warns, and goes on without."""
    found = _UNCONSUMED.search(output)
    return (found.group(1) or "some, unnamed") if found else None


def operator_times(output: str) -> pd.DataFrame:
    """Return the operators in the order of running: position, operator, name, mean_ms of one inference.

    Where a graph is cut into parts, the tool joins operators of one kind and place in their part into one row: its
    mean is of one call, and counts as often as it was called. Of several profiles (one of the initialization comes
    first) the last is read. The columns of the text vary between versions and are found by their headings.
    Raises ProfilingError when there is no profile, or a cut one.
    """
    lines = output.splitlines()
    starts = [number for number, line in enumerate(lines) if _heading(line) == _RUN_ORDER]
    if not starts:
        raise ProfilingError(f"no operator profile was printed; the last line: {last_line(output)}")
    names = [
        name.lower() for name in re.findall(r"\[([^]]+)]", "".join(lines[starts[-1] + 1 : starts[-1] + 2]))
    ]
    if absent := [name for name in ("avg ms", "times called") if name not in names]:
        raise ProfilingError(
            f"the operator profile has no column {absent[0]!r}: it is cut, or of an unknown version"
        )
    # a kind may hold spaces, columns are apart by tabs or spaces: between kind and name stand only numbers
    row = re.compile(rf"\s*(.+?)\s+((?:[-+.\de]+%?\s+){{{len(names) - 2}}})\[(.*)\]")
    found = list(takewhile(bool, (row.match(line) for line in lines[starts[-1] + 2 :])))
    average, called = names.index("avg ms") - 1, names.index("times called") - 1
    numbers = [each[2].split() for each in found if each]
    calls = [_number(row[called]) for row in numbers]
    means = [_number(row[average]) for row in numbers]
    if not np.isfinite([*calls, *means]).all():
        raise ProfilingError("the operator profile has rows that are cut: run the benchmark again")
    once = min(calls, default=1.0)  # some operator runs once an inference: the last, say
    return pd.DataFrame(
        {
            "position": range(len(found)),
            "operator": [each[1] for each in found if each],
            "name": [each[3] for each in found if each],
            "mean_ms": [mean * count / once for mean, count in zip(means, calls, strict=True)],
        }
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _heading(line: str) -> str | None:
    found = _HEADING.search(line)
    return found.group(1) if found else None
