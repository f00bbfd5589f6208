"""What a phone is and how it fares: its name, the clocks of its cores, its temperature; and what that says of a timing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from face_sets.files import digest
from fer_utils.profiling.adb import Phone, PhoneError

HOT_CELSIUS: Final = 37.0
"""A battery warmer than this makes a run "hot": a published phone harness starts no case above it
(software-mansion/react-native-executorch, issue 727)."""

SLOWING: Final = 1.1
"""Later runs that take so many times as long as earlier ones show throttling that no file admits. Our judgement:
the tolerance that the paper's claim is judged by."""

_PROPERTIES: Final = (
    "ro.product.manufacturer", "ro.product.model", "ro.build.version.release", "ro.board.platform",
)  # fmt: skip
_CLOCKS: Final = ("scaling_governor", "scaling_cur_freq", "scaling_max_freq", "cpuinfo_max_freq")
_CORE: Final = re.compile(r"/cpu(\d+)/cpufreq/(\w+):(.*)$", re.MULTILINE)
_BATTERY: Final = re.compile(r"^\s*temperature: (-?\d+)", re.MULTILINE)  # tenths of a degree


@dataclass(frozen=True)
class Core:
    """One core: its governor and its clocks in kHz; None where the phone does not let us read them."""

    governor: str | None
    now_khz: int | None
    allowed_khz: int | None
    fastest_khz: int | None


@dataclass(frozen=True)
class PhoneState:
    """The cores by number, and the battery's temperature (None if not told)."""

    cores: dict[int, Core]
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
    return f"{maker} {model}, Android {release}, {platform}, unit {digest(phone.serial)[:4]}"


def read_state(phone: Phone) -> PhoneState:
    """Return the state of the cores and of the battery; what the phone hides is None, never a default."""
    clocks = phone.shell("grep -sH . " + " ".join(_globs()) + "; true")
    values: dict[int, dict[str, str]] = {}
    for number, name, value in _CORE.findall(clocks):
        values.setdefault(int(number), {})[name] = value.strip()
    cores = {
        number: Core(found.get("scaling_governor"), *(_whole(found.get(name)) for name in _CLOCKS[1:]))
        for number, found in sorted(values.items())
    }
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
    by_speed = sorted(state.cores, key=lambda number: (state.cores[number].fastest_khz or 0, number))
    return sorted(by_speed[-threads:])


def remark(
    before: PhoneState, after: PhoneState, used: Sequence[int], times_ms: Sequence[float]
) -> str | None:
    """Return what speaks against a timing, or None: a hot battery, a lowered clock, runs that slow down.

    `used` are the cores that ran. A phone that hides its temperature or clocks is remarked on as well.
    """
    found = []
    temperatures = [state.battery_celsius for state in (before, after) if state.battery_celsius is not None]
    if not temperatures:
        found.append("temperature not readable")
    elif max(temperatures) > HOT_CELSIUS:
        found.append(f"hot: battery at {max(temperatures):.1f} °C")
    found += _clock_remarks(
        [state.cores[core] for state in (before, after) for core in used if core in state.cores]
    )
    half = len(times_ms) // 2
    if half and (ratio := float(np.median(times_ms[-half:]) / np.median(times_ms[:half]))) > SLOWING:
        found.append(f"slowing down: later runs took {ratio:.2f} times as long")
    return "; ".join(found) or None


def governors(state: PhoneState, used: Sequence[int]) -> str:
    """Return the governors of some cores, each named once."""
    return "/".join(sorted({state.cores[core].governor or "governor not readable" for core in used}))


def _clock_remarks(cores: list[Core]) -> list[str]:
    """Android's thermal engine lowers a core's allowed clock; the current one is low on an idle core anyway."""
    if any(core.allowed_khz is None or core.fastest_khz is None for core in cores):
        return ["clock not readable"]
    lowered = [core for core in cores if (core.allowed_khz or 0) < (core.fastest_khz or 0)]
    return [f"throttled: clock held at {core.allowed_khz} of {core.fastest_khz} kHz" for core in lowered[:1]]


def _globs() -> list[str]:
    return [f"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/{name}" for name in _CLOCKS]


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
