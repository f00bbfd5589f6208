"""Talk to an attached phone by Android's own `adb`: find it, run commands on it, copy files to it."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_utils.profiling.interpreters import ProfilingError

_SECONDS: Final = (
    600  # for one command; the slowest (fifty inferences of the slowest network) needs about thirty
)
_EXIT: Final = re.compile(r"^EXIT=(\d+)\s*\Z", re.MULTILINE)


class PhoneError(ProfilingError):
    """A phone cannot do what was asked; the message says which phone and what to do."""


class PhoneLost(PhoneError):
    """A phone does not answer any more: unplugged, switched off, or its permission withdrawn."""


@dataclass(frozen=True)
class Phone:
    """An attached phone, by the serial number that `adb devices` lists."""

    serial: str

    def shell(self, command: str) -> str:
        """Run a command line on the phone and return what it printed, errors included.

        Raises PhoneLost if the phone went away meanwhile, PhoneError if the command failed.
        """
        answer = _adb("-s", self.serial, "shell", f"( {command} ) 2>&1; echo EXIT=$?")
        output = answer.stdout.replace("\r\n", "\n")
        ended = _EXIT.search(output)
        if ended is None:  # adb's own exit code is 0 when an old phone is unplugged in the middle
            raise PhoneLost(f"the phone {self.serial} does not answer any more ({_reason(answer)})")
        printed = output[: ended.start()]
        if ended.group(1) != "0":
            last = (printed.strip().splitlines() or ["it printed nothing"])[-1]
            raise PhoneError(
                f"a command failed on the phone {self.serial} with code {ended.group(1)}: {last}"
            )
        return printed

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the phone. Raises PhoneLost if it went away, PhoneError if it cannot store the file."""
        answer = _adb("-s", self.serial, "push", str(source), target)
        if answer.returncode != 0:
            kind = PhoneError if self.is_there() else PhoneLost
            raise kind(f"{source.name} could not be copied to the phone {self.serial} ({_reason(answer)})")

    def is_there(self) -> bool:
        """Return whether the phone is attached and answers."""
        return _adb("-s", self.serial, "get-state").stdout.strip() == "device"


def find_phone(serial: str | None = None) -> Phone:
    """Return the attached phone, or the one of several that `serial` names.

    Raises PhoneError: none is attached, several are and none was named (the message lists them), the named one
    is not there, or it does not let this computer in yet.
    """
    states = _attached()
    listed = ", ".join(states) or "none"
    if serial is None:
        if len(states) != 1:
            raise PhoneError(
                f"several phones are attached ({listed}): name one with --serial"
                if states
                else "no phone is attached: plug it in, switch on USB debugging, and see that `adb devices` lists it"
            )
        (serial,) = states
    if serial not in states:
        raise PhoneError(f"no phone {serial!r} is attached; attached: {listed}")
    if states[serial] == "unauthorized":
        raise PhoneError(
            f"the phone {serial} does not trust this computer yet: unlock it and allow USB debugging"
        )
    if states[serial] != "device":
        raise PhoneError(f"the phone {serial} is {states[serial]}: unplug it and plug it in again")
    return Phone(serial)


def _attached() -> dict[str, str]:
    """Serial numbers of the attached phones and their states."""
    answer = _adb("devices")
    if answer.returncode != 0:
        raise PhoneError(f"adb cannot list phones ({_reason(answer)})")
    rows = (line.split("\t") for line in answer.stdout.splitlines() if "\t" in line)
    return {serial: state.strip() for serial, state in rows}


def _adb(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("adb")
    if program is None:
        raise PhoneError(
            "adb is not installed: `apt-get install adb`, or Android's platform-tools on the PATH"
        )
    try:
        return subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PhoneLost(
            f"the phone did not answer `adb {arguments[-1]}` within {_SECONDS} seconds"
        ) from error


def _reason(answer: subprocess.CompletedProcess[str]) -> str:
    words = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
    return words[-1] if words else f"adb ended with code {answer.returncode} and said nothing"
