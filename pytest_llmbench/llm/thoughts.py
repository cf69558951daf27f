"""Telling a model's thought from its answer where the server left both in one text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAIRS = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]"}
_CHANNEL_TAG = re.compile(r"(?<!`)<\|(?:channel|message|start)\|>")
"""Tags of a chat template; between backquotes somebody writes about them."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


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
    closing tag alone ends a thought that the chat template had opened, so all before it is thought.
    """
    if "<" not in text and "[" not in text:
        return Separated(text)
    reader = _Reader()
    for line in text.splitlines(keepends=True):
        reader.read(line)
    leak = reader.leak or reader.opened
    if leak:
        return Separated(text, leak=leak)
    if not reader.thought:
        return Separated(text)
    return Separated("".join(reader.answer).lstrip("\n"), "".join(reader.thought).strip())


class _Reader:
    """Where in a reply the reading of its lines has come to."""

    def __init__(self) -> None:
        self.answer: list[str] = []
        self.thought: list[str] = []
        self.opened = ""
        """The tag of the thought being read."""
        self.leak = ""
        self._fence = ""

    def read(self, line: str) -> None:
        """Take one line, which may hold several tags."""
        while line:
            line = self._rest_of_thought(line) if self.opened else self._rest_of_answer(line)

    def _rest_of_thought(self, line: str) -> str:
        """What stands after the end of the thought; empty: it goes on."""
        inside, closing, after = line.partition(_PAIRS[self.opened])
        self.thought.append(inside)
        if closing:
            self.opened = ""
        return after

    def _rest_of_answer(self, line: str) -> str:
        """What stands after a tag that begins or ends a thought; empty: all of it was answer."""
        if not self._in_fence(line):
            stripped = line.strip()
            for opening, closing in _PAIRS.items():
                if stripped.startswith(opening):
                    self.opened = opening
                    return line.partition(opening)[2]
                if stripped.startswith(closing) or stripped.endswith(closing):
                    before, _, after = line.partition(closing)
                    self.thought += [*self.answer, before]
                    self.answer = []
                    return after
            if tag := _CHANNEL_TAG.search(line):
                self.leak = self.leak or tag.group()
        self.answer.append(line)
        return ""

    def _in_fence(self, line: str) -> bool:
        """True for a line of a fenced code block, its two fences included."""
        mark = _FENCE.match(line)
        if self._fence:
            if mark and mark[1].startswith(self._fence) and not mark[2].strip():
                self._fence = ""
            return True
        if mark:
            self._fence = mark[1]
            return True
        return False
