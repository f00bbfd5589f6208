"""An attached Android phone: find it, run commands on it, copy files to it, read its clocks and temperature."""

import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from typing import Final

import numpy as np
import pandas as pd
from adbutils import AdbClient, AdbDevice, AdbError

from arm_latency.interpreters import ProfilingError
from face_sets.validation import last_line

HOT_CELSIUS: Final = 37.0
"""A battery warmer than this makes a run "hot": a published phone harness starts no case above it
(software-mansion/react-native-executorch, issue 727)."""

SLOWING: Final = 1.1
"""Ratio of the medians of later and earlier runs above which throttling is suspected that no file shows. Our judgement:
the tolerance that the paper's claim is judged by."""

_SECONDS: Final = (
    600  # for one command; the slowest (fifty inferences of the slowest network) needs about thirty
)
_BROKEN_OFF: Final = (AdbError, OSError, SubprocessError, ValueError, AssertionError, struct.error)
"""What adbutils raises when there is no answer, or one that ends too early."""

_PROPERTIES: Final = (
    "ro.product.manufacturer", "ro.product.model", "ro.build.version.release", "ro.board.platform",
)  # fmt: skip
_CLOCKS: Final = {
    "scaling_governor": "governor", "scaling_max_freq": "allowed_khz", "cpuinfo_max_freq": "fastest_khz",
}  # fmt: skip
_CLOCK_FILES: Final = " ".join(f"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/{name}" for name in _CLOCKS)
_CLOCK: Final = re.compile(r"/cpu(\d+)/cpufreq/(\w+):(.*?)\s*$", re.MULTILINE)
_BATTERY: Final = re.compile(r"^\s*temperature: (-?\d+)", re.MULTILINE)  # tenths of a degree


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
        try:
            answer = self._device.shell2(f"( {command} ) 2>&1", timeout=_SECONDS)
        except _BROKEN_OFF as error:
            raise PhoneLost(f"the phone {self.serial} does not answer any more ({_reason(error)})") from error
        printed = answer.output.replace("\r\n", "\n")
        if answer.returncode != 0:
            raise PhoneError(
                f"a command failed on the phone {self.serial} with code {answer.returncode}: {last_line(printed)}"
            )
        return printed

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the phone. Raises PhoneLost if it went away, PhoneError if it cannot store the file."""
        try:
            self._device.sync.push(source, target, check=True)
        except _BROKEN_OFF as error:
            kind = PhoneError if self.is_there() else PhoneLost
            raise kind(
                f"{source.name} could not be copied to the phone {self.serial} ({_reason(error)}): "
                "see that it is plugged in and has room"
            ) from error

    def is_there(self) -> bool:
        """Return whether the phone is attached and answers."""
        try:
            return self._device.get_state() == "device"
        except _BROKEN_OFF:
            return False

    @property
    def _device(self) -> AdbDevice:
        return AdbClient(socket_timeout=_SECONDS).device(serial=self.serial)


def find_phone(serial: str | None = None) -> Phone:
    """Return the attached phone, or the one of several that `serial` names.

    Raises PhoneError: none is attached, several are and none was named (the message lists them), the named one
    is not there, or it does not trust this computer yet.
    """
    try:
        states = {each.serial: each.state for each in AdbClient(socket_timeout=_SECONDS).list()}
    except _BROKEN_OFF as error:
        raise PhoneError(f"adb cannot list phones ({_reason(error)})") from error
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


@dataclass(frozen=True)
class PhoneState:
    """The cores, one row per number, and the battery's temperature (None if not reported).

    Columns of `cores`: governor, allowed_khz, fastest_khz (clocks); missing where the phone does not let us read them.
    """

    cores: pd.DataFrame
    battery_celsius: float | None


def describe(phone: Phone) -> str:
    """Return maker, model, Android's version, platform, and four digits that tell equal phones apart.

    The digits are of a digest of the serial number, which is not to be published.
    Raises PhoneError if the phone does not name its model.
    """
    answers = phone.shell("; ".join(f"getprop {name}" for name in _PROPERTIES)).splitlines()
    if len(answers) != len(_PROPERTIES) or not answers[1]:
        raise PhoneError(f"{phone.serial} does not say which phone it is: is it an Android device?")
    maker, model, release, platform = answers
    unit = hashlib.sha256(phone.serial.encode()).hexdigest()[:4]
    return f"{maker} {model}, Android {release}, {platform}, unit {unit}"


def read_state(phone: Phone) -> PhoneState:
    """Return the state of the cores and of the battery; what the phone hides is None, never a default."""
    found = _CLOCK.findall(phone.shell(f"grep -sH . {_CLOCK_FILES}; true"))
    values = pd.DataFrame(found, columns=["core", "file", "value"]).astype({"core": int})
    cores = values.pivot(index="core", columns="file", values="value").reindex(columns=list(_CLOCKS))
    cores = cores.rename(columns=_CLOCKS)
    for clock in ("allowed_khz", "fastest_khz"):
        cores[clock] = pd.to_numeric(cores[clock], errors="coerce")
    battery = _BATTERY.search(phone.shell("dumpsys battery; true"))
    return PhoneState(cores, int(battery.group(1)) / 10 if battery else None)


def fastest_cores(state: PhoneState, threads: int) -> list[int]:
    """Return as many of the fastest cores as there are threads; of equally fast ones the highest numbers.

    Raises PhoneError if the phone shows fewer cores.
    """
    if len(state.cores) < threads:
        raise PhoneError(
            f"{threads} thread(s) were asked for, but the phone shows {len(state.cores)} core(s)"
        )
    by_speed = state.cores["fastest_khz"].fillna(0).sort_values(kind="stable")
    return sorted(by_speed.index[-threads:].tolist())


def remark(
    before: PhoneState, after: PhoneState, used: Sequence[int], times_ms: Sequence[float]
) -> str | None:
    """Return what casts doubt on a timing, or None: a hot battery, a lowered clock, runs that slow down.

    `used` are the cores that ran. A phone that hides its temperature or clocks is remarked on as well.
    """
    found = []
    temperatures = [state.battery_celsius for state in (before, after) if state.battery_celsius is not None]
    if not temperatures:
        found.append("temperature not readable")
    elif max(temperatures) > HOT_CELSIUS:
        found.append(f"hot: battery at {max(temperatures):.1f} °C")
    cores = pd.concat([before.cores, after.cores])
    found += _clock_remarks(cores[cores.index.isin(used)])
    half = len(times_ms) // 2
    if half and (ratio := float(np.median(times_ms[-half:]) / np.median(times_ms[:half]))) > SLOWING:
        found.append(f"slowing down: later runs took {ratio:.2f} times as long")
    return "; ".join(found) or None


def governors(state: PhoneState, used: Sequence[int]) -> str:
    """Return the governors of some cores, each named once."""
    return "/".join(sorted(set(state.cores.loc[list(used), "governor"].fillna("governor not readable"))))


def _clock_remarks(cores: pd.DataFrame) -> list[str]:
    """Android's thermal engine lowers a core's allowed clock; the current one is low on an idle core anyway."""
    if cores[["allowed_khz", "fastest_khz"]].isna().any(axis=None):
        return ["clock not readable"]
    lowered = cores[cores["allowed_khz"] < cores["fastest_khz"]].head(1)
    return [
        f"throttled: clock held at {core.allowed_khz:.0f} of {core.fastest_khz:.0f} kHz"
        for core in lowered.itertuples()
    ]


def _reason(error: Exception) -> str:
    """The first sentence of an error: adbutils adds the command and its whole output."""
    return str(error.args[0]) if error.args else type(error).__name__
