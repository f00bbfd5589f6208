import pytest

from face_sets.expressions import CHANCE, EXPRESSIONS, PROBABILITY_COLUMNS, check_codes


def test_order_is_the_abstracts():
    assert EXPRESSIONS == ("neutral", "fear", "happiness", "sadness", "surprise", "anger", "disgust")
    assert PROBABILITY_COLUMNS[2] == "p_happiness"
    assert pytest.approx(1.0) == CHANCE * 7


def test_codes_map_onto_the_seven_or_none():
    check_codes({"0": "neutral", "7": None}, "affectnet")
    with pytest.raises(ValueError, match=r"affectnet: code '7' maps onto 'contempt'.*use null"):
        check_codes({"7": "contempt"}, "affectnet")
