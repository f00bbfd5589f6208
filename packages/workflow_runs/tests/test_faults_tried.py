from workflow_runs.faults_tried import FaultsTried, faults_tried, tried_with


def counted(*ends):
    found = FaultsTried()
    for same in ends:
        found.count("a kill", same=same)
    return found


def test_counts_of_seeds_add_up_and_a_seed_run_again_counts_once(tmp_path):
    path = tmp_path / "faults.csv"
    counted(True, True, False).add_to(path, "0001", "c1", 1, 60.4)
    counted(True).add_to(path, "0001", "c1", 2, 60)
    counted(True, False).add_to(path, "0001", "c2", 1, 60)
    assert faults_tried(path).to_dict("records") == [
        {"tried": "a kill", "times": 3, "went on": 2, "one sentence": 1}
    ]
    assert tried_with(path) == "seeds 1, 2 (digest of the tests 0001)"


def test_counts_of_other_tests_are_dropped_and_an_end_that_never_came_is_nought(tmp_path):
    path = tmp_path / "faults.csv"
    counted(False).add_to(path, "0001", "c1", 1, 60)
    counted(True).add_to(path, "0002", "c2", 2, 60)
    assert faults_tried(path).to_dict("records") == [
        {"tried": "a kill", "times": 1, "went on": 1, "one sentence": 0}
    ]
