"""Comparisons of large values, told in short."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.assertion import util

from pytest_llmbench.plugin.runtest.assertions import LARGE, explain, is_large, short, short_comparisons, short_locals


@dataclass
class Answer:
    value: object


class Raises:
    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError

    __hash__ = None  # type: ignore[assignment]


class Liar(str):
    __slots__ = ()

    def __len__(self) -> int:
        return 1


LONG = "x" * LARGE * 2
LOOP: list[Any] = []
LOOP.append(LOOP)
OTHER_LOOP: list[Any] = []
OTHER_LOOP.append(OTHER_LOOP)


@pytest.mark.parametrize(
    "value",
    [LONG, Liar(LONG), LONG.encode(), list(range(LARGE + 1)), {1: {2: [LONG]}}, {LONG: 1}, {LONG}, (LONG,),
     1 << 9 * LARGE, Answer([LONG]), ValueError(LONG), [[]] * LARGE * 2, LOOP],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_large(value: object) -> None:
    assert is_large(value)
    assert is_large(1, [value])


@pytest.mark.parametrize(
    "value", ["x", LONG[: LARGE - 2], [1] * (LARGE // 2), {"a": [1, 2]}, None, 1.5, object(), Raises()]
)
def test_small(value: object) -> None:
    assert not is_large(value)


def test_measuring_stops_early() -> None:
    value = [[str(n)] * 100 for n in range(100_000)]
    begun = time.thread_time()
    for _ in range(100):
        assert is_large(value, {1: value})
    assert time.thread_time() - begun < 1


NUMBERS = list(range(10_000))
EXPLAINED = {
    "first": ("==", NUMBERS, [5, *NUMBERS], "first difference at [0]: 0 != 5"),
    "last": ("==", [*NUMBERS, 1], [*NUMBERS, 2], "first difference at [10000]: 1 != 2"),
    "length": ("==", NUMBERS, NUMBERS[1:][:0] + NUMBERS[:-1], "lengths: 10000 and 9999"),
    "nested": ("==", {"a": [1, {"b": LONG}]}, {"a": [1, {"b": LONG + "y"}]}, "first difference at ['a'][1]['b']: 'xx"),
    "key": ("==", dict.fromkeys(NUMBERS), dict.fromkeys([*NUMBERS[1:], "k"]), "only on the right: 'k'"),
    "set": ("==", set(NUMBERS), set(NUMBERS[5:]), "only on the left: 0, 1, 2, ..."),
    "text": ("==", LONG + "abc", LONG + "abd", "first difference at character 4002:"),
    "types": ("==", NUMBERS, tuple(NUMBERS), "types: list and tuple"),
    "in": ("in", "y", LONG, "'y' in 'xx"),
    "not in": ("not in", "y", LONG + "y", "found at 4000"),
    "other": ("<", NUMBERS, [], "[0, 1, 2, ... (10000 members)] < []"),
    "raises": ("==", [Raises(), LONG], [1, LONG], "comparing raised ZeroDivisionError"),
    "loop": ("==", [LOOP, LONG], [OTHER_LOOP, LONG], "comparing raised RecursionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_explained(name: str) -> None:
    op, left, right, expected = EXPLAINED[name]
    lines = explain(op, left, right)
    assert any(expected in line for line in lines), lines
    assert sum(map(len, lines)) < 1000
    assert lines[-1] == "(large values: told in short)"


def test_short() -> None:
    assert short([1, "a", None, 2.5]) == "[1, 'a', None, ... (4 members)]"
    assert short({"a": [[1]], LONG: ()}).startswith("{'a': [[...] (1 members)], 'xxx")
    assert short(1 << 5000) == "<a number of 5001 bits>"
    assert short(Raises()) == "<Raises>"


def test_pytest_explains_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "_reprcompare", lambda op, left, right: f"pytest's: {op}")
    with short_comparisons():
        assert util._reprcompare is not None
        assert util._reprcompare("==", 1, 2) == "pytest's: =="
        told = util._reprcompare("==", "50%\n" + LONG, LONG)
    assert told is not None
    assert told.startswith(r"'50%%\nxxx")
    assert "\n~lengths: " in told
    assert util._reprcompare("==", LONG, 1) == "pytest's: =="


def test_locals_are_cut_where_one_is_large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    config = request.config
    monkeypatch.setattr(config.option, "verbose", 3)
    for value, verbosity in ((LONG, 1), ("small", 3)):
        try:
            _ = value
            raise ValueError  # noqa: TRY301
        except ValueError:
            with short_locals(config, sys.exc_info()[2]):
                seen = config.option.verbose
            del value
        assert (seen, config.option.verbose) == (verbosity, 3)


SETS = """
from _pytest._io.saferepr import saferepr
from _pytest.assertion import util
from pytest_llmbench import CallResult
from pytest_llmbench.plugin.runtest.assertions import short_comparisons

MIXED = {"b", "a", None, (1, "x"), 7, frozenset({"q", "r", 1})}
LARGE = {f"{n}" for n in range(3000)} | {None}
with short_comparisons():
    for left, right in [
        (MIXED, {"a"}), ({1: [MIXED]}, {1: [{"a"}]}), ({"a", "b", "c", "d"}, set()), (LARGE, {0}),
        (CallResult("returned", MIXED), CallResult("returned", LARGE)), ([LARGE, 1], [LARGE, 2]), (MIXED, "a"),
    ]:
        print(util._reprcompare("==", left, right))
        print(util._reprcompare("in", left, [right]))
        print(saferepr(left), saferepr(left, maxsize=None), repr(CallResult("returned", left, args_after=(right,))))
"""


def test_what_is_told_of_sets_is_the_same_in_every_process() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", SETS], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(told) == 1, told


def test_small_sets_are_told_whole() -> None:
    with short_comparisons():
        assert util._reprcompare is not None
        told = util._reprcompare("==", {3, 1, "a"}, {1, "b"})
    assert told == "{1, 3, 'a'} == {1, 'b'}\n~sizes: 3 and 2\n~only on the left: 3, 'a'\n~only on the right: 'b'"
