"""How the emulated system is put together, with commands that would have downloaded; the real ones in test_arm64.py."""

import re
import subprocess
from pathlib import Path

import pytest

from arm_latency import arm64_system
from arm_latency.arm64_system import PART, PROCESSOR_FILES, EmulationError, install_arm64_system
from face_sets.folders import PROJECT_FOLDER
from fer_utils.profiling import arm64

LOCK = (PROJECT_FOLDER / "requirements.lock").read_text()


@pytest.fixture
def commands(monkeypatch):
    """The commands that would have been run; apt, dpkg-deb and pip leave behind what they would, as far as it counts."""
    given = []

    def run(command, **_):
        given.append(command)
        if command[0] == "apt-get" and "install" in command:
            folder = Path(command[command.index("-c") + 1]).parent
            (folder / "cache" / "archives" / "python3.11-minimal_3.11.2_arm64.deb").touch()
        if command[0] == "dpkg-deb":
            system = Path(command[-1])
            assert system.parent.is_dir(), "dpkg-deb makes only the last folder of a path"
            (system / "usr" / "bin").mkdir(parents=True)
            (system / "usr" / "bin" / "python3.11").touch()
        if "pip" in command:
            package = Path(command[command.index("--target") + 1]) / "numpy"
            package.mkdir(parents=True)
            (package / "__init__.py").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return given


def test_the_wheels_are_those_of_the_lock_with_all_their_hashes():
    pinned = arm64_system.locked_requirements(LOCK)
    names = [line.split("==")[0] for line in pinned.splitlines() if "==" in line]
    assert names == ["ai-edge-litert", "numpy"]
    for name in names:  # line for line as in the lock, down to the comment that follows the hashes
        start = LOCK.index(f"\n{name}==") + 1
        assert LOCK[start : LOCK.index("    # via", start)] in pinned
    assert "# via" not in pinned


def test_a_lock_without_hashes_is_refused():
    with pytest.raises(
        EmulationError, match="does not pin ai-edge-litert and numpy with hashes: run `make lock`"
    ):
        arm64_system.locked_requirements("ai-edge-litert==2.3.0\nnumpy==2.4.6\n")


def test_the_system_holds_debian_the_wheels_and_the_processor(commands, tmp_path):
    installed = install_arm64_system(tmp_path / "arm64")
    system = installed / "system"
    assert (system / "usr/bin/python3.11").is_file()
    assert (installed / "site" / "numpy/__init__.py").is_file()
    assert {name: (system / name).read_text() for name in PROCESSOR_FILES} == PROCESSOR_FILES
    assert [path.name for path in tmp_path.iterdir()] == ["arm64"], "nothing else is left"
    update, install, *_ = commands
    assert update[:2] == install[:2] == ["apt-get", "-qq"]
    assert "--download-only" in install
    (pip,) = [command for command in commands if "pip" in command]
    assert {
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--platform=manylinux_2_27_aarch64",
    } <= set(pip)


def test_what_is_there_is_not_made_again_and_another_recipe_is(commands, tmp_path, monkeypatch):
    install_arm64_system(tmp_path / "arm64")
    made = len(commands)
    install_arm64_system(tmp_path / "arm64")
    assert len(commands) == made
    monkeypatch.setattr(arm64_system, "PACKAGES", (*arm64_system.PACKAGES, "libgomp1"))
    install_arm64_system(tmp_path / "arm64")
    assert len(commands) == 2 * made


@pytest.mark.parametrize(
    ("failing", "sentence"),
    [
        ("update", "Debian's list of ARM64 packages cannot be downloaded: connect to a network"),
        ("install", "Debian's ARM64 packages cannot be downloaded: connect to a network"),
        ("--extract", "python3.11-minimal_3.11.2_arm64.deb is damaged"),
        ("pip", "the locked LiteRT and NumPy for ARM64 cannot be downloaded: connect to a network"),
    ],
)
def test_a_failure_is_reported_in_a_sentence_and_leaves_nothing(
    commands, tmp_path, monkeypatch, failing, sentence
):
    succeed = subprocess.run

    def run(command, **options):
        if failing in command and ("pip" in command) == (failing == "pip"):
            return subprocess.CompletedProcess(command, 100, "", "Reading lists\nE: no network\n")
        return succeed(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(EmulationError) as said:
        install_arm64_system(tmp_path / "arm64")
    assert str(said.value).startswith(sentence)
    assert str(said.value).endswith("(code 100): E: no network")
    assert "\n" not in str(said.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_renewal_leaves_what_was_there(commands, tmp_path, monkeypatch):
    installed = install_arm64_system(tmp_path / "arm64")
    monkeypatch.setattr(arm64_system, "SUITE", "trixie")
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "")
    )
    with pytest.raises(EmulationError, match="nothing was printed"):
        install_arm64_system(installed)
    assert (installed / "system/usr/bin/python3.11").is_file()


def test_apt_keeps_everything_of_its_own_below_the_folder(tmp_path):
    """Asked of apt itself: no list, state, cache or source of this computer is touched, and no hook of its runs."""
    if arm64_system.shutil.which("apt-config") is None:
        pytest.skip("apt is missing: emulation needs Debian or Ubuntu")
    settings = tmp_path / "with space" / "apt.conf"
    settings.parent.mkdir()
    settings.write_text(arm64_system.apt_settings(settings.parent))
    asked = [
        "Dir::State/d",
        "Dir::State::status/f",
        "Dir::Cache/d",
        "Dir::Etc::sourcelist/f",
        "Dir::Etc::sourceparts/d",
    ]
    pairs = [word for number, name in enumerate(asked) for word in (f"place{number}", name)]
    shell = subprocess.run(
        ["apt-config", "-c", str(settings), "shell", *pairs], capture_output=True, text=True, check=True
    ).stdout
    places = [line.split("=", 1)[1].strip("'") for line in shell.splitlines()]
    assert len(places) == len(asked)
    assert all(place.startswith(str(settings.parent)) for place in places[:4]), places
    assert "sources.list.d" not in places[4]
    dump = subprocess.run(
        ["apt-config", "-c", str(settings), "dump"], capture_output=True, text=True, check=True
    ).stdout
    assert 'APT::Architecture "arm64";' in dump
    assert not re.search(r'^APT::Update::\S+:: "', dump, re.MULTILINE), "a hook of this computer's would run"
    assert [line for line in dump.splitlines() if line.startswith("APT::Architectures")][1:] == [
        'APT::Architectures:: "arm64";'
    ]


def test_missing_programs_are_named_with_the_packages_that_hold_them(monkeypatch):
    monkeypatch.setattr(
        arm64.shutil, "which", lambda name: None if name in ("qemu-aarch64", "dpkg-deb") else name
    )
    with pytest.raises(EmulationError) as said:
        arm64.prepare_emulation()
    assert "needs qemu-aarch64, dpkg-deb" in str(said.value)
    assert "`apt-get install qemu-user dpkg" in str(said.value)


def test_a_cortex_a53_is_declared_in_linux_own_words_and_nothing_is_left_to_this_computer():
    fields = dict(re.findall(r"^(.+?)\t?: (.*)$", PROCESSOR_FILES["proc/cpuinfo"], re.MULTILINE))
    # Cortex-A53: implementer 0x41, part 0xd03 (Arm's Technical Reference Manual, MIDR_EL1)
    assert (fields["CPU implementer"], fields["CPU part"], PART) == ("0x41", "0xd03", "0xd03")
    assert "asimd" in fields["Features"].split()
    cpu = "sys/devices/system/cpu"
    everywhere = ("possible", "present", "online", "kernel_max", "cpu0/cache/index2/shared_cpu_list",
                  "cpu0/topology/cluster_cpus_list", "cpu0/topology/core_siblings_list")  # fmt: skip
    assert {PROCESSOR_FILES[f"{cpu}/{name}"] for name in everywhere} == {"0\n"}
    assert not [path for path in PROCESSOR_FILES if "/cpu1/" in path]
