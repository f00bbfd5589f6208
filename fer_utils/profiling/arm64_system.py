"""A small ARM64 Debian with the locked LiteRT, unpacked into a folder: the system that emulated programs see.

Debian's packages come by apt with settings, lists and a package database of its own, so nothing of this computer's
package management is read or changed, no administrator's rights are needed, and signatures are checked. The wheels are
those of `requirements.lock`, checked by its hashes. Nothing is installed: archives are unpacked.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from face_sets.files import digest
from face_sets.folders import PROJECT_FOLDER
from fer_utils.profiling.arm64_processor import processor_files
from fer_utils.profiling.interpreters import ProfilingError

INSTALLED: Final = PROJECT_FOLDER / ".cache" / "arm64"
LOCK_FILE: Final = PROJECT_FOLDER / "requirements.lock"
WHEELS: Final = ("ai-edge-litert", "numpy")
SUITE: Final = "bookworm"
"""Debian 12, whose Python is 3.11 as the project's: the locked wheels for 3.11 run on it."""

PACKAGES: Final = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
"""With what they depend on: Python with its standard library, and the C++ library of the wheels."""

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEEDED: Final = {
    "qemu-aarch64": "qemu-user", "gcc": "gcc", "apt-get": "apt", "dpkg-deb": "dpkg",
    str(KEYRING): "debian-archive-keyring",
}  # fmt: skip
"""Programs and files that the computer must have, and the Debian packages that hold them."""

_SECONDS: Final = 600  # for one download; fifteen megabytes each, some seconds
_MADE_FROM: Final = "made_from.txt"


class EmulationError(ProfilingError):
    """ARM64 programs cannot be emulated here; the message says what is missing or what went wrong."""


def system_folder(installed: Path) -> Path:
    """Return the root folder of the emulated system."""
    return installed / "system"


def site_folder(installed: Path) -> Path:
    """Return the folder of its Python packages."""
    return installed / "site"


def require_programs() -> None:
    """Raise EmulationError, in one sentence, if a program that emulation needs is not on this computer."""
    missing = [name for name in NEEDED if shutil.which(name) is None and not Path(name).is_file()]
    if missing:
        packages = " ".join(NEEDED[name] for name in missing)
        raise EmulationError(
            f"emulating ARM64 needs {', '.join(missing)}, which this computer lacks: on Debian or Ubuntu, "
            f"`apt-get install {packages}`"
        )


def install_arm64_system(installed: Path = INSTALLED) -> Path:
    """Make sure that the system is unpacked in `installed`, downloading it if need be; return that folder.

    The programs of NEEDED must be there. Raises EmulationError, in one sentence, if a package cannot be had; nothing is
    half-made.
    """
    if not _is_as_locked(installed):
        installed.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=installed.parent, prefix="arm64-") as scratch:
            whole, downloads = Path(scratch, "whole"), Path(scratch, "downloads")
            whole.mkdir()
            for package in _debian_packages(downloads):
                _run(
                    ["dpkg-deb", "--extract", str(package), str(system_folder(whole))],
                    f"{package.name} is damaged",
                )
            for wheel in _wheels(downloads):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(site_folder(whole))
            _declare_processor(system_folder(whole))
            (whole / _MADE_FROM).write_text(_made_from(), encoding="utf-8")
            shutil.rmtree(installed, ignore_errors=True)
            os.replace(whole, installed)
    return installed


def locked_requirements(lock: str) -> str:
    """Return the lines of a lock file that pin the wheels, with their hashes."""
    pinned = [
        re.search(rf"^{name}==\S+ \\\n(?: +--hash=\S+(?: \\)?\n)+", lock, re.MULTILINE) for name in WHEELS
    ]
    if not all(pinned):
        raise EmulationError(
            f"{LOCK_FILE.name} does not pin {' and '.join(WHEELS)} with hashes: run `make lock`"
        )
    return "".join(match[0] for match in pinned if match)


def apt_settings(folder: Path) -> str:
    """Return apt's settings: ARM64 packages of SUITE alone, everything that apt keeps below `folder`.

    apt reads the computer's own settings first (a proxy's address, say); hooks among them are cleared.
    """
    return "\n".join(
        [
            "#clear APT::Architectures;", "#clear APT::Update::Pre-Invoke;", "#clear APT::Update::Post-Invoke;",
            "#clear APT::Update::Post-Invoke-Success;", "#clear APT::Default-Release;",
            'APT::Architecture "arm64";', 'APT::Architectures { "arm64"; };', 'APT::Install-Recommends "false";',
            'APT::Sandbox::User "root";',  # another user could not write below `folder`; only archives are read
            f'Dir::State "{folder}/state";', f'Dir::State::status "{folder}/status";', f'Dir::Cache "{folder}/cache";',
            f'Dir::Etc::sourcelist "{folder}/sources.list";', 'Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::preferences "/dev/null";', 'Dir::Etc::preferencesparts "/dev/null";', "",
        ]
    )  # fmt: skip


def _debian_packages(downloads: Path) -> list[Path]:
    """Download PACKAGES and what they depend on, chosen by apt as for an empty computer."""
    folder = downloads / "apt"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [arch=arm64 signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
    (folder / "sources.list").write_text(source, encoding="utf-8")
    settings = folder / "apt.conf"
    settings.write_text(apt_settings(folder), encoding="utf-8")
    apt = ["apt-get", "-qq", "-c", str(settings)]
    _run([*apt, "update", "--error-on=any"], "Debian's list of ARM64 packages could not be had")
    _run([*apt, "install", "--yes", "--download-only", *PACKAGES], "Debian's ARM64 packages could not be had")
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _wheels(downloads: Path) -> list[Path]:
    """Download the locked wheels as built for ARM64 Linux (Debian 12 has a newer C library than these tags ask for)."""
    requirements = downloads / "requirements.txt"
    requirements.write_text(locked_requirements(LOCK_FILE.read_text(encoding="utf-8")), encoding="utf-8")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
        "--platform=manylinux_2_27_aarch64", "--platform=manylinux_2_28_aarch64", "--python-version=3.11",
        "--implementation=cp", "--dest", str(downloads), "--requirement", str(requirements),
    ]  # fmt: skip
    _run(command, "the locked LiteRT and NumPy for ARM64 could not be had")
    return sorted(downloads.glob("*.whl"))


def _declare_processor(system: Path) -> None:
    for name, text in processor_files().items():
        path = system / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


def _made_from() -> str:
    lock = locked_requirements(LOCK_FILE.read_text(encoding="utf-8"))
    return digest(lock, SUITE, list(PACKAGES), processor_files())


def _is_as_locked(installed: Path) -> bool:
    made_from = installed / _MADE_FROM
    return made_from.is_file() and made_from.read_text(encoding="utf-8") == _made_from()


def _run(command: list[str], failure: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"{failure}: no answer within {_SECONDS} seconds; run again") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EmulationError(
            f"{failure} ({said}): connect to a network, see that the disk has room, and run again"
        )
