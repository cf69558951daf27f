"""Names and lines that fit into the columns of a terminal."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len, chop_cells

_GAP = "..."
_SEPARATORS = "-/_: "
LEAST_NAME = 8
"""Columns in which a name still tells something."""


def shortened(names: Sequence[str], room: int) -> list[str]:
    """Each name in at most ``room`` columns, long ones without their middle; different names stay different.

    What is left out is moved until all differ, or is all but the beginning and the first part that differs. Where
    nothing of that keeps names apart, they are numbered. There is never less room than ``LEAST_NAME``.
    """
    room = max(room, LEAST_NAME)
    if all(cell_len(name) <= room for name in names):
        return list(names)
    distinct = list(dict.fromkeys(names))
    for cut in _cuts([name for name in distinct if cell_len(name) > room], room):
        short = {name: name if cell_len(name) <= room else cut(name) for name in distinct}
        if len(set(short.values())) == len(distinct):
            return [short[name] for name in names]
    numbered = {name: f"{_GAP}#{number}" for number, name in enumerate(distinct, 1)}
    return [_start(name, room - len(numbered[name])) + numbered[name] for name in names]


def _cuts(long: Sequence[str], room: int) -> Iterator[Callable[[str], str]]:
    """Ways to cut names that are too long, the best first."""
    kept = room - len(_GAP)
    for head in sorted(range(1, kept), key=lambda columns: abs(2 * columns - kept)):
        yield functools.partial(_without_middle, head=head, tail=kept - head)
    kept -= len(_GAP)
    common = os.path.commonprefix(long)  # noqa: RUF071 - character by character is what is wanted
    word = max(map(common.rfind, _SEPARATORS)) + 1
    for place in (word, len(common)):
        yield functools.partial(_around, place=place, head=kept // 3, rest=kept - kept // 3)


def _without_middle(name: str, head: int, tail: int) -> str:
    return _start(name, head) + _GAP + _start(name[::-1], tail)[::-1]


def _around(name: str, place: int, head: int, rest: int) -> str:
    """The name's beginning, and what follows at ``place``."""
    return _start(name, head) + _GAP + _start(name[place:], rest) + _GAP


def fitted(text: str, columns: int) -> str:
    """The text in at most ``columns``; a longer one ends in dots behind its last whole word."""
    if cell_len(text) <= columns:
        return text
    start = _start(text, columns - len(_GAP))
    words = start if text[len(start) :].startswith(" ") else start.rpartition(" ")[0]
    return (words.rstrip() or start) + _GAP


def _start(text: str, columns: int) -> str:
    """As many characters as there is room for."""
    if columns <= 0:
        return ""
    return text if cell_len(text) <= columns else chop_cells(text[: columns + 1], columns)[0]
