"""File names as models write them around and inside a code block. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from pytest_llmbench.extraction.languages import info_pieces, looks_like_file

_TRIM = "*`\"'()[]{}<>,;:!?"
_ABSOLUTE = re.compile(r"/|~|[A-Za-z]:")

_HEADING = re.compile(r"\s*(?:#{1,6}\s|\*\*)")
_WORD = re.compile(r"[^\W\d_]+")
_NAMING_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a and as below code complete content contents corrected create entire file filename final fixed following for
        full here in implementation is it js module name new of path py refactored revised rewritten s save script
        solution source step the this to updated version whole with write your
        """,
    )
)
_USE_WORDS = {"demo", "example", "examples", "run", "test", "tests", "testing", "usage", "use"}

_COMMENT = re.compile(r"\s*+(?:#+(?!!)|//+!?|--|;+|/\*+|<!--|%)(?P<body>.*)")
_COMMENT_LABEL = re.compile(r"(?:file(?:\s?name)?|path)\s*[:=]\s*", re.IGNORECASE)
_REST = re.compile(r"\s*[-:(|\u2013\u2014]")
_LONGEST = 200
"""Longer lines name no file."""
_MOST_LINES = 200
"""So many lines above a block are looked at."""


@dataclass(frozen=True, slots=True)
class Name:
    """A file name found near a block."""

    text: str
    """As it was written."""
    wanted: str | None
    """The expected file that it means; None: a file that nobody asked for."""


class Wanted:
    r"""The files that a task expects, and which of them a written name means.

    A name means a file when both are equal, or when one is the end of the other at a ``/`` and that holds for
    one expected file only: ``main.rs`` and ``crate/src/main.rs`` mean ``src/main.rs``, ``tests/main.rs`` does not.
    ``\`` reads as ``/``, a leading ``./`` as nothing; absolute names and names with ``..`` mean no file.
    """

    def __init__(self, expected: Sequence[str]) -> None:
        self.names = tuple(dict.fromkeys(expected))
        self._paths = {name: _clean(name) for name in self.names}

    def resolve(self, written: str) -> str | None:
        """The expected file that a written name means."""
        path = _clean(written)
        if not path or _ABSOLUTE.match(path) or ".." in PurePosixPath(path).parts:
            return None
        equal = [name for name, own in self._paths.items() if own == path]
        if equal:
            return equal[0]
        ends = [name for name, own in self._paths.items() if own.endswith("/" + path) or path.endswith("/" + own)]
        return ends[0] if len(ends) == 1 else None

    def in_info(self, info: str) -> Name | None:
        """The file named in an info string: ``python top_k.py``, ``python title="top_k.py"``, ``js:queue.js``."""
        return self._only(info_pieces(info[:_LONGEST]))

    def above(self, lines: Sequence[str]) -> Name | None:
        """The file named above a block: the last line of text, or the last heading or bold line before it.

        Such a line holds one file name and, beside it, only words like "file", "the updated" or "here is".
        """
        texts = [line for line in lines[-_MOST_LINES:] if line.strip()]
        for position, line in enumerate(reversed(texts)):
            if position == 0 or _HEADING.match(line):
                name = self._in_line(line)
                if name is not None:
                    return name
        return None

    def mentioned(self, lines: Sequence[str]) -> str | None:
        """The one expected file that the last line of text above a block speaks of, whatever else it says."""
        last = next((line for line in reversed(lines) if line.strip()), "")
        name = self._only(_line_tokens(last))
        return name.wanted if name else None

    def in_comment(self, source: str) -> Name | None:
        """The file named by a comment in the first line of code, or in the second below ``#!``."""
        for line in _first_lines(source):
            if line.startswith("#!"):
                continue
            return self._in_comment_line(line, alone=False)
        return None

    def several_in(self, source: str) -> bool:
        """Whether more than one expected file has a comment line to itself, anywhere in the code."""
        if sum(path.rpartition("/")[2] in source for path in self._paths.values()) <= 1:
            return False
        names = (self._in_comment_line(line, alone=True) for line in source.split("\n"))
        return len({name.wanted for name in names if name and name.wanted}) > 1

    def _in_line(self, line: str) -> Name | None:
        tokens = list(_line_tokens(line))
        name = self._only(tokens)
        if name is None:
            return None
        if name.wanted is None and "`" not in line and "/" not in name.text:
            return None  # "### Node.js" is a title
        others = (token for token in tokens if token != name.text)
        words = {word for token in others for word in _WORD.findall(token.lower())}
        return name if words <= _NAMING_WORDS else None

    def _in_comment_line(self, line: str, *, alone: bool) -> Name | None:
        match = _COMMENT.match(line[:_LONGEST])
        if match is None:
            return None
        body = match["body"].removesuffix("-->").removesuffix("*/").strip(" \t=*~#-")
        body = _COMMENT_LABEL.sub("", body, count=1)
        first, _, rest = body.partition(" ")
        name = self._only([first.strip(_TRIM)])
        if name is None or (rest and (alone or not (_REST.match(rest) or first.endswith(":")))):
            return None
        return None if _USE_WORDS & set(_WORD.findall(rest.lower())) else name

    def _only(self, tokens: Iterable[str]) -> Name | None:
        """The one file among some words; None when there is none or more than one."""
        found: dict[str, Name] = {}
        for token in tokens:
            wanted = self.resolve(token)
            if wanted is not None or looks_like_file(token):
                found.setdefault(wanted or token, Name(token, wanted))
        return next(iter(found.values())) if len(found) == 1 else None


def _clean(name: str) -> str:
    path = name.strip().replace("\\", "/")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def _line_tokens(line: str) -> Iterator[str]:
    if len(line) <= _LONGEST:
        for word in line.replace("](", " ").split():
            token = word.rstrip(".").strip(_TRIM).rstrip(".")
            if token:
                yield token


def _first_lines(source: str) -> Iterator[str]:
    """The first two lines that are not blank."""
    return islice((line for line in source[: 4 * _LONGEST].split("\n") if line.strip()), 2)
