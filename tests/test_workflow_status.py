import pytest

from fer_utils.stages import StageError, make
from fer_utils.study import Paths, load_study
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
