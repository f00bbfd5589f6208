import pytest
import yaml

from face_sets.folders import RESULTS_VARIABLE
from face_sets.set_names import LICENSED_SETS
from fer_utils import study as study_module
from fer_utils.analysis import evidence
from fer_utils.paths import Paths
from fer_utils.study import SECTIONS, Study, StudyError, load_study, parameters, profile_names
from fer_utils.tables import TECHNIQUES


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_loads_and_holds_only_differences(profile):
    study = load_study(profile)
    assert study.name == profile
    differing = study_module._profile_fields(profile)
    for field, value in study.model_dump().items():
        default = Study.model_fields[field].get_default(call_default_factory=True)
        assert field == "profile" or field not in differing or value != default, (
            f"{field} repeats the default"
        )


@pytest.mark.parametrize("profile", profile_names())
def test_every_line_of_a_profile_gives_its_reason(profile):
    lines = (study_module.PROFILES_FOLDER / f"{profile}.yml").read_text().splitlines()
    bare = [line for line in lines if line.strip() and "#" not in line and not line.rstrip().endswith(":")]
    assert not bare


@pytest.mark.parametrize(
    ("profile", "overrides", "sentence"),
    [
        ("fast", {}, r"unknown profile 'fast': choose one of compression, int8, licensed, quick, reference"),
        ("quick", {"sed": 5}, r"unknown parameter 'sed': a study has profile, seed"),
        ("quick", {"seed": "007"}, r"parameter 'seed': Input should be a valid integer, given '007'"),
        ("quick", {"seed": 1000.0}, r"parameter 'seed'"),
        (
            "quick",
            {"architectures": ["resnet_152"]},
            r"parameter 'architectures.0'.*mobilenet_v3_large.*given 'resnet_152'",
        ),
        ("quick", {"cohorts": ["teenagers"]}, r"parameter 'cohorts.0'.*given 'teenagers'"),
        (
            "quick",
            {"architectures": "mobilenet_v2"},
            r"expected a list such as \['mobilenet_v2'\], given 'mobilenet_v2'",
        ),
        ("quick", {"architectures": []}, r"parameter 'architectures'.*at least 1"),
        ("quick", {"cohorts": ["all", "all"]}, r"an entry is repeated"),
        (
            "licensed",
            {"sets": ["cafe", "kedf"]},
            r"parameter 'sets': unknown data set kedf: known are affectnet",
        ),
        ("quick", {"image_size": 100}, r"parameter 'image_size'.*multiple of 32"),
        (
            "quick",
            {"cohorts": ["children", "adults"]},
            r"parameter 'cohorts': others go on from .* list all",
        ),
        ("quick", {"techniques": ["pruning"]}, r"parameter 'techniques': .*uncompressed.* list none"),
        ("quick", {"techniques": []}, r"parameter 'techniques': .*list none"),
        ("quick", {"precisions": []}, r"parameter 'precisions': .*at least 1"),
        ("quick", {"profile": "licensed"}, r"the profile is what overrides change"),
        ("quick", {"epochs": "1.5e0"}, r"parameter 'epochs': .*integer.*given 1.5"),
        ("quick", {"learning_rate": "1e400"}, r"parameter 'learning_rate'"),
        ("quick", {"learning_rate": "-1e-3"}, r"parameter 'learning_rate'.*given -0.001"),
        ("quick", {"learning_rate": "0.001"}, r"parameter 'learning_rate'.*given '0.001'"),
        ("quick", {"learning_rate": "1e-3 "}, r"parameter 'learning_rate'"),
        ("quick", {"sets": [["cafe"]]}, r"parameter 'sets.0'"),
        ("quick", {"sets": {"cafe": 1}}, r"parameter 'sets'"),
    ],
)
def test_a_bad_parameter_ends_in_one_sentence(profile, overrides, sentence):
    with pytest.raises(StudyError, match=sentence) as caught:
        load_study(profile, **overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "1.0e-3", "+1e-3", "0.1e-2", ".1e-2", "10e-4"])
def test_numbers_that_pyyaml_takes_for_text_are_numbers(text):
    given = yaml.safe_load(f"learning_rate: {text}\nsparsity_sweep: [{text}, 5e-1]\nepochs: 1e1")
    study = load_study("quick", **given)
    assert (study.learning_rate, study.sparsity_sweep, study.epochs) == (0.001, (0.001, 0.5), 10)


def test_none_leaves_the_profiles_value():
    assert load_study("quick", seed=None) == load_study("quick")


def test_changed_studies_have_folders_of_their_own():
    names = {load_study("quick", seed=seed).name for seed in (None, 1, 2)}
    assert len(names) == 3
    assert load_study("quick", seed=load_study("quick").seed).name == "quick"


def test_a_study_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_study("quick").seed = 3


def test_paths_are_relative_and_below_the_studys_folder():
    paths = Paths.of(load_study("quick"))
    assert not paths.faces.is_absolute()
    assert paths.root.name == "quick"
    assert paths.root in paths.trained("runs", "mobilenet_v2").parents


def test_sections_cover_every_field():
    assert {field for fields in SECTIONS.values() for field in fields} == set(Study.model_fields)


def test_the_sets_of_the_licensed_study_are_those_that_may_settle_a_claim():
    assert set(LICENSED_SETS) <= evidence.LICENSED_SETS
    assert len(set(LICENSED_SETS) - evidence.UNPUBLISHED_SETS) == 12
    assert load_study("licensed").sets == LICENSED_SETS


def test_results_lie_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path))
    paths = Paths.of(load_study("quick"))
    assert paths.root.resolve() == tmp_path / "quick"
    assert paths.results.resolve() == tmp_path


def test_a_combination_comes_after_its_base():
    with pytest.raises(StudyError, match="pruning_clustering goes on from pruning: list pruning before it"):
        load_study("quick", techniques=["none", "pruning_clustering", "pruning"])
    assert load_study("compression").techniques == TECHNIQUES


def test_every_parameter_says_what_it_accepts_and_means():
    rows = {row["parameter"]: row for row in parameters()}
    assert set(rows) == set(Study.model_fields) - {"profile"}
    assert all(all(row.values()) for row in rows.values())
    assert rows["image_size"]["accepts"] == "whole number, at least 32, at most 512, multiple of 32"
    assert rows["cohorts"]["accepts"].startswith("list, each one of children, adults, known_adults, all")
    assert rows["learning_rate"]["accepts"] == "number, above 0, at most 1"
    assert [rows[name]["default"] for name in ("seed", "unknown_age_is_adult", "sparsity_sweep")] == [
        "2023",
        "false",
        "[]",
    ]


def test_seeds_of_faces_training_and_resampling_move_apart():
    plain = load_study("quick")
    for field, section in (("faces_seed", "faces"), ("seed", "training"), ("resampling_seed", "analysis")):
        moved = load_study("quick", **{field: 7})
        differing = [s for s in SECTIONS if moved.settings(s) != plain.settings(s)]
        assert differing == [section]


def test_the_seed_of_the_study_is_no_further_one():
    with pytest.raises(StudyError, match="own seed is among the further ones"):
        load_study("quick", seed=7, further_seeds=[1, 7])


def test_settings_of_a_sweep_that_differ_have_names_that_differ():
    study = load_study("quick", sparsity_sweep=[0.75, 0.750000001, 0.1 + 0.2, 0.3])
    assert len(set(study.swept_settings)) == 4
    assert study.swept_settings[0] == "pruning-0.75"
