import pytest

from face_sets.folders import RESULTS_VARIABLE
from fer_utils.paths import DATA_VARIABLE, Paths
from fer_utils.stages import StageError, make
from fer_utils.study import load_study
from fer_utils.workflow_status import due_jobs


def test_numbers_lists_and_words_among_overrides_reach_the_workflow():
    due = due_jobs("quick", {"seed": 7, "augmentation": 0.5, "architectures": ["mobilenet_v2"]})
    assert (due["faces"], due["train"], due["compress"]) == (1, 1, 1)


def test_an_unreadable_workflow_is_told_in_snakemakes_words():
    with pytest.raises(RuntimeError, match="cannot be read: .*parameter 'seed'.*'seven'"):
        due_jobs("quick", {"seed": "seven"})


def test_a_run_of_an_unreadable_workflow_says_where_to_look():
    target = Paths.of(load_study("quick")).notebook("01_data")
    with pytest.raises(StageError, match="`fer status` with the same options says why"):
        make([target], "quick", {"seed": "seven"})


def test_results_may_lie_in_another_folder_named_from_any_place(monkeypatch, tmp_path):
    """The workflow works in the project's folder; a name that is relative to here must not be read there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RESULTS_VARIABLE, "elsewhere")
    monkeypatch.setenv(DATA_VARIABLE, "nothing-here")
    target = Paths.of(load_study("quick")).external_faces
    assert due_jobs("quick", {})["photographs"] == 1
    assert make([target], "quick", {})
    assert (tmp_path / "elsewhere" / "quick").is_dir()
    assert target.is_file()
    assert "photographs" not in due_jobs("quick", {})
    assert not make([target], "quick", {}), "it is there, and up to date"
