"""Where a fenced block ends. Pure; linear in the length of the text.

By CommonMark's rules a block ends at its closing fence. Where a parser can tell, the end at which its code parses wins:
a line with words behind the mark, the end of a line of code, the next opening fence, or a later closing fence than the
first, which then is part of a string or comment.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from pytest_llmbench.extraction.fences import Fence, late_opening, may_hold_fence, opening
from pytest_llmbench.extraction.tokens import begins_with_end, only_remains, only_tokens

MOST_DOUBTS = 8
"""So many doubtful lines of one block are looked at, the first ones."""
MARKS_AHEAD = 16
"""So many lines with fences behind the end of a block are looked at."""
_LINES_AHEAD = 8
"""So many times the lines of the text are read in vain at most: reading stays linear."""
_MOST_INFO_WORDS = 3
"""More words behind a fence inside a block are text."""
_COMMENTS = ("//", "/*", "*", "#", "--", ";", "%")
_COMMENT_MARKS = " \t/*#!;%-"


class Judge(Protocol):
    """Says what code is; it may stop answering, with no, when it has been given enough text."""

    def weighs(self, info: str) -> bool:
        """Whether there is a parser for what a block with that info string may be."""

    def quotes_back(self, info: str) -> bool:
        """Whether three backquotes are a string in the language of such a block, so that they may parse."""

    def nests(self, info: str) -> bool:
        """Whether such a block holds fences of its own, as Markdown does."""

    def accepts(self, info: str, source: str) -> bool:
        """Whether that is right code for a block with that info string."""

    def is_file(self, source: str) -> bool:
        """Whether text without a fence is code beyond doubt."""

    def label(self, info: str) -> str:
        """The known language of an info string."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line inside a block at which it may end."""

    index: int
    """Of the line in the code."""
    opens: bool
    """Whether the line looks like the opening fence of another block."""
    ends: bool
    """Whether it is rather the end than a line of code."""
    late: bool = False
    """Whether the line may end in the opening fence of another block."""
    last: str | None = None
    """What of the line is code; None: nothing."""


@dataclass(slots=True)
class Extent:
    """The code of a block, and where reading resumes behind it."""

    code: list[str]
    resume: int
    closed: bool
    note: str = ""
    doubts: list[Doubt] = field(default_factory=list)


class Extents:
    """The ends of the blocks in the lines of a text."""

    def __init__(self, lines: list[str], judge: Judge | None, first_line: int) -> None:
        self._lines = lines
        self._first_line = first_line
        self._judge = judge
        self.marks = [at for at, line in enumerate(lines) if may_hold_fence(line)]
        """The lines that hold a fence."""
        self.spare = _LINES_AHEAD * len(lines)
        """So many lines may still be read in vain."""

    def settled(self, fence: Fence, at: int) -> tuple[Extent, bool]:
        """Where a block ends, and whether a parser says so."""
        usual = self._usual(fence, at)
        judge = self._judge
        if judge is None or judge.nests(fence.info) or self.spare <= 0:
            return usual, False
        extent, sure = self._weighed(judge, fence, at, usual)
        self.spare -= max(0, usual.resume - extent.resume)
        return extent, sure

    def _weighed(self, judge: Judge, fence: Fence, at: int, usual: Extent) -> tuple[Extent, bool]:
        """The end that a parser chooses, or else the likely one."""
        if judge.weighs(fence.info):
            if judge.quotes_back(fence.info):
                for doubt in usual.doubts:
                    if doubt.ends and judge.accepts(fence.info, source_of(fence, self._cut(at, usual, doubt).code)):
                        return self._cut(at, usual, doubt), True
            if judge.accepts(fence.info, source_of(fence, usual.code)):
                return usual, True
            for extent in self._others(judge, fence, at, usual):
                if judge.accepts(fence.info, source_of(fence, extent.code)):
                    return extent, True
        for doubt in usual.doubts:
            inner = opening(usual.code[doubt.index]) if doubt.opens else None
            if inner is not None and self.spare > 0 and judge.weighs(inner.info) and judge.label(inner.info):
                within = self._usual(inner, at + 1 + doubt.index)
                self.spare -= within.resume - at
                if judge.accepts(inner.info, source_of(inner, within.code)):
                    ends = (earlier for earlier in usual.doubts if earlier.ends and earlier.index < doubt.index)
                    return self._cut(at, usual, next(ends, doubt)), False
        return self._likely(at, usual), False

    def _usual(self, fence: Fence, at: int) -> Extent:
        """By the rules."""
        extent = Extent([], len(self._lines), closed=False)
        for index in range(at + 1, len(self._lines)):
            line = fence.unquote(self._lines[index])
            if line is None and index == at + 1 and self._judge is not None and self.spare > 0:
                return self._usual(replace(fence, quotes=0), at)  # only the fence stands in the quote
            if line is None:
                extent.resume = index
                break
            if may_hold_fence(line):
                if fence.closes(line):
                    extent.resume, extent.closed = index + 1, True
                    break
                if len(extent.doubts) < MOST_DOUBTS and (doubt := self._doubt(fence, line, len(extent.code))):
                    extent.doubts.append(doubt)
            extent.code.append(line)
        if not extent.closed and self._judge is not None:
            end = next((number for number, line in enumerate(extent.code) if begins_with_end(line.strip())), None)
            extent.code = extent.code[:end]
        return extent

    def _doubt(self, fence: Fence, line: str, index: int) -> Doubt | None:
        """What a line of code may be that holds a fence and does not close the block by the rules."""
        judge, rest = self._judge, fence.behind(line)
        if judge is None:
            return None
        if rest is not None:
            inner = opening(line)
            attached = rest == rest.strip() and not any(character.isspace() for character in rest)
            labelled = bool(judge.label(rest)) and len(rest.split()) <= _MOST_INFO_WORDS
            opens = inner is not None and (attached or labelled) and not self.is_text(rest)
            return Doubt(index, opens=opens, ends=not opens)
        before, mark, behind = line.rpartition(fence.mark)
        if not mark or not before.strip(_COMMENT_MARKS):
            return None
        late = bool(judge.label(behind)) and late_opening(line) is not None
        ends = not before.lstrip().startswith(_COMMENTS) and (
            not behind.strip() or only_remains(behind) or begins_with_end(behind)
        )
        return Doubt(index, opens=False, ends=ends, late=late, last=before.rstrip(fence.mark[0]).rstrip())

    def _others(self, judge: Judge, fence: Fence, at: int, usual: Extent) -> Iterator[Extent]:
        """Where else a block may end: at a doubtful line inside it, the last first, or at a fence behind it."""
        for doubt in reversed(usual.doubts):
            yield self._cut(at, usual, doubt)
        note = "a fence in it is part of the code, which parses only so" if usual.closed else ""
        first = bisect_left(self.marks, usual.resume)
        for end in self.marks[first : first + MARKS_AHEAD]:
            if not judge.weighs(fence.info):
                return
            code = [line for line in map(fence.unquote, self._lines[at + 1 : end]) if line is not None]
            line = fence.unquote(self._lines[end])
            if line is None or len(code) < end - at - 1:
                return
            if fence.closes(line):
                yield Extent(code, end + 1, closed=True, note=note)
            elif (later := self._doubt(fence, line, len(code))) is not None and not later.opens:
                yield self._cut(at, Extent(code, end + 1, closed=True), later)
        if judge.weighs(fence.info) and not fence.quotes and len(self.marks) - first <= MARKS_AHEAD:
            code = self._lines[at + 1 :]
            while code and (not code[-1].strip() or only_tokens(code[-1])):
                code.pop()
            yield Extent(code, len(self._lines), closed=False, note=note)

    def _cut(self, at: int, usual: Extent, doubt: Doubt) -> Extent:
        """The block up to a doubtful line."""
        code = usual.code[: doubt.index] + ([] if doubt.last is None else [doubt.last])
        line = at + 1 + doubt.index
        if doubt.opens:
            return Extent(code, line, closed=False, note="another block begins before it is closed")
        return Extent(code, line + 1, closed=True, note=f"it ends in line {self._first_line + line}, beside other text")

    def _likely(self, at: int, usual: Extent) -> Extent:
        """Where a block ends for whose code no parser speaks: at a fence before text, or the first that is overdue."""
        for number, doubt in enumerate(usual.doubts):
            overdue = not usual.closed or any(later.opens or later.late for later in usual.doubts[number + 1 :])
            if doubt.ends and (overdue or doubt.last is None):
                return self._cut(at, usual, doubt)
        return usual

    def is_text(self, info: str) -> bool:
        """Whether an info string is rather a sentence behind a closing fence."""
        if self._judge is None or self._judge.label(info):
            return False
        return begins_with_end(info) or len(info.split()) > _MOST_INFO_WORDS or info.endswith((".", "!", ":"))


def source_of(fence: Fence, code: list[str]) -> str:
    """The code of a block as one text."""
    return "".join(f"{line}\n" for line in fence.dedent(code))
