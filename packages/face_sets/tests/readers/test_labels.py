from difflib import SequenceMatcher
from itertools import combinations

import pandas as pd
import pytest

from face_sets.manifests import manifest_names
from face_sets.readers.labels import _LIKENESS, MISSING_WORDS, SEXES, Unknown, ages, codes_named, meanings
from face_sets.readers.layouts import codes_of


@pytest.mark.parametrize(
    ("dataset", "text", "codes"),
    [
        ("ddcf", "Afraid/S04", ["Afraid"]),
        ("ddcf", "HappyTeeth", ["Happy"]),
        ("ddcf", "Digust", ["Disgust"]),
        ("ddcf", "Sadness", ["Sad"]),
        ("ddcf", "DISGUST_far left", ["Disgust"]),
        ("ddcf", "40females/edited", []),
        ("ddcf", "exp", []),
        ("liris_cse", "fear_surpsrise", ["fear", "surprise"]),
        ("liris_cse", "happy_5_aloud", ["happy"]),
        ("liris_cse", "fear_surprise_1_movingPerson", ["fear", "surprise"]),
        ("liris_cse", "bored", []),
        ("nimh_chefs", "Angry_averted/A", ["Angry"]),
        ("childefes", "alegria/medo/neutro/surpresa", []),
        ("own", "holidays", []),
    ],
)
def test_words_that_a_name_spells_out(dataset, text, codes):
    assert codes_named(dataset, text) == codes


@pytest.mark.parametrize("dataset", manifest_names())
def test_no_codes_of_two_expressions_are_as_like_as_a_misspelt_one(dataset):
    codes = codes_of(dataset)
    for one, two in combinations([code for code in codes if len(code) > 3], 2):
        if codes[one] != codes[two]:
            assert SequenceMatcher(None, one.lower(), two.lower()).ratio() < _LIKENESS - 0.1, (one, two)


def test_values_in_any_case_words_for_nothing_and_others():
    unknown = Unknown()
    values = pd.Series([" F ", "Male", *sorted(MISSING_WORDS), None, pd.NA, "x", "X", "7"], dtype="string")
    found = meanings(values, SEXES, "sex", unknown)
    assert found.dropna().tolist() == ["female", "male"]
    assert unknown == {"sex 'x'": 1, "sex 'X'": 1, "sex '7'": 1}


def test_a_code_that_is_known_to_mean_nothing_is_missing_and_not_counted():
    unknown = Unknown()
    assert meanings(pd.Series(["2", "1"]), {"1": "female", "2": None}, "sex", unknown).isna().tolist() == [
        True,
        False,
    ]
    assert not unknown


def test_long_values_are_named_in_short():
    unknown = Unknown()
    assert ages(pd.Series(["a story of a life that is long"]), unknown).isna().all()
    assert unknown == {"age_years 'a story of a life th'": 1}
