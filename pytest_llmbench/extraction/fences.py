"""Fenced code blocks: what a fence is, and a block with its lines. Pure.

The rules are CommonMark's, with five that models break all the time read kindly:

- a fence may be indented by any amount, in a list or not, with whatever white space, and beside invisible characters;
- code below an indented fence need not be indented with it, nor the closing fence: it keeps its shape;
- a fence inside an HTML element such as ``<answer>`` is a fence;
- behind a closing fence there may be a template's tokens, closing tags and punctuation;
- only a line without ``>`` ends a block inside a quote, nothing else ends one early.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llmbench.extraction.invisible import visible
from pytest_llmbench.extraction.tokens import begins_with_end, only_remains

_OPENING = re.compile(
    r"(?P<lead>(?:[ \t]*+(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])))*+[ \t]*+)"
    r"(?:(?P<mark>`{3,}+)(?=[^`]*+\Z)|(?P<tilde>~{3,}+))(?P<info>.*)"
)
_LATE = re.compile(r"(?P<mark>`{3,}+|~{3,}+)(?P<info>[^`~]*+)\Z")
"""A fence behind text, which ends its line but for the info string."""
_QUOTE = re.compile(r"[ \t]*+>[ ]?")
_TAB = 4
_LONGEST_INFO = 80
"""Characters behind a fence that stands behind text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. Lines are counted from 1, in the reply as it came."""

    number: int
    """Counted from 1."""
    first_line: int
    """The line of the opening fence, or that before the code; the code starts on the next one."""
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
    made_up: bool = False
    """Whether the model's turn was over before it: the next turn is of its own making."""
    note: str = ""
    """Why it begins or ends elsewhere than its fences say by the rules."""


@dataclass(frozen=True, slots=True)
class Fence:
    """An opening fence, and what its lines look like."""

    mark: str
    info: str
    quotes: int
    indent: int

    def behind(self, line: str) -> str | None:
        """What stands in a line behind a fence that could close this one, at its start; None where there is none."""
        if self.mark not in line:
            return None
        plain = visible(line)
        bare = plain.strip()
        rest = bare.lstrip(self.mark[0])
        if len(bare) - len(rest) < len(self.mark) or _width(_lead(plain)) >= self.indent + 4:
            return None
        return rest

    def closes(self, line: str) -> bool:
        """Whether a line, freed of quote marks, is this fence's closing one."""
        rest = self.behind(line)
        return rest is not None and (not rest or only_remains(rest) or begins_with_end(rest))

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


def may_hold_fence(line: str) -> bool:
    """Whether a line is worth a closer look."""
    return "```" in line or "~~~" in line


def opening(line: str) -> Fence | None:
    """The fence that a line begins with, white space, quote marks and bullets aside."""
    if not may_hold_fence(line):
        return None
    match = _OPENING.match(visible(line))
    if match is None:
        return None
    quotes = match["lead"].count(">")
    inside = match["lead"].rpartition(">")[2]
    return Fence(
        mark=match["mark"] or match["tilde"],
        info=match["info"].strip(),
        quotes=quotes,
        indent=_width(inside.removeprefix(" ") if quotes else inside),
    )


def late_opening(line: str) -> tuple[str, Fence] | None:
    """The text before a fence that ends its line, and that fence: ``Here it is: ```python``."""
    if not may_hold_fence(line):
        return None
    plain = visible(line).rstrip()
    at = max(plain.rfind("```"), plain.rfind("~~~"))
    while at > 0 and plain[at - 1] == plain[at]:
        at -= 1
    match = _LATE.match(plain, at)
    if match is None or at == 0 or len(match["info"]) > _LONGEST_INFO or plain.count("```", 0, at) % 2:
        return None
    return plain[:at], Fence(match["mark"], match["info"].strip(), 0, 0)


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
