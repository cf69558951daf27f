from decimal import Decimal

import pytest
from shop import rounded, total


def test_rounds_halves_up():
    assert rounded(Decimal("1.005")) == Decimal("1.01")


def test_an_empty_basket_is_free():
    assert total([]) == 0


def test_many_of_one_thing_are_cheaper():
    assert total([(Decimal("1.00"), 9)]) == Decimal("9.00")
    assert total([(Decimal("1.00"), 10)]) == Decimal("9.50")


def test_the_code_takes_ten_off():
    assert total([(Decimal("30.00"), 1)], "SPRING") == Decimal("20.00")


def test_the_code_takes_at_most_half_off():
    assert total([(Decimal("5.00"), 1)], "SPRING") == Decimal("2.50")


@pytest.mark.parametrize("code", ["", "spring", "WINTER"])
def test_other_codes_are_refused(code):
    with pytest.raises(ValueError, match="code"):
        total([], code)
