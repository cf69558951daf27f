"""JSON of a server: what is out of bounds is NaN, everything else stays, and nothing takes long or much."""

from __future__ import annotations

import json
import time
import tracemalloc
from math import isnan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.llm.guarded_json import MAX_DEPTH, MAX_PARTS, read_json, short
from pytest_llmbench.schema.numbers import MOST


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1" + "0" * 400, None),
        ("-1" + "0" * 12, -MOST),
        ("1" + "0" * 13, None),
        ("1" * 100_000, None),
        ("1e400", None),
        ("-1e13", None),
        ("0." + "1" * 100_000, None),
        ("5e-324", 5e-324),
        ("NaN", None),
        ("-Infinity", None),
    ],
)
def test_numbers(text: str, value: Any) -> None:
    said = read_json(f'{{"text": "stays", "n": {text}}}')
    assert said["text"] == "stays"
    for found in (read_json(text), said["n"]):
        assert found == value if value is not None else isnan(found)


@pytest.mark.parametrize("levels", [60, 300, 900, 100_000])
@pytest.mark.parametrize("opening", ['{"a":', "[", '[{"]}": [1], "b":'])
def test_what_is_nested_too_deep_costs_itself_alone(levels: int, opening: str) -> None:
    closing = "".join({"{": "}", "[": "]"}.get(each, "") for each in reversed(opening.split('"', maxsplit=1)[0]))
    deep = opening * levels + "1" + closing * levels
    said = read_json(f'{{"before": [1, {{"x": "}}]"}}], "timings": {deep}, "choices": [{{"text": "stays [{{"}}]}}')
    assert (said["before"], said["choices"]) == ([1, {"x": "}]"}], [{"text": "stays [{"}])
    depth, inner = 0, said["timings"]
    while inner == inner:  # noqa: PLR0124 - until it is NaN
        inner = list(inner.values())[-1] if isinstance(inner, dict) else inner[-1]
        depth += 1
    assert depth == MAX_DEPTH - 1, "all above it is there"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        "]" * 1_000_000,
        "[" * 100 + "]" * 101,
        "[" * 60 + "}" * 60 + "x",
        '["' + '\\"' * 1_000_000,
        "[" * 60 + '"\\',
        "[[" + "[]," * MAX_PARTS + "0]]",
        '""' * (MAX_PARTS + 1),
        "{" * 60 + ":" * 3_000_000,
        "",
        "not JSON",
    ],
)
def test_what_is_none_is_refused_soon(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError):
        read_json(text)
    assert time.process_time() - began < 5


@pytest.mark.slow
def test_a_text_of_millions_of_values_takes_little_memory() -> None:
    text = "[" + "[]," * 1_500_000 + "0]"
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 1000000"):
        read_json(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_short_texts() -> None:
    assert [short(value, 5) for value in ("name", "longer", "a\nb", "\x1b[2J", "\u202e", "\ud800", 5, None, [])] == [
        "name",
        *[""] * 8,
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-MOST, MOST) | st.floats(-1e12, 1e12) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=100,
)


@pytest.mark.slow
@given(values, st.booleans())
@settings(deadline=None)
def test_honest_json_is_read_as_ever(value: Any, ascii_only: bool) -> None:
    text = json.dumps([value, "[" * (MAX_DEPTH + 1)], ensure_ascii=ascii_only)
    assert read_json(text) == json.loads(text)


@given(st.text(alphabet='{}[]",:\\1 n'))
@settings(deadline=None)
def test_never_anything_else_than_a_value_error(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        expected = ValueError
    try:
        assert read_json("[" * 49 + text + "]" * 49) is not None
    except ValueError:
        assert expected is ValueError or text.count("{") + text.count("[") > 0
