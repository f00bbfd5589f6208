"""The options by which every `fer` command names its study."""

import json
from typing import Annotated, Any

import typer

from fer_utils.study import Study, load_study

ProfileOption = Annotated[str, typer.Option(help="Profile of the study: quick, reference, licensed")]
OverridesOption = Annotated[str, typer.Option(help="Study fields to change, as JSON: '{\"seed\": 7}'")]


def named_study(profile: str, overrides: str) -> tuple[Study, dict[str, Any]]:
    """Return the study that the two options name, and the fields that were changed.

    Raises BadParameter if `overrides` is not JSON, StudyError if they do not fit a study.
    """
    try:
        changes = json.loads(overrides)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(
            f"overrides must be JSON such as '{{\"seed\": 7}}', given {overrides!r}"
        ) from error
    return load_study(profile, **changes), changes
