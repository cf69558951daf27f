"""A submission's files beside the starter's, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

MOST_LINES = 2000
"""Of one file that is compared: comparing takes the square of it where a text is made to be slow."""
MOST_SHOWN = 20_000
"""Lines of a file that is shown as it is."""
_CONTEXT = 3


def file_changes(
    starter: Mapping[str, str], handed_in: Mapping[str, str], wanted: tuple[str, ...]
) -> list[dict[str, Any]]:
    """One entry for each file asked for or handed in: its name, what became of it, and its lines.

    A line is ``[sign, text]``: ``+`` added, ``-`` removed, blank unchanged, ``@`` the place of what follows.
    """
    names = [*wanted, *sorted(handed_in.keys() - set(wanted))]
    return [_entry(name, starter.get(name), handed_in.get(name)) for name in names]


def _entry(name: str, before: str | None, after: str | None) -> dict[str, Any]:
    if after is None:
        return {"name": name, "state": "not handed in", "lines": []}
    if before is None:
        return _as_it_is(name, "new file", "+", after)
    if before == after:
        return {"name": name, "state": "same as the starter", "lines": []}
    if max(_count(before), _count(after)) > MOST_LINES:
        state = f"changed; more than {MOST_LINES:,} lines are not compared, this is the new text"
        return _as_it_is(name, state, " ", after)
    old, new = _lines(before), _lines(after)
    lines = [list(line) for line in _compared(old, new)]
    if not lines:
        return {"name": name, "state": "changed in its last line end only", "lines": []}
    added, removed = (sum(sign == which for sign, _ in lines) for which in "+-")
    return {"name": name, "state": f"changed: {added} lines added, {removed} removed", "lines": lines}


def _as_it_is(name: str, state: str, sign: str, text: str) -> dict[str, Any]:
    """The lines without a comparison: those of a long text are only counted, which takes no memory."""
    lines = _lines(text, most=MOST_SHOWN)
    if len(lines) > MOST_SHOWN:
        lines.pop()
        state = f"{state}; the first {MOST_SHOWN:,} of {_count(text):,} lines"
    return {"name": name, "state": state, "lines": [[sign, line] for line in lines]}


def _compared(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for line in list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]:
        if line.startswith("@@"):
            yield "@", line
        else:
            yield line[0], line[1:]


def _lines(text: str, *, most: int = -1) -> list[str]:
    """Split at line feeds alone: what else ends a line for Python is part of it here, and made visible.

    What comes after ``most`` lines is one more, unsplit.
    """
    return text.removesuffix("\n").split("\n", most) if text else []


def _count(text: str) -> int:
    return text.removesuffix("\n").count("\n") + 1 if text else 0
