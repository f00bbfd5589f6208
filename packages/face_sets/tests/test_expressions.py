import pytest

from face_sets.expressions import CHANCE, EXPRESSIONS, PROBABILITY_COLUMNS, check_codes, expression_index


def test_order_is_the_abstracts():
    assert EXPRESSIONS == ("neutral", "fear", "happiness", "sadness", "surprise", "anger", "disgust")
    assert [expression_index(name) for name in EXPRESSIONS] == list(range(7))
    assert PROBABILITY_COLUMNS[2] == "p_happiness"
    assert pytest.approx(1.0) == CHANCE * 7


def test_unknown_expression_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown expression 'contempt'.*neutral, fear"):
        expression_index("contempt")


def test_codes_map_onto_the_seven_or_none():
    check_codes({"0": "neutral", "7": None}, "affectnet")
    with pytest.raises(ValueError, match=r"affectnet: code '7' maps onto 'contempt'.*use null"):
        check_codes({"7": "contempt"}, "affectnet")
