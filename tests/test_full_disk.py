"""A disk that is full in the middle of a write, played by the operating system's limit on a file's size."""

import subprocess
import sys
import textwrap

import pandas as pd

from fer_utils import tables

WRITE_BEYOND_THE_LIMIT = """
    import pathlib, resource, signal, sys
    import numpy as np, pandas as pd
    from fer_utils import tables
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    rows = 5000
    frame = pd.DataFrame({"run_id": "new", "epoch": range(rows), "loss": np.random.default_rng(0).random(rows)})
    try:
        tables.write(frame, "curves", pathlib.Path(sys.argv[1]))
    except OSError as error:
        sys.exit(str(error))
"""


def test_a_table_is_whole_or_not_there(tmp_path):
    path = tmp_path / "curves.parquet"
    tables.write(pd.DataFrame({"run_id": ["old"], "epoch": [1], "loss": [1.0]}), "curves", path)
    code = textwrap.dedent(WRITE_BEYOND_THE_LIMIT)
    answer = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "could not write" in answer.stderr
    assert "free space and run again" in answer.stderr
    assert list(tables.read("curves", path)["run_id"]) == ["old"]
    assert [file.name for file in tmp_path.iterdir()] == ["curves.parquet"]
