import subprocess
import sys

import pytest

from face_sets import patience

COUNTS = """
import pathlib, sys
runs = pathlib.Path("runs")
runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
print("out")
print("line\\nreason", file=sys.stderr)
sys.exit(len(runs.read_text()) < int(sys.argv[1]))
"""


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were made, none of them waited for."""
    made = []
    monkeypatch.setattr(patience.time, "sleep", made.append)
    return made


@pytest.mark.parametrize("needed", [1, 3])
def test_a_command_is_run_until_it_succeeds(tmp_path, pauses, capsys, needed):
    done = patience.run_patiently([sys.executable, "-c", COUNTS, str(needed)], tmp_path)
    assert done.returncode == 0
    assert done.stdout == "out\n"
    assert (tmp_path / "runs").read_text() == "x" * needed
    assert pauses == list(patience.PAUSES[: needed - 1])
    said = capsys.readouterr().err.splitlines()
    assert len(said) == needed - 1
    assert all("(reason)" in line for line in said)


def test_the_last_failure_is_returned(tmp_path, pauses):
    done = patience.run_patiently([sys.executable, "-c", COUNTS, "99"], tmp_path)
    assert (done.returncode, done.stderr) == (1, "line\nreason\n")
    assert pauses == list(patience.PAUSES)
    assert (tmp_path / "runs").read_text() == "x" * (len(pauses) + 1)


def test_as_a_program_it_needs_nothing_installed_and_passes_output_on(tmp_path):
    command = [sys.executable, "-I", "-S", patience.__file__, "count", sys.executable, "-c", COUNTS, "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "line\nreason\n")


def test_as_a_program_it_says_what_failed_and_what_to_do(pauses, capsys):
    with pytest.raises(SystemExit, match="could not count;.*[Rr]un the same command again"):
        patience._main("count", sys.executable, "-c", "import sys; sys.exit('why')")
    assert capsys.readouterr().err.splitlines()[-1] == "why"
