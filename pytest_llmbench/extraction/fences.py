"""Fenced code blocks of a reply, with their lines. Pure, linear in the length of the text.

The rules are CommonMark's, with four that models break all the time read kindly:

- a fence may be indented by any amount, in a list or not;
- code below an indented fence need not be indented with it, nor the closing fence: it keeps its shape;
- a fence inside an HTML element such as ``<answer>`` is a fence;
- only a line without ``>`` ends a block inside a quote, nothing else ends one early.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENING = re.compile(
    r"(?P<lead>(?:[ \t]*+(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])))*+[ \t]*+)"
    r"(?:(?P<mark>`{3,}+)(?=[^`]*+\Z)|(?P<tilde>~{3,}+))(?P<info>.*)"
)
_QUOTE = re.compile(r"[ \t]*+>[ ]?")
_TAB = 4


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. Lines are counted from 1, in the reply as it came."""

    number: int
    """Counted from 1."""
    first_line: int
    """The line of the opening fence; the code starts on the next one."""
    last_line: int
    """The last line of code."""
    info: str
    """What stands behind the opening fence."""
    source: str
    """The code, without the indentation of the fence; every line ends in a newline."""
    closed: bool
    """False when the text or the quote ended before a closing fence."""
    above: tuple[str, ...]
    """The lines between the block before and this one."""


@dataclass(frozen=True, slots=True)
class _Fence:
    """An opening fence, and what its lines look like."""

    mark: str
    info: str
    quotes: int
    indent: int

    def closes(self, line: str) -> bool:
        """Whether a line, freed of quote marks, is this fence's closing one."""
        if self.mark[0] not in line:
            return False
        bare = line.strip(" \t")
        if len(bare) < len(self.mark) or bare.strip(self.mark[0]):
            return False
        return _width(_lead(line)) < self.indent + 4

    def unquote(self, line: str) -> str | None:
        """The line without its quote marks; None when it stands outside the quote."""
        at = 0
        for _ in range(self.quotes):
            mark = _QUOTE.match(line, at)
            if mark is None:
                return None
            at = mark.end()
        return line[at:]

    def dedent(self, code: list[str]) -> list[str]:
        """The lines without as much white space as the fence has before it, or as all of them have if that is less."""
        indent = min([self.indent, *(_width(_lead(line)) for line in code if line.strip(" \t"))]) if self.indent else 0
        return [_without(line, indent) for line in code] if indent else code


def scan(text: str, *, first_line: int = 1, first_number: int = 1) -> list[Block]:
    r"""Find the fenced blocks of a text whose lines end in ``\n``.

    ``first_line`` and ``first_number`` are given where the text is itself the inside of a block.
    """
    return list(_blocks(text.removesuffix("\n").split("\n"), first_line, first_number))


def _blocks(lines: list[str], first_line: int, number: int) -> Iterator[Block]:
    above: list[str] = []
    at = 0
    while at < len(lines):
        fence = _opening(lines[at])
        if fence is None:
            above.append(lines[at])
            at += 1
            continue
        start = at
        code: list[str] = []
        closed = False
        at += 1
        while at < len(lines) and not closed:
            line = fence.unquote(lines[at])
            if line is None:
                break
            closed = fence.closes(line)
            if not closed:
                code.append(line)
            at += 1
        yield Block(
            number=number,
            first_line=first_line + start,
            last_line=first_line + start + len(code),
            info=fence.info,
            source="".join(f"{line}\n" for line in fence.dedent(code)),
            closed=closed,
            above=tuple(above),
        )
        above = []
        number += 1


def _opening(line: str) -> _Fence | None:
    if "```" not in line and "~~~" not in line:
        return None
    match = _OPENING.match(line)
    if match is None:
        return None
    quotes = match["lead"].count(">")
    inside = match["lead"].rpartition(">")[2]
    return _Fence(
        mark=match["mark"] or match["tilde"],
        info=match["info"].strip(),
        quotes=quotes,
        indent=_width(inside.removeprefix(" ") if quotes else inside),
    )


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _width(lead: str) -> int:
    return len(lead.expandtabs(_TAB))


def _without(line: str, indent: int) -> str:
    """The line without its first columns of white space; a tab that sticks out leaves spaces."""
    column = position = 0
    while column < indent and position < len(line) and line[position] in " \t":
        column += _TAB - column % _TAB if line[position] == "\t" else 1
        position += 1
    return " " * max(0, column - indent) + line[position:]
