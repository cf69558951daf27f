"""Texts that go round in circles, and such that only look like it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.llm.failures.repetition import repeated


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("hello", None),
        ("ab " * 7, None),
        ("=" * 80, None),
        ("\n" * 300, None),
        ("def f():\n    return 1\n" * 3, None),
        ("".join(f"case {n}: return {n}\n" for n in range(300)), None),
        ("x" * 300, ("x", 300)),
        ("start " + "abc " * 100, ("abc ", 100)),
        ("\n" * 2000, ("\n", 2000)),
        ("well, " * 60 + "wel", ("l, wel", 60)),
    ],
)
def test_repeated(text: str, found: tuple[str, int] | None) -> None:
    assert repeated(text) == found


@pytest.mark.slow
@given(st.text(min_size=25, max_size=60).filter(str.strip), st.integers(10, 30), st.text(max_size=50))
def test_what_is_repeated_often_enough_is_found(part: str, times: int, before: str) -> None:
    found = repeated(before + part * times)
    assert found is not None
    assert found[0] in part * times


def test_long_texts_take_no_time() -> None:
    began = time.monotonic()
    for text in ("a" * 1_000_000 + "b", ("a" * 99 + "b") * 10_000, "ab" * 500_000):
        repeated(text)
    assert time.monotonic() - began < 1
