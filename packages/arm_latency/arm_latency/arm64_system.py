"""A small ARM64 Debian with the locked LiteRT, unpacked into a folder: the system that emulated programs see.

Nothing is installed and no administrator's rights are needed: apt keeps its lists and its package database below that
folder and checks signatures, pip checks the hashes of `requirements.lock`. A processor is declared there, because XNNPACK
chooses its kernels by `/proc/cpuinfo` and `/sys`: QEMU looks for these files in the emulated system first, and hands
this computer's through where there are none, with which LiteRT crashes or chooses other kernels.
"""

import os
import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from arm_latency.interpreters import ProfilingError
from arm_latency.programs import run_program
from face_sets.files import digest
from face_sets.folders import PROJECT_FOLDER

INSTALLED: Final = PROJECT_FOLDER / ".cache" / "arm64"
GUEST: Final = Path(__file__).with_name("arm64_guest.py")
"""Run by the emulated Python, which knows nothing of this package."""

LOCK_FILE: Final = PROJECT_FOLDER / "requirements.lock"
WHEELS: Final = ("ai-edge-litert", "numpy")
SUITE: Final = "bookworm"  # Debian 12, whose Python is 3.11 as the project's: the locked wheels run on it
PACKAGES: Final = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEEDED: Final = {
    "qemu-aarch64": "qemu-user", "apt-get": "apt", "dpkg-deb": "dpkg", str(KEYRING): "debian-archive-keyring",
}  # fmt: skip
"""Programs and files that the computer must have, and the Debian packages that hold them."""

PART: Final = (
    "0xd03"  # Cortex-A53, of implementer 0x41: MIDR_EL1 in Arm's Technical Reference Manual (DDI 0500)
)
_CPU: Final = "sys/devices/system/cpu"
PROCESSOR_FILES: Final = {
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\n"
    f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {PART}\nCPU revision\t: 4\n",
    **dict.fromkeys((f"{_CPU}/{name}" for name in ("possible", "present", "online", "kernel_max")), "0\n"),
    f"{_CPU}/cpu0/cache/index2/level": "2\n",
    f"{_CPU}/cpu0/cache/index2/shared_cpu_list": "0\n",
    f"{_CPU}/cpu0/cache/index2/size": "512K\n",  # the manual allows 128 to 2048
    f"{_CPU}/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",  # kHz, of the Moto G6's Snapdragon 450
    f"{_CPU}/cpu0/cpufreq/cpuinfo_min_freq": "1800000\n",
    f"{_CPU}/cpu0/topology/cluster_cpus_list": "0\n",
    f"{_CPU}/cpu0/topology/core_siblings_list": "0\n",
    f"{_CPU}/cpu0/topology/physical_package_id": "0\n",
}
"""The files by which Linux describes one core of the phone's processor: contents by path from the root."""

_MADE_FROM: Final = "made_from.txt"
_FAILED: Final = "cannot be downloaded: connect to a network, see that the disk has room, and run again"


class EmulationError(ProfilingError):
    """ARM64 programs cannot be emulated here; the message says what is missing or what went wrong."""


run = partial(run_program, seconds=1800, error=EmulationError)  # a download or a file takes up to one minute


def install_arm64_system(installed: Path = INSTALLED) -> Path:
    """Return `installed` with the system in `system` and its Python packages in `site`, downloaded if need be.

    Raises EmulationError, in one sentence, if a package cannot be downloaded; what was there then stays as it was.
    """
    lock, made_from = locked_requirements(LOCK_FILE.read_text("utf-8")), installed / _MADE_FROM
    recipe = digest(lock, SUITE, list(PACKAGES), PROCESSOR_FILES)
    if not made_from.is_file() or made_from.read_text("utf-8") != recipe:
        installed.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=installed.parent, prefix="arm64-") as scratch:
            whole = Path(scratch, "whole")
            whole.mkdir()
            _unpack_debian(Path(scratch, "apt"), whole / "system")
            _unpack_wheels(Path(scratch, "requirements.txt"), lock, whole / "site")
            for name, text in PROCESSOR_FILES.items():
                (whole / "system" / name).parent.mkdir(parents=True, exist_ok=True)
                (whole / "system" / name).write_text(text, encoding="ascii")
            (whole / _MADE_FROM).write_text(recipe, encoding="utf-8")
            shutil.rmtree(installed, ignore_errors=True)
            os.replace(whole, installed)
    return installed


def locked_requirements(lock: str) -> str:
    """Return the lines of a lock file that pin the wheels, with their hashes."""
    patterns = [rf"^{name}==\S+ \\\n(?: +--hash=\S+(?: \\)?\n)+" for name in WHEELS]
    pinned = [match[0] for pattern in patterns if (match := re.search(pattern, lock, re.MULTILINE))]
    if len(pinned) < len(WHEELS):
        raise EmulationError(
            f"{LOCK_FILE.name} does not pin {' and '.join(WHEELS)} with hashes: run `make lock`"
        )
    return "".join(pinned)


def apt_settings(folder: Path) -> str:
    """Return apt's settings: ARM64 packages alone, everything that apt keeps below `folder`.

    apt reads the computer's own settings first (a proxy's address, say); hooks among them are cleared.
    """
    return f"""#clear APT::Architectures; #clear APT::Default-Release; #clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
APT::Architecture "arm64"; APT::Architectures {{ "arm64"; }}; APT::Install-Recommends "false";
APT::Sandbox::User "root"; // another user could not write below the folder; archives are only read
Dir "{folder}"; Dir::State "{folder}/state"; Dir::State::status "{folder}/status"; Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list"; Dir::Etc::sourceparts "/dev/null";
"""


def _unpack_debian(folder: Path, system: Path) -> None:
    """Download PACKAGES and what they depend on, chosen by apt as for an empty computer, and unpack them."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [arch=arm64 signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
    (folder / "sources.list").write_text(source, encoding="utf-8")
    settings = folder / "apt.conf"
    settings.write_text(apt_settings(folder), encoding="utf-8")
    apt = ["apt-get", "-qq", "-c", str(settings)]
    run([*apt, "update", "--error-on=any"], f"Debian's list of ARM64 packages {_FAILED}")
    run([*apt, "install", "--yes", "--download-only", *PACKAGES], f"Debian's ARM64 packages {_FAILED}")
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        run(["dpkg-deb", "--extract", str(package), str(system)], f"{package.name} is damaged")


def _unpack_wheels(requirements: Path, lock: str, site: Path) -> None:
    """Download the locked wheels for ARM64 Linux (Debian 12 has a newer C library than these tags ask for)."""
    requirements.write_text(lock, encoding="utf-8")
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--require-hashes",
        "--only-binary=:all:", "--platform=manylinux_2_27_aarch64", "--platform=manylinux_2_28_aarch64",
        "--python-version=3.11", "--implementation=cp", "--target", str(site), "--requirement", str(requirements),
    ]  # fmt: skip
    run(command, f"the locked LiteRT and NumPy for ARM64 {_FAILED}")
