import json
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from face_sets.folders import PROJECT_FOLDER
from face_sets.images import ImageError
from fer_utils import classify, cli
from fer_utils.reporting import released

NO_OBJECTS = (
    "seed=5",
    "",
    "[]",
    "5",
    "null",
    "true",
    '"seed"',
    "[" * 100_000,
    '[{"seed": 5}]',
    "9" * 5000,
    "{'seed': 5}",
)

FIELDS = ("returncode", "stdout", "stderr")


def process(*arguments):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fer_utils.cli", *arguments],
        cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def fer(monkeypatch, capfd):
    """The command as a function, in this process: most tests ask what it says, not how it starts.

    What would print a traceback raises here, and so fails the test.
    """
    for name in ("end_all_when_terminated", "end_with_run"):
        monkeypatch.setattr(cli, name, lambda: None)  # signals are pytest's here
    monkeypatch.setattr(cli, "end_at_once", lambda: sys.exit(0))
    monkeypatch.chdir(PROJECT_FOLDER)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["fer", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        stdout, stderr = capfd.readouterr()
        code = ended.value.code
        if isinstance(code, str):  # which Python prints as it ends
            code, stderr = 1, f"{stderr}{code}\n"
        return SimpleNamespace(returncode=code or 0, stdout=stdout, stderr=stderr)

    return call


def test_help_lists_the_commands_of_users_only():
    answer = process("--help")
    assert answer.returncode == 0
    assert all(
        command in answer.stdout
        for command in ("run", "status", "classify", "export", "check", "validate", "verdict")
    )
    assert "step" not in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--profile", "fast"], "unknown profile 'fast': choose one of"),
        (["run", "07_magic"], "unknown stage '07_magic': choose from 01_data"),
        (["run", "--overrides", '{"sed": 5}'], "unknown parameter 'sed'"),
        *((["run", "--overrides", text], "overrides must be JSON") for text in NO_OBJECTS),
        (["status", "--overrides", '{"profile": "licensed"}'], "the profile is what overrides change"),
        (["status", "--overrides", '{"seed": NaN}'], "parameter 'seed'"),
        (["status", "--overrides", '{"": 1}'], "unknown parameter ''"),
        (["profile", "--phone", "--benchmark", "absent", "--serial", "nobody"], "nobody"),
        (["step", "magic"], "unknown step 'magic'"),
        (["step", "train", "alexnet"], "step train runs for mobilenet_v3_small, mobilenet_v2"),
        (["data", "sheet", "magic"], "magic"),
        (["profile", "--phone"], "say `--phone --benchmark PATH`"),
        (["profile"], "`--emulate` or `--add FILE`"),
        (["export", "--profile", "licensed"], "do not allow the release of such a model"),
        (["verdict", "tests"], "fer: tests: Is a directory"),
        (["verdict", "absent.csv"], "fer: absent.csv: No such file or directory"),
        (["check", "tests"], "tests holds no golden.json: give the folder of an unpacked export"),
    ],
)
def test_bad_input_ends_in_a_sentence_not_a_traceback(fer, arguments, sentence):
    answer = fer(*arguments)
    assert answer.returncode != 0
    words = " ".join(answer.stderr.replace("│", " ").split())
    assert sentence in words
    assert "Traceback" not in answer.stderr


def test_a_process_says_the_same_sentence_and_ends_with_its_code(fer):
    arguments = ["step", "magic"]
    assert vars(fer(*arguments)) == {name: getattr(process(*arguments), name) for name in FIELDS}


@pytest.mark.results
class TestClassify:
    @pytest.fixture(scope="class")
    def photograph(self, tmp_path_factory):
        from face_sets.images import encode_png
        from rendered_faces.design import Design, plan_faces
        from rendered_faces.portrait import render_face

        plan = plan_faces(Design())
        row = plan[(plan["expression"] == "happiness") & (plan["domain"] == "lab")].iloc[0]
        path = tmp_path_factory.mktemp("photographs") / "smile.png"
        path.write_bytes(encode_png(render_face(row, 200)))
        return path

    def test_a_face_gets_seven_probabilities(self, fer, photograph):
        answer = fer("classify", str(photograph), "--json")
        assert answer.returncode == 0, answer.stderr
        (found,) = json.loads(answer.stdout)
        (face,) = found["faces"]
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.01)
        assert len(face["probabilities"]) == 7
        assert found["trained_on"] == released.TRAINED_ON

    def test_words_for_people_say_what_it_was_trained_on(self, fer, photograph):
        answer = fer("classify", str(photograph))
        assert "1 face found" in answer.stdout
        assert f"trained on {released.TRAINED_ON}" in answer.stdout

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(b"", "is empty"), (b"not a picture", "is not a picture"), (None, "smile.png")],
    )
    def test_a_bad_picture_ends_in_a_sentence(self, fer, tmp_path, content, sentence):
        path = tmp_path / "smile.png"
        if content is not None:
            path.write_bytes(content)
        answer = fer("classify", str(path))
        assert answer.returncode != 0
        assert sentence in answer.stderr
        assert "Traceback" not in answer.stderr


class TestClassifySeveral:
    """Of photographs given together each gets its answer or its reason, in the order given; no model is asked."""

    @pytest.fixture
    def run(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        for name in ("good.jpg", "cut.jpg", "-dash.jpg", "Zoé ☺.jpg", "folder/x"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")

        def answer(photo, model):
            if "cut" in photo.name:
                raise ImageError(photo, "is a truncated or damaged picture: fetch it again")
            photo.read_bytes()
            return classify.Answer(str(photo), "m", "synthetic faces", [])

        monkeypatch.setattr(classify, "classify_photograph", answer)
        monkeypatch.setattr(
            classify, "find_model", lambda _: classify.Model("m", tmp_path, 64, "synthetic faces")
        )
        return lambda *words: CliRunner().invoke(cli.app, ["classify", *words])

    def test_all_answers_are_printed_and_the_bad_one_is_named(self, run):
        answer = run("good.jpg", "cut.jpg", "absent.jpg", "folder", "-dash.jpg", "Zoé ☺.jpg")
        assert answer.exit_code == 1
        assert answer.stdout.count("no faces found") == 3
        assert "Zoé ☺.jpg: no faces found" in answer.stdout
        assert "-dash.jpg: no faces found" in answer.stdout
        first, second, third = answer.stderr.splitlines()
        assert first == "fer: cut.jpg is a truncated or damaged picture: fetch it again"
        assert second.startswith("fer: absent.jpg")
        assert third.startswith("fer: folder")

    def test_a_name_that_holds_a_line_break_stays_on_its_line(self, run, tmp_path):
        (tmp_path / "a\nb.jpg").write_bytes(b"")
        answer = run("a\nb.jpg", "cut\n.jpg")
        assert "\\nb.jpg: no faces found" in answer.stdout
        assert answer.stderr.splitlines() == [
            "fer: cut\\n.jpg is a truncated or damaged picture: fetch it again"
        ]

    def test_json_is_one_list_in_the_order_given(self, run):
        answer = run("cut.jpg", "good.jpg", "absent.jpg", "--json")
        assert answer.exit_code == 1
        found = json.loads(answer.stdout)
        assert [each["photo"] for each in found] == ["cut.jpg", "good.jpg", "absent.jpg"]
        assert ["error" in each for each in found] == [True, False, True]
        assert found[1]["faces"] == []

    def test_when_all_are_good_nothing_is_said(self, run):
        answer = run("good.jpg", "--", "-dash.jpg")
        assert (answer.exit_code, answer.stderr) == (0, "")

    def test_an_option_that_there_is_not_is_no_photograph_either(self, run):
        answer = run("--jsno", "good.jpg")
        assert answer.exit_code == 1
        assert answer.stderr.startswith("fer: --jsno")

    def test_when_all_are_bad_no_answer_is_printed(self, run):
        answer = run("cut.jpg", "absent.jpg")
        assert (answer.exit_code, answer.stdout) == (1, "")


@pytest.mark.results
def test_a_pack_of_the_run_checks_a_right_port_and_finds_a_wrong_one_out(fer, tmp_path):
    run = "mobilenet_v3_large.all.none.int8"
    answer = fer("export", run, "--to", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    folder, given = tmp_path / "unpacked", tmp_path / "answer.json"
    with zipfile.ZipFile(answer.stdout.strip()) as archive:
        archive.extractall(folder)
    here = fer("check", str(folder))
    assert here.returncode == 0, here.stderr
    assert "agrees" in here.stdout
    golden = json.loads((folder / "golden.json").read_text())
    (known,) = golden["answers"].values()
    for numbers, code, word in (
        (known["probabilities"], 0, "agrees"),
        (known["probabilities"][::-1], 1, "DIFFERS"),
    ):
        given.write_text(json.dumps(numbers))
        answer = fer("check", str(folder), "--answer", str(given))
        assert answer.returncode == code
        assert word in answer.stdout


def test_verdicts_do_not_replace_the_answers_that_they_judge(tmp_path):
    table = tmp_path / "answers.csv"
    table.write_text("face_id\n1\n")
    answer = CliRunner().invoke(cli.app, ["verdict", str(table), "--to", str(tmp_path / "." / "answers.csv")])
    assert answer.exit_code == 2
    assert "would be lost" in " ".join(answer.stderr.split())
    assert table.read_text() == "face_id\n1\n"


@pytest.mark.parametrize("command", [["pdf"], ["crate"], ["verdict", "answers.csv"]])
def test_a_folder_is_refused_as_the_file_to_write(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.csv").touch()
    answer = CliRunner().invoke(cli.app, [*command, "--to", str(tmp_path)])
    assert answer.exit_code == 2
    assert "directory" in answer.output


def test_a_result_to_add_goes_alone(tmp_path):
    answer = CliRunner().invoke(cli.app, ["profile", "--add", str(tmp_path / "moto.json"), "--emulate"])
    assert answer.exit_code == 2
    assert "goes alone" in answer.output
