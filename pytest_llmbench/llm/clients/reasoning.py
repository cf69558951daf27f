"""Telling a model's thought from its answer where the server left both in one text. Pure, linear in its length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llmbench.llm.clients import thought_tags
from pytest_llmbench.llm.clients.thought_tags import Family

_CHANNEL_TAG = re.compile(r"(?<!`)<\|(?:channel|message|start)\|>")
"""Tags of a chat template; between backquotes somebody writes about them."""
_FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+)(.*)")
_BEHIND_FENCE = re.compile(r"\s*(?:<[^<>]{1,60}>\s*)*\Z")
"""What may stand behind a closing fence: tokens and tags."""
_ENDS = r"\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
"""What ends a line for ``str.splitlines``."""
_END = rf"(?:\r\n|[{_ENDS}])"
_NO_MARK = rf"(?:[^{_ENDS}<\[`~\u25c1]++|`(?!``)|~(?!~~))*+"
_LINE = re.compile(rf"(?:{_NO_MARK}{_END})++|[^{_ENDS}]*+{_END}?+")
"""One line; lines that can hold neither a tag nor a fence are taken together."""
_BLANK = re.compile(r"\s*+")
_TAG_LINE = 40
"""Characters at most of a line that is a tag and nothing else."""
LONGEST = 4_000_000
"""Characters; a longer text is left whole. Replies are not read up to that length."""


@dataclass(frozen=True, slots=True)
class Separated:
    """A reply taken apart."""

    answer: str
    thought: str = ""
    leak: str = ""
    """The tag that shows an unparsed reply; ``answer`` is then the whole text."""


def separate(text: str) -> Separated:
    """Move closed thoughts out of a reply, and name the first tag that cannot be resolved.

    Tags count outside fenced code only, an opening one at the start of a line: code may well be about such tags. A
    closing tag alone ends a thought that the chat template had opened, so all before it is thought. Where the thought
    broke off within a block of code, the tag has its own line in it and the next block begins before that one ends. A
    text of more than ``LONGEST`` characters is left as it is.
    """
    if len(text) > LONGEST or not any(start in text for start in thought_tags.STARTS):
        return Separated(text)
    reader = _Reader(text)
    for line in _LINE.finditer(text):
        reader.read(*line.span())
    answer = _joined(text, reader.answer).lstrip("\n")
    leak = reader.leak or reader.opened or thought_tags.only_tokens(answer)
    if leak:
        return Separated(text, leak=leak)
    if not reader.thought:
        return Separated(text)
    return Separated(answer, _joined(text, reader.thought).strip())


_Spans = list[tuple[int, int]]
"""Stretches of a text, from and to."""


def _joined(text: str, spans: _Spans) -> str:
    return "".join(text[start:end] for start, end in spans)


class _Reader:
    """Where in a reply the reading of its lines has come to. It works with places: a line may hold 100 000 tags."""

    def __init__(self, text: str) -> None:
        self.answer: _Spans = []
        self.thought: _Spans = []
        self.opened = ""
        """The tag of the thought being read."""
        self._family: Family | None = None
        self._ended = False
        """Whether the model's turn is over: what follows is a turn that it made up."""
        self.leak = ""
        self._text = text
        self._fence = ""
        self._tag_in_code: int | None = None
        """Which of ``answer`` is the first line in this block of code that is a closing tag and nothing else."""

    def read(self, at: int, end: int) -> None:
        """Take one line, which may hold several tags."""
        last = at + len(self._text[at:end].rstrip())
        while at < end:
            at = self._rest_of_thought(at, end) if self.opened else self._rest_of_answer(at, last, end)

    def _rest_of_thought(self, at: int, end: int) -> int:
        """Where the thought ends; the end of the line: it goes on."""
        found = self._family.closing.search(self._text, at, end) if self._family else None
        if found is None:
            self.thought.append((at, end))
            return end
        self.thought.append((at, found.start()))
        self.opened, self._family = "", None
        return found.end()

    def _rest_of_answer(self, at: int, last: int, end: int) -> int:
        """The place behind a tag that begins or ends a thought; the end of the line: all of it was answer.

        ``last``: where the white space at the end of the line begins.
        """
        if not self._in_fence(at, end) and not self._ended:
            text = self._text
            first = self._first(at, end)
            if opened := thought_tags.opening_at(text, first, last):
                self._family, behind = opened
                self.opened = text[first:behind]
                return behind
            if found := thought_tags.closing_at(text, first, last) or thought_tags.closing_before(text, first, last):
                self.thought += [*self.answer, (at, found.start())]
                self.answer = []
                return found.end()
            if text.find("<", first, last) >= 0 and thought_tags.ends_turn(text, first, last):
                self._ended = any(not text[start:stop].isspace() for start, stop in self.answer) or text[first] != "<"
            if behind := thought_tags.harmless_token(text, first, last):
                self.answer.append((at, behind))
                return behind
            if tag := _CHANNEL_TAG.search(text, at, end):
                self.leak = self.leak or tag.group()
            self.leak = self.leak or thought_tags.foreign_token(text, first, last)
        self.answer.append((at, end))
        return end

    def _first(self, at: int, end: int) -> int:
        """The first place from ``at`` that is not white space."""
        blank = _BLANK.match(self._text, at, end)
        return blank.end() if blank else at

    def _in_fence(self, at: int, end: int) -> bool:
        """True for a line of a fenced code block, its two fences included."""
        mark = _FENCE.match(self._text, at, end)
        if mark and not self._fence:
            self._fence, self._tag_in_code = mark[1], None
        elif mark and mark[1].startswith(self._fence):
            if _BEHIND_FENCE.match(mark[2]):
                self._fence = ""
                self._ended = self._ended or thought_tags.ends_turn(self._text, mark.end(1), mark.end())
            elif self._tag_in_code is not None:  # another block begins before this one has ended
                self.thought += self.answer[: self._tag_in_code]
                del self.answer[: self._tag_in_code + 1]
                self._fence, self._tag_in_code = mark[1], None
        elif not self._fence:
            return False
        elif self._tag_in_code is None and thought_tags.is_closing(self._text[at : min(end, at + _TAG_LINE)]):
            self._tag_in_code = len(self.answer)
        return True
