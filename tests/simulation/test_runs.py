"""The simulation study in full: shipped as today's code makes it, written whole, not shown once an analysis has changed."""

import pandas as pd
import pytest

from expression_scores.experiments import kept, run_scenarios
from fer_utils.simulation import scenarios as runs
from fer_utils.simulation.scenarios import scenarios


@pytest.fixture(scope="module")
def one():
    return next(scenario for scenario in scenarios() if scenario.name == "guessing")


@pytest.fixture
def written(one, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "scenarios", lambda: (one,))
    monkeypatch.setattr(runs, "_BLOCK", 4)
    path = tmp_path / "simulations.csv"
    assert list(runs.in_full(path, repeats=10, draws=99)) == ["guessing"]
    return path


def test_in_full_is_the_same_as_in_one_process(written, one):
    expected = run_scenarios([one], repeats=10, draws=99)
    found = runs.read_full(written)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)
    assert (found["draws"] == 99).all()


def test_an_analysis_that_changed_makes_the_table_old(written, monkeypatch):
    monkeypatch.setattr(runs, "own_code_digest", lambda *modules: "0123456789abcdef")
    assert runs.read_full(written) is None


def test_the_shipped_table_is_of_todays_code_and_every_rate_is_within_its_limit():
    found = runs.read_full()
    assert found is not None, "an analysis has changed: run `fer validate`"
    asked = [(each.name, words) for each in scenarios() for words, _ in each.questions]
    assert list(zip(found["scenario"], found["question"], strict=True)) == asked
    assert set(found["repeats"]) == {runs.FULL_REPEATS}
    assert set(kept(found)) <= {"yes", ""}


@pytest.mark.parametrize("content", ["scenario,rate\nguessing,0.1\n", "", "\x00\x01"])
def test_a_foreign_table_is_an_error(tmp_path, content):
    path = tmp_path / "simulations.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="run `fer validate` again"):
        runs.read_full(path)


def test_a_failing_experiment_leaves_no_table(one, tmp_path, monkeypatch):
    def stopping():
        yield one
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "scenarios", stopping)
    path = tmp_path / "simulations.csv"
    with pytest.raises(KeyboardInterrupt):
        list(runs.in_full(path, repeats=2, draws=99))
    assert not path.exists()
