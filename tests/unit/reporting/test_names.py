"""Names and lines cut to the columns of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pytest_llmbench.reporting.names import LEAST_NAME, fitted, shortened


def test_what_fits_is_left_as_it_is():
    assert shortened(["gpt-oss-20b", "qwen3"], 11) == ["gpt-oss-20b", "qwen3"]


def test_a_long_name_loses_its_middle():
    assert shortened(["qwen3-coder-30b-a3b-instruct-q4_k_m"], 16) == ["qwen3-...-q4_k_m"]


@pytest.mark.parametrize("room", [10, 16, 24])
@pytest.mark.parametrize(
    "names",
    [
        [f"a-model-with-a-long-name-{size}b" for size in (1, 3, 8, 30)],
        [f"{size}b-a-model-with-a-long-name" for size in (1, 3, 8, 30)],
        [f"a-model-with-a-{size}b-middle-that-differs" for size in (1, 3, 8, 30)],
    ],
)
def test_what_tells_names_apart_is_kept(names, room):
    shown = shortened(names, room)
    assert len(set(shown)) == len(names)
    assert all(cell_len(name) <= room for name in shown)


def test_equal_names_stay_equal():
    assert len(set(shortened(["m" * 50, "m" * 50], 10))) == 1


@given(st.lists(st.text(st.characters(exclude_categories=["C", "M"])), max_size=30), st.integers(-5, 40))
def test_any_names_fit_and_stay_apart(names, room):
    shown = shortened(names, room)
    assert all(cell_len(name) <= max(room, LEAST_NAME) for name in shown)
    assert len(set(shown)) == len(set(names))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(40, "two words here"), (14, "two words here"), (13, "two words..."), (9, "two..."), (5, "tw...")],
)
def test_a_line_is_cut_behind_a_word(columns, expected):
    assert fitted("two words here", columns) == expected


@given(st.text(), st.integers(3, 60))
def test_any_line_fits(text, columns):
    assert cell_len(fitted(text, columns)) <= columns
