"""The graph of a study: every job has what it needs, and Snakemake reads it as it is declared."""

import ast
import os
import subprocess
import sys
from importlib import import_module

import pytest

from face_sets import code_digests
from face_sets.folders import RESULTS_VARIABLE
from fer_utils.graph import STAGES, STEPS, GraphError, find_job, jobs, jobs_for, longest_chains
from fer_utils.paths import (
    DATA_VARIABLE,
    FolderError,
    Paths,
    check_folders,
    remarks_on_folders,
    settle_folders,
)
from fer_utils.study import BASE_TECHNIQUES, SECTIONS, Study, load_study
from fer_utils.workflow import WorkflowError, due_jobs, make, summary


@pytest.fixture
def study():
    return load_study("compression", architectures=["mobilenet_v2", "nasnet_mobile"])


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_every_step_names_a_function(step):
    assert callable(getattr(import_module(step.module), step.function.rpartition(".")[2]))


def test_every_input_is_the_output_of_one_job_and_jobs_have_names_of_their_own(study, tmp_path):
    found = list(jobs(study, Paths.of(study, tmp_path)))
    outputs = [path for job in found for path in job.outputs]
    assert len(set(outputs)) == len(outputs)
    assert {path for job in found for path in job.inputs} <= set(outputs)
    assert len({job.name for job in found}) == len(found)


def test_each_group_of_techniques_is_a_job_and_waits_for_its_base(study, tmp_path):
    paths = Paths.of(study, tmp_path)
    found = {job.cell: job for job in jobs(study, paths) if job.step.name == "compress"}
    assert len(found) == 2 * (1 + 4)
    plain = found["nasnet_mobile", "plain"]
    assert not [path for path in plain.inputs if "/compress/" in path], "it makes its bases itself"
    job = found["nasnet_mobile", "pruning_quantization_aware"]
    (base,) = [path for path in job.inputs if "/compress/" in path]
    assert base in plain.outputs
    assert job.memory_mb + found["mobilenet_v2", "plain"].memory_mb < 6000


def test_groups_hold_each_technique_once_and_bases_before_their_combinations():
    mixed = [
        "none",
        "clustering",
        "clustering_quantization_aware",
        "pruning",
        "pruning_clustering",
        "quantization_aware",
    ]
    groups = load_study("quick", techniques=mixed).technique_groups
    assert list(groups) == ["plain", "quantization_aware", "clustering_quantization_aware"]
    techniques = [technique for group in groups.values() for technique in group]
    assert sorted(techniques) == sorted(mixed)
    order = {technique: place for place, technique in enumerate(techniques)}
    assert all(order[BASE_TECHNIQUES[each]] < order[each] for each in techniques if each in BASE_TECHNIQUES)


def test_techniques_that_share_no_job_wait_for_their_bases_alone(tmp_path):
    mixed = ["none", "clustering", "pruning", "pruning_clustering"]
    study = load_study("quick", techniques=mixed, shared_jobs=False)
    found = {job.cell: job for job in jobs(study, Paths.of(study, tmp_path)) if job.step.name == "compress"}
    assert {group for network, group in found if network == "mobilenet_v2"} == set(mixed)
    base = os.path.relpath(Paths.of(study, tmp_path).compressed("runs", "mobilenet_v2", "pruning"))
    waiting = {group for (network, group), job in found.items() if base in job.inputs}
    assert waiting == {"pruning_clustering"}


def test_what_trains_has_the_studys_threads_and_nothing_else_has(tmp_path):
    study = load_study("quick", threads=3, further_seeds=[1], sparsity_sweep=[0.75])
    many = {job.step.name for job in jobs(study, Paths.of(study, tmp_path)) if job.threads == 3}
    assert many == {"train", "train_again", "compress", "sweep"}


def test_each_setting_of_a_sweep_is_a_job(study, tmp_path):
    cells = {job.cell for job in jobs(study, Paths.of(study, tmp_path)) if job.step.name == "sweep"}
    assert ("mobilenet_v2", "pruning-0.75") in cells
    assert len(cells) == 2 * 6


def test_each_further_seed_is_a_training_of_each_network_and_changes_no_other(tmp_path):
    study = load_study("quick", further_seeds=[7, 8])
    found = {job.name: job for job in jobs(study, Paths.of(study, tmp_path))}
    again = [name for name in found if name.startswith("train_again")]
    assert len(again) == 2 * len(study.architectures)
    once = load_study("quick")
    for job in jobs(once, Paths.of(once, tmp_path)):
        if job.step.name in {"faces", "train", "compress", "measure"}:
            assert job.watched == found[job.name].watched
    assert set(found["train_again-mobilenet_v2-7"].outputs) <= set(found["notebook-03_cohorts"].inputs)


def test_memory_and_priority_follow_the_measured_order_of_networks(tmp_path):
    study = load_study("quick")
    found = list(jobs(study, Paths.of(study, tmp_path)))
    chains = longest_chains(found)
    trained = {job.cell[0]: job for job in found if job.step.name == "train"}
    order = sorted(trained, key=lambda network: chains[trained[network].name])
    assert order[0] == "mobilenet_v3_small"
    assert order[-1] == max(trained, key=lambda network: trained[network].memory_mb) == "nasnet_mobile"


def test_a_chain_counts_a_job_and_the_longest_way_from_it_to_the_book(study, tmp_path):
    """Also where a technique stands before another that it goes on from."""
    found = list(jobs(study, Paths.of(study, tmp_path)))
    chains, by_name = longest_chains(found), {job.name: job for job in found}
    for job in found:
        waiting = [each for each in found if set(each.inputs) & set(job.outputs)]
        assert chains[job.name] == job.seconds + max((chains[each.name] for each in waiting), default=0)
    assert chains["book"] == by_name["book"].seconds < chains["measure"] < chains["train-mobilenet_v2"]


def test_a_stage_waits_only_for_what_it_reads(study, tmp_path):
    """Stage 2 compresses nothing, stage 6 waits for no timing, published numbers wait for no network."""
    paths = Paths.of(study, tmp_path)
    declared = list(jobs(study, paths))
    steps = {
        stage: {job.step.name for job in jobs_for(declared, os.path.relpath(paths.notebook(stage)))}
        for stage in STAGES
    }
    trained = {"notebook", "faces", "train", "external_faces", "external_test"}
    assert steps["01_data"] == {"notebook", "faces", "external_faces"}
    assert steps["02_architectures"] == steps["06_ethnicity_analysis"] == trained
    assert steps["03_cohorts"] == trained | {"few_shot"}
    assert {"compress", "sweep", "measure", "external_files"} <= steps["04_compression"]
    assert steps["05_moto_g6_profiling"] == {"notebook", "faces", "train", "compress", "measure"}
    assert steps["07_published_numbers"] == {"notebook"}


def test_a_stage_waits_for_no_job_that_measures_another_device(study, tmp_path):
    paths = Paths.of(study, tmp_path)
    for table in (paths.of_device("measurements", "phone"), paths.emulations):
        table.parent.mkdir(parents=True)
        table.touch()
    notebook = os.path.relpath(paths.notebook("05_moto_g6_profiling"))
    declared = list(jobs(study, paths))
    measured = {os.path.relpath(paths.of_device("measurements", "phone")), os.path.relpath(paths.emulations)}
    assert measured <= set(jobs_for(declared, notebook)[-1].inputs)
    assert {job.step.name for job in jobs_for(declared, notebook)} >= {"compress", "measure"}
    assert jobs_for(declared, *measured) == []


@pytest.mark.parametrize(
    ("name", "cell", "sentence"),
    [
        ("magic", (), "unknown step 'magic': choose from faces, train"),
        ("faces", ("mobilenet_v2",), "step faces runs for nothing; given mobilenet_v2"),
        ("compress", ("mobilenet_v2",), "runs for mobilenet_v2 plain, .*given mobilenet_v2$"),
        ("train", ("alexnet",), "step train runs for mobilenet_v2, nasnet_mobile; given alexnet"),
    ],
)
def test_a_job_that_the_study_lacks_names_those_that_it_has(study, tmp_path, name, cell, sentence):
    with pytest.raises(GraphError, match=sentence):
        find_job(name, cell, study, Paths.of(study, tmp_path))


def test_declaring_jobs_loads_no_tensorflow():
    ask = """
import sys
import fer_utils.cli
from fer_utils.graph import jobs
from fer_utils.paths import Paths
from fer_utils.study import BASE_TECHNIQUES, load_study
study = load_study("quick")
assert list(jobs(study, Paths.of(study)))
sys.exit(bool({"tensorflow", "tf_keras", "seaborn", "matplotlib"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0


SECTIONED = [
    step for step in STEPS.values() if step.name not in {"notebook", "book"}
]  # these watch whole studies


@pytest.mark.parametrize("step", SECTIONED, ids=lambda step: step.name)
def test_a_step_reads_only_the_fields_that_make_it_run_again(step):
    """What a step's code reads of a study must be among the settings that the workflow watches for it."""
    graph = code_digests._import_graph()
    read: set[str] = set()
    for name in graph.find_upstream_modules(step.module) | {step.module}:
        if name.split(".")[0] in code_digests._packages() and name not in {
            "fer_utils.study",
            "fer_utils.paths",
        }:
            read |= study_attributes(name)
    watched = {field for section in ("scope", *step.sections) for field in SECTIONS[section]}
    assert read <= watched, (
        f"step {step.name} reads {sorted(read - watched)}, which does not make it run again"
    )


def study_attributes(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(code_digests._source(module).read_text())):
        if isinstance(node, ast.Attribute) and node.attr in Study.model_fields:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name in {"study", "settings"}:
                found.add(node.attr)
    return found


def test_numbers_lists_and_words_among_overrides_reach_the_workflow():
    due = due_jobs("quick", {"faces_seed": 7, "augmentation": 0.5, "architectures": ["mobilenet_v2"]})
    assert (due["faces"], due["train"], due["compress"]) == (1, 1, 2)


def test_a_status_counts_the_jobs_that_the_graph_declares():
    study = load_study("int8", seed=12345)
    found = summary(study, study.changes)
    assert found["compress"] == (2, 0, 2)
    assert found["sweep"] == (0, 0, 0)
    assert sum(count for count, _, _ in found.values()) == len(list(jobs(study, Paths.of(study))))


def test_an_unreadable_workflow_is_reported_in_snakemakes_words():
    with pytest.raises(WorkflowError, match="cannot be read: .*parameter 'seed'.*'seven'"):
        due_jobs("quick", {"seed": "seven"})


def test_a_run_of_an_unreadable_workflow_says_why(capsys):
    target = Paths.of(load_study("quick")).notebook("01_data")
    with pytest.raises(WorkflowError, match="the lines above are Snakemake's reason"):
        make([target], "quick", {"seed": "seven"})
    assert "parameter 'seed': Input should be a valid integer" in capsys.readouterr().out


@pytest.mark.system
def test_results_may_lie_in_another_folder_named_from_any_place(monkeypatch, tmp_path):
    """The workflow works in the project's folder; a name that is relative to here must not be read there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RESULTS_VARIABLE, "elsewhere")
    monkeypatch.setenv(DATA_VARIABLE, "nothing-here")
    target = Paths.of(load_study("quick")).external_faces
    assert due_jobs("quick", {})["external_faces"] == 1
    assert make([target], "quick", {})
    assert (tmp_path / "elsewhere" / "quick").is_dir()
    assert target.is_file()
    assert not make([target], "quick", {}), "it is there, and up to date"


def test_folders_are_named_in_full_since_the_workflow_works_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FER_RESULTS", "~/private/results")
    monkeypatch.setenv("FER_WEIGHTS", "../weights")
    monkeypatch.setenv("FER_DATA", "")
    settle_folders()
    assert os.environ["FER_RESULTS"] == str(tmp_path / "home" / "private" / "results")
    assert os.environ["FER_WEIGHTS"] == str(tmp_path.parent / "weights")
    assert os.environ["FER_DATA"] == "", "an empty name is none"


@pytest.mark.parametrize(
    ("variable", "folder", "sentence"),
    [
        ("FER_DATA", "absent", r"FER_DATA names .*absent, which is not there, or no folder"),
        ("FER_WEIGHTS", "absent/within", "FER_WEIGHTS names .*within, which is not there"),
        ("FER_DATA", "dangling", "FER_DATA names .*dangling, which is a link to nowhere"),
        ("FER_DATA", "file", "FER_DATA names .*file, which is not there, or no folder"),
        ("FER_DATA", "~nobody-of-this-name/data", "no home folder of ~nobody-of-this-name is known"),
        ("FER_RESULTS", "file", "results cannot be written to .*file .*Not a directory"),
        ("FER_RESULTS", "file/within", "results cannot be written to .*within .*file: Not a directory"),
        ("FER_RESULTS", "dangling", "results cannot be written to .*dangling"),
        ("FER_RESULTS", "/proc/absent", "results cannot be written to /proc/absent"),
        ("FER_RESULTS", "x{y}", "Snakemake takes what stands in braces for wildcards"),
    ],
)
def test_a_misnamed_folder_is_said_to_be_one(monkeypatch, tmp_path, variable, folder, sentence):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, folder)
    with pytest.raises(FolderError, match=sentence):
        settle_folders()
        check_folders()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


def test_to_read_results_their_folder_needs_no_right_to_write(monkeypatch):
    monkeypatch.setenv("FER_RESULTS", "/proc/self")
    check_folders(write=False)
    with pytest.raises(FolderError, match="results cannot be written to /proc/self"):
        check_folders()


@pytest.mark.parametrize("folder", ["file", "file/within", "dangling", "x{y}"])
def test_to_read_results_their_folder_may_not_be_misnamed_either(monkeypatch, tmp_path, folder):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.setenv("FER_RESULTS", str(tmp_path / folder))
    with pytest.raises(FolderError):
        check_folders(write=False)


def test_photographs_that_are_not_found_and_names_that_nothing_reads_are_remarked_on(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    monkeypatch.setenv("FER_DTA", str(tmp_path))
    unread, without = remarks_on_folders()
    assert unread.startswith("FER_DTA is set, and nothing reads it")
    assert without.startswith(f"FER_DATA={tmp_path} holds no london_faces")
    (tmp_path / "london_faces").mkdir()
    assert remarks_on_folders() == [unread]


@pytest.mark.parametrize("home", ["absent", "file"])
def test_without_a_home_that_can_be_written_to_a_folder_of_the_project_serves(monkeypatch, tmp_path, home):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HOME", str(tmp_path / home))
    monkeypatch.delenv("FER_RESULTS", raising=False)
    monkeypatch.setattr("fer_utils.paths.PROJECT_FOLDER", tmp_path / "project")
    settle_folders()
    assert os.environ["HOME"] == str(tmp_path / "project" / ".cache" / "home")
    assert os.path.isdir(os.environ["HOME"])
