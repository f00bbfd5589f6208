"""The one gate through which every picture of a face passes before it is shown anywhere: `may_publish`."""

import pandas as pd


class PrivacyError(ValueError):
    """A picture was to be shown that its set's terms keep private; the message names no picture."""


def publishable(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the faces whose set's terms allow that its pictures are shown; none may remain."""
    return faces[_permitted(faces)]


def check_publishable(faces: pd.DataFrame) -> None:
    """Check that every one of these faces may be shown.

    Raises PrivacyError with how many may not, and of which sets.
    """
    kept_back = faces[~_permitted(faces)]
    if len(kept_back):
        sets = ", ".join(sorted(set(kept_back["dataset"].astype(str))))
        raise PrivacyError(
            f"{len(kept_back)} of {len(faces)} pictures may not be shown by the terms of {sets}: "
            "choose among `publishable(faces)`"
        )


def _permitted(faces: pd.DataFrame) -> pd.Series:
    return faces["may_publish"].fillna(False).astype(bool)  # unknown means no
