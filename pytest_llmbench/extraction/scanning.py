"""The fenced blocks of a reply, in order. Pure; linear in the length of the text.

``scan`` alone reads as CommonMark does, with the kindness of ``fences``. With a ``Judge``, which has parsers, it asks
where the rules and the code differ, and the reading whose code parses wins:

- a block may end at a line with words behind its mark, at the end of a line of code, or before the next opening fence;
- it may end later than at its first closing fence, which then is part of a string or comment;
- it may begin behind text, at the end of a line;
- a closing fence without an opening one may end code that began without a fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_llmbench.extraction.extents import MARKS_AHEAD, MOST_DOUBTS, Extent, Extents, Judge, source_of
from pytest_llmbench.extraction.fences import Block, Fence, late_opening, may_hold_fence, opening
from pytest_llmbench.extraction.tokens import begins_with_end, ends_turn, only_remains

_INTRODUCES = re.compile(r"(?:[:\uff1a>*|.)]|\A\W*)\s*\Z")
"""How text ends right before the fence that it announces."""
_MAY_NAME = re.compile(r"\w[./]\w")
"""What text has to hold to be looked at for a name."""
_BEHIND_TEXT = "its opening fence stands behind text"


def scan(text: str, judge: Judge | None = None, *, first_line: int = 1, first_number: int = 1) -> list[Block]:
    r"""Find the fenced blocks of a text whose lines end in ``\n``.

    ``first_line`` and ``first_number`` are given where the text is itself the inside of a block.
    """
    return list(_Scanner(text.removesuffix("\n").split("\n"), judge, first_line, first_number).blocks())


class _Scanner:
    def __init__(self, lines: list[str], judge: Judge | None, first_line: int, number: int) -> None:
        self._lines = lines
        self._judge = judge
        self._first_line = first_line
        self._number = number
        self._extents = Extents(lines, judge, first_line)
        self._since = 0
        """The first line behind the block before."""
        self._at = 0
        self._found = False
        self._ended = False

    def blocks(self) -> Iterator[Block]:
        """One after the other."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._ended = self._ended or (self._found and ends_turn(line))
            if not may_hold_fence(line):
                self._at += 1
                continue
            fence = opening(line)
            if fence is None:
                block = self._late(line)
            elif not fence.info or only_remains(fence.info) or self._extents.is_text(fence.info):
                block = self._closing(fence)
            else:
                block = self._fenced(fence)
            if block is None:
                self._at += 1
                continue
            yield block
            self._ended = self._ended or ends_turn(self._lines[self._at - 1])
        if self._judge is not None and (block := self._never_closed()):
            yield block

    def _fenced(self, fence: Fence, extent: Extent | None = None) -> Block | None:
        """The block of an opening fence; None where it is only a wrapper around the next one."""
        extent = extent or self._extents.settled(fence, self._at)[0]
        cut = not extent.closed and self._at + 1 < extent.resume < len(self._lines)
        if cut and not any(line.strip() for line in extent.code):
            self._at = extent.resume - 1
            return None
        return self._block(fence, self._at, extent)

    def _late(self, line: str) -> Block | None:
        """A block whose opening fence stands behind text, if its code parses."""
        late = late_opening(line)
        judge = self._judge
        if late is None or judge is None or self._extents.spare <= 0:
            return None
        info = late[1].info
        if not judge.weighs(info) or not (judge.label(info) or (" " not in info and _INTRODUCES.search(late[0]))):
            return None
        extent, sure = self._extents.settled(late[1], self._at)
        if sure:
            return self._block(late[1], self._at, extent, late[0], _BEHIND_TEXT)
        self._extents.spare -= extent.resume - self._at
        return None

    def _closing(self, fence: Fence) -> Block | None:
        """The block of a fence without a label: it may open one, or close one that was not seen to open."""
        if fence.info:
            block = self._unopened(fence)
            if block is None and not only_remains(fence.info) and not begins_with_end(fence.info):
                block = self._fenced(fence)
            return block
        extent, sure = self._extents.settled(fence, self._at)
        if not sure and self._extents.spare > 0:
            block = self._unopened(fence)
            if block is not None:
                self._extents.spare -= extent.resume - self._at
                return block
        return self._fenced(fence, extent)

    def _unopened(self, fence: Fence) -> Block | None:
        """The block that a closing fence ends, where none was seen to open."""
        judge, at = self._judge, self._at
        if judge is None or self._extents.spare <= 0:
            return None
        self._extents.spare -= at - self._since
        above = self._lines[self._since : at]
        likely: tuple[str, Fence, int] | None = None
        tries = MOST_DOUBTS
        for index in range(len(above) - 1, -1, -1):
            late = late_opening(above[index])
            if (
                late is None
                or not late[1].mark.startswith(fence.mark[0])
                or not any(map(str.strip, above[index + 1 :]))
            ):
                continue
            text, opened = late
            extent, sure = self._extents.settled(opened, self._since + index)
            if sure and extent.resume > at:
                return self._block(opened, self._since + index, extent, text, _BEHIND_TEXT)
            if judge.label(opened.info) or _INTRODUCES.search(text):
                likely = text, opened, self._since + index
            tries -= 1
            self._extents.spare -= extent.resume - at
            if not tries or self._extents.spare <= 0:
                break
        if likely is not None:
            text, opened, start = likely
            return self._block(
                opened, start, Extent(self._lines[start + 1 : at], at + 1, closed=True), text, _BEHIND_TEXT
            )
        if any(line.strip() for line in above) and judge.is_file("".join(f"{line}\n" for line in above)):
            extent = Extent(above, at + 1, closed=True)
            return self._block(Fence(fence.mark, "", 0, 0), self._since - 1, extent, "", "it has no opening fence")
        return None

    def _never_closed(self) -> Block | None:
        """The block of the last opening fence behind text, where no other fence follows."""
        for at in self._extents.marks[: -MARKS_AHEAD - 1 : -1]:
            if at < self._since:
                return None
            late = late_opening(self._lines[at])
            if late is not None and self._judge is not None:
                extent, sure = self._extents.settled(late[1], at)
                if sure or self._judge.label(late[1].info):
                    return self._block(late[1], at, extent, late[0], _BEHIND_TEXT)
        return None

    def _block(self, fence: Fence, at: int, extent: Extent, text: str = "", note: str = "") -> Block:
        """The block, and on behind it. ``text``: what stands before the fence in its line."""
        above = (*self._lines[self._since : max(at, self._since)], *([text] if _MAY_NAME.search(text) else []))
        block = Block(
            number=self._number,
            first_line=self._first_line + at,
            last_line=self._first_line + at + len(extent.code),
            info=fence.info,
            source=source_of(fence, extent.code),
            closed=extent.closed,
            above=above,
            made_up=self._ended,
            note="; ".join(filter(None, (note, extent.note))),
        )
        self._at = self._since = extent.resume
        self._number += 1
        self._found = True
        return block
