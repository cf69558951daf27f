"""What an option's text may be."""

from __future__ import annotations

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.options.values import Value, number, percentage


def given(text: str) -> dict[str, Value | None]:
    return {"it": Value(text, "--llm-it", from_ini=False)}


@pytest.mark.parametrize("text", ["5%", "%", "", "nan", "inf", "0", "-1", "five"])
def test_a_number_is_finite_above_its_bound_and_never_a_percentage(text: str) -> None:
    with pytest.raises(OptionError, match=r"--llm-it=.*: use a number above 0"):
        number(given(text), "it", above=0)


@pytest.mark.parametrize("text", ["101", "-1%", "nan", "", "%", "ten", "5%%"])
def test_a_percentage_lies_between_0_and_100(text: str) -> None:
    with pytest.raises(OptionError, match=r"--llm-it=.*: use a percentage from 0 to 100"):
        percentage(given(text), "it")


def test_what_is_accepted() -> None:
    assert number(given("2.5"), "it", above=0) == 2.5
    assert [percentage(given(text), "it") for text in ("0", "80", "80%", "100%")] == [0, 80, 80, 100]
    assert (number({"it": None}, "it", above=0), percentage({"it": None}, "it")) == (None, None)
