"""Reasoning that stayed in a stored reply: ``<think>``, ``<thinking>`` or ``[THINK]``, paired or not. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from pytest_llmbench.replies.fences import scan

_TAG = re.compile(
    r"(?P<first>^[ \t]*+)?(?:<(?P<close>/)?think(?:ing)?>|\[(?P<closed>/)?THINK\])(?P<last>[ \t]*+$)?", re.MULTILINE
)


def drop_reasoning(text: str) -> tuple[str, tuple[str, ...]]:
    """Take reasoning out of a reply; say what was taken out. Lines keep their numbers.

    - ``<think>`` opens where it is the first thing on its line and not inside a closed code block; the next
      ``</think>`` ends it. Without one, all that follows is reasoning.
    - A ``</think>`` that nothing opened ends reasoning that began with the reply (some chat templates write the
      opening tag themselves). It counts as the first thing on its line, or as the last one outside a code block:
      a program may well have the tag in a string.
    """
    tags = list(_TAG.finditer(text))
    if not tags:
        return text, ()
    code = _Code(text)
    cuts: list[tuple[int, int]] = []
    notes: dict[str, None] = {}
    opened: int | None = None
    for tag in tags:
        closing = bool(tag["close"] or tag["closed"])
        first, last = tag["first"] is not None, tag["last"] is not None
        if opened is not None:
            if closing:
                cuts.append((opened, tag.end()))
                notes["text inside <think>...</think> dropped"] = None
                opened = None
        elif not closing:
            if first and not code.holds(tag.start()):
                opened = tag.start()
        elif first or (last and not code.holds(tag.start())):
            cuts = [(0, tag.end())]
            notes = {"text before </think> dropped": None}
    if opened is not None:
        cuts.append((opened, len(text)))
        notes["text after an unclosed <think> dropped"] = None
    return _blank(text, cuts), tuple(notes)


class _Code:
    """The lines that lie inside closed code blocks."""

    def __init__(self, text: str) -> None:
        self._line_starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
        self._blocks = [block for block in scan(text) if block.closed]
        self._first_lines = [block.first_line for block in self._blocks]

    def holds(self, offset: int) -> bool:
        line = bisect_right(self._line_starts, offset)
        at = bisect_right(self._first_lines, line) - 1
        return at >= 0 and line <= self._blocks[at].last_line


def _blank(text: str, cuts: list[tuple[int, int]]) -> str:
    kept: list[str] = []
    position = 0
    for start, end in cuts:
        kept += (text[position:start], "\n" * text.count("\n", start, end))
        position = end
    return "".join([*kept, text[position:]])
