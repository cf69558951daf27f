"""A submission's files beside the starter's, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

MOST_LINES = 2000
"""Of one file that is compared: comparing takes the square of it where a text is made to be slow."""
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
        return {"name": name, "state": "new file", "lines": [["+", line] for line in _lines(after)]}
    if before == after:
        return {"name": name, "state": "same as the starter", "lines": []}
    old, new = _lines(before), _lines(after)
    if max(len(old), len(new)) > MOST_LINES:
        state = f"changed; more than {MOST_LINES:,} lines are not compared, this is the new text"
        return {"name": name, "state": state, "lines": [[" ", line] for line in new]}
    lines = [list(line) for line in _compared(old, new)]
    if not lines:
        return {"name": name, "state": "changed in its last line end only", "lines": []}
    added, removed = (sum(sign == which for sign, _ in lines) for which in "+-")
    return {"name": name, "state": f"changed: {added} lines added, {removed} removed", "lines": lines}


def _compared(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for line in list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]:
        if line.startswith("@@"):
            yield "@", line
        else:
            yield line[0], line[1:]


def _lines(text: str) -> list[str]:
    """Split at line feeds alone: what else ends a line for Python is part of it here, and made visible."""
    return text.removesuffix("\n").split("\n") if text else []
