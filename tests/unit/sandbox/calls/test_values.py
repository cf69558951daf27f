"""The wire form of values: what is decoded may be forged."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

import pytest

from pytest_llmbench import same
from pytest_llmbench.sandbox.calls.framing import read_frames
from pytest_llmbench.sandbox.calls.values import (
    MOST_BITS,
    MOST_LEVELS,
    CannotCrossError,
    MalformedError,
    decode,
    encode,
    may_have_tags,
)

PRIME = 2**61 - 1
"""Integers that differ by a multiple of it have the same hash."""


@pytest.mark.parametrize(
    "value", [None, True, 1, -(2**2047), 1.5, -0.0, "$", "", [], {}, [1, "$a"], {"$tuple": [1, {"a": ["x", "$"]}]}]
)
def test_plain_values_are_their_own_wire_form(value: Any) -> None:
    assert same(encode(value), value)
    assert json.dumps(decode(encode(value))) == json.dumps(value)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ((1, "a"), ["$tuple", 1, "a"]),
        ({2}, ["$set", 2]),
        (frozenset(), ["$frozenset"]),
        ({1: (), None: 2}, ["$dict", 1, ["$tuple"], None, 2]),
        ({"a": 1, 2: 3}, ["$dict", "a", 1, 2, 3]),
        (["$a", 1], ["$list", "$a", 1]),
        (-(2**2048), ["$int", "-1" + "0" * 512]),
        (float("inf"), ["$float", "inf"]),
        (float("nan"), ["$float", "nan"]),
        (complex(-0.0, float("nan")), ["$complex", "-0.0", "nan"]),
        (b"\0\xff", ["$bytes", "00ff"]),
    ],
)
def test_all_others_are_tagged(value: Any, wire: Any) -> None:
    assert same(encode(value), wire)
    assert same(decode(json.loads(json.dumps(wire))), value)
    assert may_have_tags(json.dumps([wire]))


def test_a_tag_may_be_spelled_otherwise() -> None:
    assert may_have_tags(r'[1, "\u0024tuple"]')
    assert not may_have_tags(r'["a$", "\\u0024"]')


def test_integers_that_the_other_side_does_not_read_exactly() -> None:
    assert encode([2**53 - 1, 2**53], plain_bits=53) == [2**53 - 1, ["$int", "20000000000000"]]


@pytest.mark.parametrize(
    "wire",
    [
        ["$"],
        ["$tupel", 1],
        ["$__import__", "os"],
        ["$object", "x"],
        ["$set", 1, True],
        ["$set", 0.0, ["$float", "-0.0"]],
        ["$set", "a", "a"],
        ["$set", [1]],
        ["$set", {"a": 1}],
        ["$set", ["$set", 1]],
        ["$set", ["$list", "$a"]],
        ["$set", ["$dict", 1, 1]],
        ["$set", ["$tuple", [1]]],
        ["$set", ["$float", "nan"]],
        ["$frozenset", ["$tuple", ["$tuple", ["$complex", "0.0", "nan"]]]],
        ["$dict", 1],
        ["$dict", 1, 2, 1.0, 3],
        ["$dict", [], 1],
        ["$dict", ["$tuple", ["$float", "nan"]], 1],
        ["$int"],
        ["$int", 1],
        ["$int", "x"],
        ["$int", ""],
        ["$int", "1", "2"],
        ["$int", "f" * (MOST_BITS // 4 + 2)],
        ["$float", "one"],
        ["$float", None],
        ["$float", ["$float", "nan"]],
        ["$float", "1" * 100_000],
        ["$complex", "1.0"],
        ["$complex", 1.0, 2.0],
        ["$complex", "1j", "0"],
        ["$bytes", "0"],
        ["$bytes", "zz"],
        ["$bytes", "\ud800"],
        ["$bytes", ["$bytes", ""]],
        ["$set", *range(100_001)],
        ["$tuple", *(["$set", *range(n, n + 10_000)] for n in range(11))],
        ["$dict", *range(200_002)],
        ["$set", *(n * PRIME for n in range(500))],
        ["$dict", *(part for n in range(500) for part in (n * PRIME, 0))],
        ["$tuple", *(["$set", *(n * PRIME for n in range(100))] for _ in range(30))],
        ["$set", *(["$tuple", n * PRIME] for n in range(500))],
    ],
    ids=lambda wire: f"{str(wire)[:20]}",
)
def test_what_nothing_encodes_is_refused(wire: Any) -> None:
    for whole in (wire, [1, wire], {"a": wire}, ["$tuple", wire], ["$dict", 1, wire]):
        with pytest.raises(MalformedError):
            decode(json.loads(json.dumps(whole)))


@pytest.mark.parametrize(
    "value", [{1 << n for n in range(2000)}, set(map(str, range(100_000))), {-n: n for n in range(1, 1000)}, {-1, -2}]
)
def test_honest_sets_are_not_taken_for_floods(value: Any) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize("wire", [
    ["$set", *(n * PRIME for n in range(50_000))],
    ["$set", *(["$tuple", n * PRIME, *["x"] * 100] for n in range(5_000))],
    [["$int", "f" * 100_000]] * 50,
    [["$bytes", "ff" * 500_000]] * 5,
    [["$complex", "1" * 1000, "0"]] * 1000,
], ids=["integers", "tuples", "digits", "bytes", "floats"])  # fmt: skip
def test_forged_values_take_linear_time(wire: Any) -> None:
    began = time.thread_time()
    with contextlib.suppress(MalformedError):
        decode(wire)
    assert time.thread_time() - began < 2


def test_digits_are_limited_where_python_does_not() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        texts = ["1" * 4300, "-" + "1" * 4300, "1" * 4301, "[0, -" + "1" * 500_000 + "]", '"' + "1" * 5000 + '"']
        read = [frame.value for text in texts for frame in read_frames(f"\nnonce {text}\n", "nonce")]
    finally:
        sys.set_int_max_str_digits(before)
    assert [value is None for value in read] == [False, False, True, True, False]
    assert read[-1] == "1" * 5000


@pytest.mark.parametrize("kind", [tuple, list, lambda parts: {1: parts[0]}, lambda parts: {"a": parts[0]}, frozenset])
def test_as_deep_as_lists(kind: Any) -> None:
    value = kind([float("inf")])
    for _ in range(MOST_LEVELS - 1):
        value = kind([value])
    assert same(decode(encode(value)), value)
    with pytest.raises(RecursionError):
        encode(kind([value]))


def test_the_place_is_told() -> None:
    for value, place in [
        ([{"a": (1, object())}], "[0]['a'][1]"),
        ({1: [object()]}, "[1][0]"),
        ({(1, object()): 1}, "{key}[1]"),
        ({frozenset({object()}): 1}, "{key}{member}"),
        ({"x" * 5000: object(), "b": 1}, f"['{'x' * 99}]"),
        ({10**5000: object()}, "[int]"),
    ]:
        with pytest.raises(CannotCrossError) as told:
            encode(value)
        assert str(told.value) == f"object at {place}"
