"""Text of unknown origin, made fit for terminals, logs, pages and records."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.text import bounded, excerpt, one_line, printable, raised, sanitize, stable_repr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=a.py::b", r"\x3a:error file=a.py::b"),
        ("\t::add-mask::secret", r"    \x3a:add-mask::secret"),
        ("fine\n  ::stop-commands::t\nmore", "fine\n  \\x3a:stop-commands::t\nmore"),
        ("and ##[error]so", r"and #\x23[error]so"),
        ("a ::b:: c, std::vec::Vec, ::x", "a ::b:: c, std::vec::Vec, ::x"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("plain: text", "plain: text"),
    ],
)
def test_what_a_terminal_or_a_runner_would_obey(text: str, shown: str) -> None:
    assert sanitize(text) == shown
    assert sanitize(shown) == shown


ANY = st.text(st.characters(exclude_categories=()), max_size=40)


@given(ANY, st.sampled_from(["", "\n", "\n\t"]))
def test_printable_text_has_no_control_characters_but_those_kept(text: str, keep: str) -> None:
    shown = printable(text, keep=keep)
    assert all(character.isprintable() or character in keep for character in shown)
    assert printable(shown, keep=keep) == shown
    assert "".join(c for c in shown if c in keep) == "".join(c for c in text if c in keep)
    if text.isprintable():
        assert shown == text


@given(ANY, st.integers(1, 50))
def test_excerpts_are_short_and_printable(text: str, limit: int) -> None:
    line, several = one_line(text, limit), excerpt(text, limit)
    assert line.isprintable()
    assert several.replace("\n", "").replace("\t", "").isprintable()
    assert max(len(line), len(several)) <= limit


def test_what_is_cut_off_is_counted() -> None:
    assert bounded("abcd", 4) == "abcd"
    assert bounded("abcdef", 4) == "abcd... (2 more characters)"


@pytest.mark.parametrize(
    "value",
    [None, True, -1, 1.5, float("nan"), "a'b", b"\0", [], [1, ["x"]], (), (1,), (1, 2), {}, {1: {"a": (2,)}}, set(),
     frozenset(), {1}, frozenset({"x"}), 2j, OrderedDict(a=1), {(1, 2): [None]}],
)  # fmt: skip
def test_the_stable_form_is_the_form_that_python_writes(value: Any) -> None:
    assert stable_repr(value) == repr(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({10, 9, -1, 2.5, True}, "{-1, True, 2.5, 9, 10}"),
        ({"b", "a", None, 2, (1,), 2**2000 - 1 == 0}, "{False, 2, 'a', 'b', (1,), None}"),
        ([{"k": {"b", "a"}}, frozenset({"b", frozenset({"d", "c"}), frozenset("a")})],
         "[{'k': {'a', 'b'}}, frozenset({'b', frozenset({'a'}), frozenset({'c', 'd'})})]"),
        ({10**400, 10**401}, f"{{1{'0' * 400}, 1{'0' * 95}..."),
    ],
)  # fmt: skip
def test_sets_are_sorted(value: Any, shown: str) -> None:
    assert stable_repr(value) == shown


def test_the_stable_form_is_short() -> None:
    assert stable_repr([1, "abc"], 5) == "[1, '..."
    assert stable_repr("x" * 1000, 5) == "'xxxx..."
    assert stable_repr(dict.fromkeys(range(10**6)), 5) == "{0: N..."
    assert stable_repr([10**5000, 1]) == "[<int that cannot be shown>, 1]"
    deep = functools.reduce(lambda inner, _: [inner], range(1000), [])
    assert stable_repr((1, deep)) == "<tuple that cannot be shown>"
    loop: list[Any] = []
    loop.append(loop)
    assert stable_repr(loop, 5) == "[[[[[..."


def test_sets_of_sets_are_put_in_words_once() -> None:
    value: frozenset[Any] = frozenset()
    for _ in range(40):
        value = frozenset({value, 1})
    assert stable_repr(value, 40) == "frozenset({1, frozenset({1, frozenset({1..."
    for _ in range(400):
        value = frozenset({value})
    assert stable_repr(value) == "<frozenset that cannot be shown>"


def test_what_is_in_a_group_is_named() -> None:
    inner = ExceptionGroup("unhandled errors in a TaskGroup", [RuntimeError("blocked"), OSError("lost\x1b")])
    assert raised(inner) == r"RuntimeError: blocked; OSError: lost\x1b"
    assert raised(ExceptionGroup("outer", [inner, inner])) == raised(inner)
    many = ExceptionGroup("many", [ValueError(str(n)) for n in range(5)])
    assert raised(many) == "ValueError: 0; ValueError: 1; ValueError: 2 and 2 more"
    assert raised(KeyError("x")) == "KeyError: 'x'"
    assert len(raised(ExceptionGroup("long", [ValueError("y" * 10_000)] * 2))) <= 310
