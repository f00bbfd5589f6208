"""The names of the data sets that a study may use."""

from typing import Final

LICENSED_SETS: Final = (
    "affectnet", "fer2013", "raf_db", "expw", "ckplus", "jaffe", "kdef", "rafd", "nimh_chefs", "ddcf",
    "childefes", "liris_cse", "guesswhat", "cafe",
)  # fmt: skip
"""The twelve public sets that this project declares (the abstract does not name its twelve), GuessWhat, CAFE."""

OWN_SET: Final = "own"
"""A reader's own pictures, which a study may learn from as well; they settle no claim."""
