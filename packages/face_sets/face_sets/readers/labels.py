"""Labels as people write them: words for expressions, codes in any case, ages in any script, words for nothing.

A value that no table of codes knows is never guessed and never stops a set: it becomes missing and is counted by name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Final

import pandas as pd

from face_sets.readers.layouts import codes_of
from face_sets.readers.reading import CHILD_BELOW_YEARS

MISSING_WORDS: Final = frozenset(
    ["", "#n/a", "#n/a n/a", "#na", "#null!", "#value!", "#ref!", "-1.#ind", "-1.#qnan", "1.#ind", "1.#qnan", "-nan",
     "<na>", "n/a", "n.a.", "n.a", "na", "nan", "none", "null", "(null)", "nil", "n/d", "unknown", "undefined", "missing",
     "not available", "not applicable", "not given", "not known", "unspecified",
     "-", "--", "---", "–", "—", ".", "..", "?"]
)  # fmt: skip
"""What stands for nothing in a cell, in small letters: the words of `pandas.read_csv` (its `na_values`), R's NA, the errors
of spreadsheets, the point of SAS and Stata, and what people write."""

SEXES: Final = {
    "f": "female", "female": "female", "woman": "female", "girl": "female",
    "m": "male", "male": "male", "man": "male", "boy": "male",
}  # fmt: skip
MOUTHS: Final = {"open": "open", "closed": "closed"}
OLDEST_YEARS: Final = 122
"""Age beyond which a number is a slip of the pen: nobody is known to have grown older (Jeanne Calment, 1997)."""

WORDS: Final = "own"
"""The set whose codes are the words for expressions."""

ROW: Final = "row"
"""Name of an index that holds the numbers of a table's rows."""

Unknown = Counter[str]
"""How often each value was met that no code explains, by column and value."""

_LIKENESS: Final = 0.85
"""Ratio of `difflib` from which a word is a misspelt code: one letter lost, doubled or moved in a word of six or more
(Digust 0.92, suprise 0.93, surpsrise 0.94), no two codes of one set being as like."""
_AGE: Final = r"^(\d{1,3}(?:\.\d*)?|\.\d+)\s*(?:y|yo|y\.o\.|yrs?\.?|years?)?(?: old)?$"


def spellings(dataset: str) -> dict[str, str]:
    """Return a set's label codes in small letters, each with the spelling of the manifest."""
    return {code.lower(): code for code in codes_of(dataset)}


NEGATIONS: Final = frozenset({"never", "no", "non", "not", "without"})
"""Before the name of an expression: what a folder of `not_happy` faces shows its name does not say."""


def codes_named(dataset: str, text: str) -> list[str]:
    """Return the label codes that a name or path spells out, in their order, as the manifest writes them.

    A word counts if it is a code, another word for what one means (`fear` for `Afraid`), begins with either
    (`HappyTeeth`), or is one misspelt (`Digust`). None counts where one is denied (`not_happy`).
    """
    words = re.findall(r"[^\W\d_]+", text.lower())
    codes = [_code_of_word(dataset, word) for word in words]
    if any(before in NEGATIONS and code for before, code in zip(words, codes[1:], strict=False)):
        return []
    return [code for code in codes if code is not None]


@cache
def _code_of_word(dataset: str, word: str) -> str | None:
    spelt, meant = spellings(dataset), codes_of(dataset)
    by_meaning = {expression: code for code, expression in reversed(list(meant.items())) if len(code) > 2}
    others = {word: by_meaning[said] for word, said in codes_of(WORDS).items() if said and said in by_meaning}
    known = others | {code: name for code, name in spelt.items() if len(code) > 2}
    if word in known:
        return known[word]
    if word.startswith("un") or word.endswith("less"):  # unsurprised, fearless
        return None
    begun = max((code for code in known if word.startswith(code)), key=len, default=None)
    like = get_close_matches(word, [code for code in spelt if len(code) > 5], 1, _LIKENESS)
    return known[begun] if begun else known[like[0]] if like else None


def meanings(
    values: pd.Series, known: Mapping[str, str | None], column: str, unknown: Unknown
) -> "pd.Series[str]":
    """Return what codes in any case mean; one that is not `known` is missing and counted in `unknown`."""
    codes = _plain(values)
    _count(values[codes.notna() & ~codes.isin(list(known))], column, unknown)
    return codes.map({code: meaning for code, meaning in known.items() if meaning}).astype("string")


def ages(values: pd.Series, unknown: Unknown) -> "pd.Series[float]":
    """Return ages in years, Float64, as people write them: `5,5`, `5 years`, in digits of any script.

    What is no number from 0 to OLDEST_YEARS is missing and counted in `unknown`.
    """
    written = _plain(values)
    numbers = written.str.replace("[,٫．，]", ".", regex=True).str.extract(_AGE)[0]
    years = numbers.map(float, na_action="ignore").astype("Float64")  # which knows digits of any script
    years = years.where(years <= OLDEST_YEARS)
    _count(values[written.notna() & years.isna()], "age_years", unknown)
    return years


def _plain(values: pd.Series) -> "pd.Series[str]":
    text = values.astype("string").str.strip().str.lower()
    return text.mask(text.isin(MISSING_WORDS))


def _count(strange: pd.Series, column: str, unknown: Unknown) -> None:
    """Count values by name, and by the first row where they come from a table whose index is its rows."""
    short = strange.astype("string").str.strip().str[:20]
    for value, rows in short.groupby(short).groups.items():
        place = f" (first in row {rows[0]})" if strange.index.name == ROW else ""
        unknown[f"{column} {value!r}{place}"] += len(rows)


def person_columns(table: pd.DataFrame, unknown: Unknown, unknown_age: str = "unknown") -> pd.DataFrame:
    """Return age_group, age_years, sex, ethnicity and mouth of a table's rows; unknown values are missing and counted.

    The age group is `unknown_age` where no age is given.
    """
    years = ages(table["age_years"], unknown)
    groups = (years < CHILD_BELOW_YEARS).map({True: "child", False: "adult"})
    return pd.DataFrame(
        {
            "age_group": groups.astype("string").fillna(unknown_age),
            "age_years": years,
            "sex": meanings(table["sex"], SEXES, "sex", unknown),
            "ethnicity": table["ethnicity"],
            "mouth": meanings(table["mouth"], MOUTHS, "mouth", unknown),
        }
    )
