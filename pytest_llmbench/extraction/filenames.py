"""File names as models write them around and inside a code block. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from pytest_llmbench.extraction.invisible import visible
from pytest_llmbench.extraction.languages import looks_like_file

_TRIM = "*`\"'()[]{}<>,;:!?"
_ABSOLUTE = re.compile(r"/|~|[A-Za-z]:")

_HEADING = re.compile(r"\s*(?:#{1,6}\s|\*\*)")
_WORD = re.compile(r"[^\W\d_]+")
_NAME_MARKS = "_./\\-~+@$%&"
"""What a name may hold beside letters and digits; expected names may bring more."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Letters of scripts that put no space beside a name: Thai to Khmer, kana, Han, Hangul and its particles."""
_LATIN = re.compile(r"[a-z\u00c0-\u024f]")
_ESCAPED = re.compile(r"\\(?=[_*.\-\[\](){}#+~])")
"""Markdown's backslash before a character that it would else read."""
_NAMING_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a and as at below changed code complete content contents corrected create created edited entire file filename
        filepath final fixed following for full here in implementation is it js language modified module name new of
        original path pathname py refactored revised rewritten s save script solution source step the this title to
        updated version whole with write written your
        """,
    )
)
_USE_WORDS = {"demo", "example", "examples", "run", "test", "tests", "testing", "usage", "use"}

_COMMENT = re.compile(
    r"""\s*+(?:#+(?!!)|//+!?|--+(?:\[\[)?|;+|/\*+|<!--+|%+|\(\*|\{-|'(?!''?)|r?\"{3}|r?'{3})(?P<body>.*)"""
)
_OPENER = re.compile(r"""\s*+(?:/\*+|<!--+|--\[\[|\(\*|\{-|r?\"{3}|r?'{3}|=begin|<\?php|['"]use strict['"];?)\s*\Z""")
"""A line that begins a comment, or comes before one, and holds nothing else."""
_ENDS = ("-->", "*/", "--]]", "*)", "-}", '"""', "'''")
_LABEL_END = re.compile(r"[:=]\s*[\"'`*]*\Z|\b(?:file|filename|filepath)\s+[\"'`*]*\Z", re.IGNORECASE)
"""How a label such as ``New file:`` ends, right before the name."""
_REST = re.compile(r"\s*[-:(|\u2013\u2014]")
_LABELLED = re.compile(r"\W*(?P<label>[^\W\d]+)\W{0,4}:\W*(?P<name>\S+)\W*\Z")
"""``Datei: a.py``, in any language."""
_NO_LABELS = _USE_WORDS | {"error", "import", "imports", "input", "needs", "output", "requires", "see", "tests", "uses"}
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
        letters = "".join(self.names)
        kept = re.escape("".join(sorted({*_NAME_MARKS, *(each for each in letters if not each.isspace())})))
        unspaced = "" if re.search(f"[{_UNSPACED}]", letters) else _UNSPACED
        self._token = re.compile(f"(?:(?![{unspaced}])[\\w{kept}])+" if unspaced else f"[\\w{kept}]+")

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
        return self._only(self._tokens(info[:_LONGEST]))

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
        name = self._only(self._tokens(last))
        return name.wanted if name else None

    def in_comment(self, source: str) -> Name | None:
        """The file named by the comment that the code begins with, in its first line or below ``#!`` or ``/*``."""
        opened = False
        for line in _first_lines(source):
            if line.startswith("#!") or (_OPENER.match(line) and not opened):
                opened = opened or not line.startswith("#!")
                continue
            return self._in_comment_line(line, alone=False, opened=opened)
        return None

    def alone_in(self, line: str) -> Name | None:
        """The expected file whose name is all that a line holds, a label such as ``File:`` aside."""
        if len(line) > _LONGEST or _COMMENT.match(line):
            return None
        name = self._in_comment_line(f"# {line}", alone=True)
        return name if name is not None and name.wanted is not None else None

    def several_in(self, source: str) -> bool:
        """Whether more than one expected file has a comment line to itself, anywhere in the code."""
        if sum(path.rpartition("/")[2] in source for path in self._paths.values()) <= 1:
            return False
        names = (self._in_comment_line(line, alone=True) for line in source.split("\n"))
        return len({name.wanted for name in names if name and name.wanted}) > 1

    def _in_line(self, line: str) -> Name | None:
        tokens = list(self._tokens(line))
        name = self._only(tokens)
        if name is None:
            return None
        if name.wanted is None and "`" not in line and "/" not in name.text:
            return None  # "### Node.js" is a title
        if _words_of(token for token in tokens if token != name.text) <= _NAMING_WORDS:
            return name
        label = _LABELLED.match(_plain(line))
        if label is None or name.wanted is None or {label["label"].lower()} & _NO_LABELS:
            return None
        return name if self._only([_trimmed(label["name"])]) == name else None

    def _in_comment_line(self, line: str, *, alone: bool, opened: bool = False) -> Name | None:
        """The file that a comment begins with, or that a label before it announces.

        ``alone``: and that nothing follows; ``opened``: the line is inside a comment that began above it.
        """
        line = _plain(line[:_LONGEST])
        match = _COMMENT.match(line)
        if match is None and not opened:
            return None
        body = (match["body"] if match else line).strip(" \t")
        for end in _ENDS:
            body = body.removesuffix(end)
        body = body.strip(" \t=*~#-")
        for found in self._token.finditer(body):
            name = self._only([_trimmed(found.group())])
            if name is not None:
                break
        else:
            return None
        before, rest = body[: found.start()], body[found.end() :].lstrip("\"'`*)]>")
        rest = rest if not found.group().endswith(".") or rest else ""
        if _words_of(_WORD.findall(before)) - _NAMING_WORDS or (
            (alone or name.wanted is None) and not _announces(before)
        ):
            return None
        if rest and (alone or not _REST.match(rest)):
            return None
        return None if _USE_WORDS & _words_of([rest]) else name

    def _tokens(self, line: str) -> Iterator[str]:
        """The words of a line that could be names; none of a line that is too long."""
        if len(line) <= _LONGEST:
            yield from filter(None, map(_trimmed, self._token.findall(_plain(line))))

    def _only(self, tokens: Iterable[str]) -> Name | None:
        """The one file among some words; None when there is none or more than one."""
        found: dict[str, Name] = {}
        for token in tokens:
            wanted = self.resolve(token) or self.resolve(token.strip("_"))
            if wanted is not None or (looks_like_file(token) and not token.startswith("//")):
                found.setdefault(wanted or token, Name(token, wanted))
        return next(iter(found.values())) if len(found) == 1 else None


def _clean(name: str) -> str:
    path = name.strip().replace("\\", "/")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def _plain(line: str) -> str:
    """A line freed of Markdown's backslashes, of invisible characters, and of letters in other forms (\uff1a for :)."""
    return _ESCAPED.sub("", unicodedata.normalize("NFKC", visible(line)))


def _trimmed(token: str) -> str:
    return token.rstrip(".").strip(_TRIM).rstrip(".")


def _words_of(texts: Iterable[str]) -> set[str]:
    """The words in some texts that have to be known: those in Latin letters."""
    return {word for text in texts for word in _WORD.findall(text.lower()) if _LATIN.match(word)}


def _announces(before: str) -> bool:
    """Whether what stands before a name is nothing, or a label."""
    return not before.strip(" \t\"'`*([<") or bool(_LABEL_END.search(before))


def _first_lines(source: str) -> Iterator[str]:
    """The first lines that are not blank."""
    return islice((line for line in source[: 4 * _LONGEST].split("\n") if line.strip()), 3)
