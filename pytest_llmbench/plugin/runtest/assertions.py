"""What a failed comparison of large values, or of sets, says: short, worked out in linear time, the same on every run.

pytest's own explanation makes a diff of the whole, with ``-vv`` and wherever ``CI`` is set: of an answer of a megabyte
that takes minutes to hours, in the test process. And it names the members of sets in the order in which they lie in
memory, which is another one in each process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any

import pytest
from _pytest._io.saferepr import DEFAULT_REPR_MAX_SIZE, SafeRepr
from _pytest.assertion import util

from pytest_llmbench.text import stable_order, stable_repr

LARGE = 2000
"""Characters and members of both sides together from which on a comparison is told in short."""
_SHOWN = 3
"""Members of a container that are shown."""
_SHOWN_CHARACTERS = 60
_SHOWN_LEVELS = 2
_LONGEST_PATH = 20
_MOST_BITS = 512
_Compare = Callable[[str, object, object], str | None]


@contextlib.contextmanager
def short_comparisons() -> Iterator[None]:
    """Inside, asserts over large values and sets are explained by ``explain``, all others by pytest and its plugins.

    The hook ``pytest_assertrepr_compare`` would not do: pytest asks every plugin, its own costly explanation too, and
    then takes the first answer.
    """
    given: _Compare | None = util._reprcompare  # noqa: SLF001  # there is no other place before that hook

    def compare(op: str, left: object, right: object) -> str | None:
        if not is_large(left, right) and not _has_sets(left, right):
            return given(op, left, right) if given is not None else None
        # As pytest puts explanations together: "~" continues one, and "%" is formatted afterwards.
        return "\n~".join(line.replace("\n", "\\n") for line in explain(op, left, right)).replace("%", "%%")

    util._reprcompare = compare  # noqa: SLF001  # as above
    try:
        with _sorted_sets():
            yield
    finally:
        util._reprcompare = given  # noqa: SLF001  # as above


@contextlib.contextmanager
def _sorted_sets() -> Iterator[None]:
    """Inside, pytest shows the members of every set in one order; by itself it sorts them only where ``<`` does."""

    def shown(self: SafeRepr, value: set[Any] | frozenset[Any], _level: int) -> str:
        return stable_repr(value, DEFAULT_REPR_MAX_SIZE if self.maxsize is None else self.maxsize)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SafeRepr, "repr_set", shown)
        patch.setattr(SafeRepr, "repr_frozenset", shown)
        yield


@contextlib.contextmanager
def short_locals(config: pytest.Config, traceback: TracebackType | None) -> Iterator[None]:
    """Inside, pytest cuts what it shows of local variables, as without ``-vv``, if one is large, and sorts sets."""
    verbosity = getattr(config.option, "verbose", 0)  # missing with -p no:terminal
    with _sorted_sets():
        if verbosity <= 1 or not _has_large_locals(traceback):
            yield
            return
        config.option.verbose = 1
        try:
            yield
        finally:
            config.option.verbose = verbosity


def is_large(*values: object) -> bool:
    """True where the values have more than ``LARGE`` characters and members; looks at no more of them than that."""
    left = LARGE
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        left -= 1
        if isinstance(value, str):
            left -= str.__len__(value)
        elif isinstance(value, bytes | bytearray):
            left -= len(value)
        elif isinstance(value, int):
            left -= int.bit_length(value) // 4
        else:
            waiting += islice(_members(value), max(left, 0) + 1)
        if left < 0 or len(waiting) > left + 1:
            return True
    return False


def explain(op: str, left: object, right: object) -> list[str]:
    """The lines that take the place of pytest's: the comparison in short, lengths, and the first difference."""
    large = is_large(left, right)
    shown = short if large else stable_repr
    lines = [f"{shown(left)} {op} {shown(right)}"]
    try:
        if op == "==":
            lines += _difference(left, right)
        elif op == "not in" and isinstance(left, str) and isinstance(right, str):
            lines.append(f"found at {right.find(left)}")
    except Exception as error:  # noqa: BLE001  # whatever the members' own comparison does, the assertion is what counts
        lines.append(f"(no difference is shown: comparing raised {type(error).__name__})")
    return [*lines, "(large values: told in short)"] if large else lines


def short(value: object, levels: int = _SHOWN_LEVELS) -> str:
    """The beginning of a value, and how much there is of it."""
    if isinstance(value, str | bytes | bytearray):
        head = repr(value[:_SHOWN_CHARACTERS])
        return head if len(value) <= _SHOWN_CHARACTERS else f"{head}... ({len(value)} characters)"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"<a number of {value.bit_length()} bits>"
    if value is None or isinstance(value, int | float | complex):
        return repr(value)
    if not isinstance(value, list | tuple | set | frozenset | Mapping):
        return f"<{type(value).__name__}>"
    opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")") if isinstance(value, tuple) else ("{", "}")
    if levels == 0:
        return f"{opening}...{closing} ({len(value)} members)"
    if isinstance(value, Mapping):
        parts = [f"{short(key, 0)}: {short(item, levels - 1)}" for key, item in islice(value.items(), _SHOWN)]
    else:
        parts = [short(item, levels - 1) for item in _first(value)]
    more = f", ... ({len(value)} members)" if len(value) > _SHOWN else ""
    return f"{opening}{', '.join(parts)}{more}{closing}"


def _first(members: Collection[Any], *, unordered: bool = False) -> list[Any]:
    """The members that are shown, of a set those that are the first when it is sorted."""
    if unordered or isinstance(members, set | frozenset):
        return heapq.nsmallest(_SHOWN, members, key=stable_order)
    return list(islice(members, _SHOWN))


def _difference(left: Any, right: Any) -> Iterator[str]:
    """Where two values that are not equal begin to differ."""
    path = ""
    for _ in range(_LONGEST_PATH):
        step = _step(left, right)
        if step is None:
            break
        left, right, path = left[step], right[step], f"{path}[{short(step, 0)}]"
    if path:
        yield f"first difference at {path}: {short(left)} != {short(right)}"
    if type(left) is not type(right):
        yield f"types: {type(left).__name__} and {type(right).__name__}"
    elif isinstance(left, str | bytes | bytearray):
        place = next(
            (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
        )
        begin = max(0, place - _SHOWN_CHARACTERS // 2)
        shown = slice(begin, begin + _SHOWN_CHARACTERS)
        yield f"lengths: {len(left)} and {len(right)}; first difference at character {place}:"
        yield f"  {left[shown]!r}"
        yield f"  {right[shown]!r}"
    elif isinstance(left, set | frozenset | dict):
        yield f"sizes: {len(left)} and {len(right)}"
        for side, one, other in (("left", left, right), ("right", right, left)):
            extra = [key for key in one if key not in other]
            if found := [short(key, 0) for key in _first(extra, unordered=not isinstance(left, dict))]:
                yield f"only on the {side}: {', '.join(found)}{', ...' if len(found) == _SHOWN else ''}"
    elif isinstance(left, list | tuple) and len(left) != len(right):
        yield f"lengths: {len(left)} and {len(right)}"


def _step(left: Any, right: Any) -> Any:
    """The index or key at which two containers of one kind differ; None: they do not, or have no such thing."""
    if type(left) is not type(right):
        return None
    if isinstance(left, list | tuple):
        pairs: Iterable[tuple[Any, Any, Any]] = ((n, a, b) for n, (a, b) in enumerate(zip(left, right, strict=False)))
    elif isinstance(left, dict):
        pairs = ((key, left[key], right[key]) for key in left if key in right)
    else:
        return None
    return next((place for place, one, other in pairs if one != other), None)


def _has_sets(*values: object) -> bool:
    """True where there is a set of several members in the values, which are not large."""
    waiting = list(values)
    for _ in range(LARGE):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, set | frozenset) and len(value) > 1:
            return True
        waiting += islice(_members(value), LARGE)
    return False


def _members(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield item
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif dataclasses.is_dataclass(value) and getattr(value, "__dataclass_params__").repr:  # noqa: B009  # unknown to mypy
        yield from (getattr(value, field.name, None) for field in dataclasses.fields(value))
    elif isinstance(value, Exception):
        yield from value.args


def _has_large_locals(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if any(map(is_large, traceback.tb_frame.f_locals.values())):
            return True
        traceback = traceback.tb_next
    return False
