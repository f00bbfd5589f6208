"""What each job of the workflow cost, by the operating system's account of its process and of the children that ended."""

import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Final

import pandas as pd
import psutil

from face_sets.files import write_text

MEASURED: Final = {"s": "wall seconds", "cpu_time": "processor seconds", "max_rss": "peak memory MiB"}
"""The columns of a job's file, which Snakemake's benchmark files have too, and their names for readers."""


def write_cost(path: Path) -> None:
    """Write what this process cost from its start until now, with all children that it has waited for.

    Peak memory is that of the largest single process.
    """
    usages = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    wall = time.time() - psutil.Process().create_time()
    processor = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes on macOS, in KiB elsewhere
    memory = max(usage.ru_maxrss for usage in usages) / unit
    write_text(path, "\t".join(MEASURED) + f"\n{wall:.2f}\t{processor:.2f}\t{memory:.1f}\n")


def costs(folder: Path) -> pd.DataFrame:
    """Return what each job cost, by its file in a folder: seconds and peak memory; the last row is the sum."""
    jobs = [_cost(file).assign(job=file.stem) for file in sorted(folder.glob("*.tsv"))]
    none = pd.DataFrame(columns=["job", *MEASURED]).astype(dict.fromkeys(MEASURED, float))
    table = pd.concat([none, *jobs], ignore_index=True)
    total = table.agg({"s": "sum", "cpu_time": "sum", "max_rss": "max"})
    table.loc[len(table)] = {"job": "all, one after the other", **total}
    return table.rename(columns=MEASURED)


def _cost(file: Path) -> pd.DataFrame:
    """A job's numbers; missing where its file is damaged, which is no reason to have no book."""
    try:
        return pd.read_csv(file, sep="\t", dtype=float)[list(MEASURED)]
    except (OSError, ValueError, KeyError):
        return pd.DataFrame({name: [float("nan")] for name in MEASURED})
