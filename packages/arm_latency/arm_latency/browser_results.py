"""Timings that the book's page "On your own device" took in a reader's browser, checked and added to a study.

The page writes the file (`book/_root/device/measuring.js`); it may come from anywhere, so nothing in it is believed:
what can be computed from the single times is, and the timed files must be those of this study.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.stats import quantile_test

from arm_latency.host import timing_columns
from face_sets.files import digest, read_plain
from face_sets.validation import first_problem

FORMAT: Final = "fer browser measurements 1"
LARGEST_BYTES: Final = 1_000_000  # a result of three models has some thousand bytes
COARSE_CLOCK: Final = 0.05
"""Share of the median from which the clock's step is remarked on: below it, rounding hides in the runs' scatter."""

_ROUNDING_MS: Final = 1e-6  # the page and NumPy interpolate quantiles in different orders
_BROWSERS: Final = {  # what user agents call themselves, the more particular name first
    "Edge": r"Edg\w*/(\d+)", "Opera": r"OPR/(\d+)", "Samsung Internet": r"SamsungBrowser/(\d+)",
    "Firefox": r"(?:Firefox|FxiOS)/(\d+)", "Chrome": r"(?:Chrome|CriOS)/(\d+)", "Safari": r"Version/(\d+)[\d.]* .*Safari",
}  # fmt: skip

_SHOWN: Final = r"\x00-\x1f\x7f<>|\u200e\u200f\u202a-\u202e\u2066-\u2069"  # not in the book: marks, and turns of direction
Text = Annotated[
    str, Field(max_length=80, pattern=rf"^[^{_SHOWN}]*[^\s{_SHOWN}][^{_SHOWN}]*$")
]  # shown in the book
Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class BrowserResultError(ValueError):
    """A file is no result of the page for this study; the message says what is wrong with it."""


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Device(_Checked):
    """What the browser reports about the device, and what its owner calls it."""

    name: Text | None
    platform: Text | None
    browser: Annotated[str, Field(min_length=1, max_length=400)]  # the user agent
    processors: Annotated[int, Field(ge=1, le=1024)] | None


class TimedModel(_Checked):
    """One model's times, single runs in milliseconds; its statistics must be those of the times."""

    run_id: Text
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    size_bytes: Annotated[int, Field(ge=1)]
    image_size: Annotated[int, Field(ge=1, le=4096)]
    warm_ups: Annotated[int, Field(ge=0, le=1000)]
    median_ms: Milliseconds
    quartile_low_ms: Milliseconds
    quartile_high_ms: Milliseconds
    times_ms: Annotated[list[Milliseconds], Field(min_length=5, max_length=1000)]

    @model_validator(mode="after")
    def _statistics_are_of_the_times(self) -> Self:
        given = [self.quartile_low_ms, self.median_ms, self.quartile_high_ms]
        if not np.allclose(np.quantile(self.times_ms, [0.25, 0.5, 0.75]), given, rtol=0, atol=_ROUNDING_MS):
            raise ValueError("its median and quartiles are not those of its times")
        if self.median_ms == 0:
            raise ValueError("its median is 0: this browser's clock is too coarse to time it")
        return self


class BrowserResult(_Checked):
    """The whole file."""

    format: Literal["fer browser measurements 1"]
    profile: Text
    faces: Text
    measured_at: AwareDatetime
    device: Device
    runtime: Annotated[str, Field(pattern=r"^LiteRT\.js \d+\.\d+\.\d+$")]
    instructions: Literal["relaxed SIMD", "SIMD"]
    threads: Literal[1]
    clock_step_ms: Annotated[float, Field(gt=0, le=1000)]
    models: Annotated[list[TimedModel], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _each_model_once(self) -> Self:
        if len({model.run_id for model in self.models}) < len(self.models):
            raise ValueError("it holds one model twice")
        return self

    @property
    def device_name(self) -> str:
        """What its owner calls the device, else its platform."""
        return self.device.name or self.device.platform or "unnamed device"

    @property
    def backend(self) -> str:
        """Runtime, instructions and browser: what was measured with."""
        agent = self.device.browser
        found = ((name, re.search(pattern, agent)) for name, pattern in _BROWSERS.items())
        browser = next((f"{name} {match[1]}" for name, match in found if match), "another browser")
        return f"{self.runtime}, {self.instructions}, {browser}"


def read_browser_result(path: Path, profile: str | None = None) -> BrowserResult:
    """Return the result in a file that the page wrote, measured with the models of `profile` if one is named.

    Raises BrowserResultError, in one sentence, for a file that is absent, too large, not such a result or of another
    profile.
    """
    try:
        content = read_plain(path, LARGEST_BYTES)
        text = content.decode(json.detect_encoding(content))  # editors add a mark or write UTF-16
        result = BrowserResult.model_validate_json(text)
    except OSError as error:
        raise BrowserResultError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise BrowserResultError(
            f"{path} is no result of the page: {first_problem(error)}; copy or save the result again"
        ) from None
    except UnicodeDecodeError as error:
        raise BrowserResultError(
            f"{path} is no text ({error.encoding}): copy or save the result again"
        ) from None
    if profile not in (None, result.profile):
        raise BrowserResultError(
            f"{path} was measured with the models of profile {result.profile}, not {profile}: "
            "give the --profile, and the --overrides, of its run"
        )
    return result


def browser_measurements(result: BrowserResult, files: Mapping[str, Path], image_size: int) -> pd.DataFrame:
    """Return the rows of `measurements` of a result; `files` are the study's exported files by run id.

    Raises BrowserResultError if the result was measured with other files or another input size.
    """
    return pd.DataFrame([_row(result, model, files, image_size) for model in result.models])


def _row(
    result: BrowserResult, model: TimedModel, files: Mapping[str, Path], image_size: int
) -> dict[str, Any]:
    path = files.get(model.run_id)
    if path is None or digest(path) != model.digest or model.image_size != image_size:
        raise BrowserResultError(
            f"{model.run_id} was measured with a file that is not this study's: render the book again "
            "(`make book`) and measure anew"
        )
    interval = quantile_test(model.times_ms, p=0.5).confidence_interval(0.95)  # assumes no distribution
    return {
        "run_id": model.run_id,
        "device": result.device_name,
        "device_kind": "browser",
        "backend": result.backend,
        "threads": result.threads,
        "image_size": model.image_size,
        **timing_columns(path, model.times_ms, model.warm_ups),
        "interval_low_ms": float(interval.low),
        "interval_high_ms": float(interval.high),
        "file_digest": model.digest,
        "remark": _remark(result.clock_step_ms, model.median_ms),
    }


def _remark(step_ms: float, median_ms: float) -> str | None:
    return f"the browser's clock steps by {step_ms:.1f} ms" if step_ms > COARSE_CLOCK * median_ms else None
