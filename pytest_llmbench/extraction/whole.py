"""A reply that is source code as a whole, without an opening fence. Pure."""

from __future__ import annotations

import re

from pytest_llmbench.extraction import syntax
from pytest_llmbench.extraction.candidates import unescaped
from pytest_llmbench.extraction.extraction import Extraction, Taken
from pytest_llmbench.extraction.fences import late_opening, opening
from pytest_llmbench.extraction.filenames import Wanted
from pytest_llmbench.extraction.headings import headless
from pytest_llmbench.extraction.invisible import visible
from pytest_llmbench.extraction.languages import language_of_file
from pytest_llmbench.extraction.tokens import ends_turn, only_remains, without_tokens

_MARK = re.compile(r"^[ \t]{0,8}(?:~{3,}|`{3,})(?=[a-z])", re.MULTILINE)
"""A fence with a label at the start of a line."""
_TAG_LINE = re.compile(r"\s*<[\w ]{1,40}>\s*\Z")


def whole_reply(text: str, wanted: Wanted) -> Extraction | None:
    """The reply as one file, or what is above the end of the turn, or above the last fence and prose below it."""
    parts = dict.fromkeys((text, _first_turn(text), _above_last_fence(text)))
    return next((found for part in parts if (found := _whole(part, wanted)) is not None), None)


def _whole(text: str, wanted: Wanted) -> Extraction | None:
    """The reply as one file without any fence, if it is beyond doubt the source of exactly one expected file.

    A closing fence and tokens below it, and a label or a name above it, are no part of it.
    """
    source, left = _bare(text)
    first = next((line for line in source.split("\n") if line.strip() and not _TAG_LINE.match(line)), "")
    if opening(first) or late_opening(first):
        return None  # three backquotes are a template string to JavaScript
    languages = [language_of_file(name) for name in wanted.names]
    found = []
    for name, language in zip(wanted.names, languages, strict=True):
        if languages.count(language) == 1 and language in syntax.GRAMMARS:
            head = headless(source, language, wanted)
            code = unescaped(head.source, language)
            if syntax.is_file(code, language) and not _is_fenced(code, language):
                found.append((name, head, code))
    if len(found) != 1:
        return None
    ((name, head, code),) = found
    start = len(text) - len(text.lstrip("\n")) + 1 + head.lines
    why = f"whole reply parses as {language_of_file(name)}, no {'opening ' if left else ''}fence"
    taken = Taken(name, 0, start, start + head.source.count("\n") - 1, "", why)
    notes = (
        *(["a label at the head of the code is left out"] if head.lines else []),
        *(["HTML entities unescaped"] if code != head.source else []),
    )
    return Extraction({name: code}, (taken,), notes)


def _is_fenced(code: str, language: str) -> bool:
    """Whether a fence stands between its lines, outside of strings: to some languages it is an expression."""
    broken = _MARK.sub(")]}", code)
    return broken != code and not syntax.parses(broken, language)


def _first_turn(text: str) -> str:
    """The text up to the first line that ends the model's turn; all of it where there is none."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if ends_turn(line)), None)
    return text if not end else "\n".join(lines[: end + 1])


def _above_last_fence(text: str) -> str:
    """The text up to the last closing fence: what is below it may be prose; all of it where there is none."""
    at = text.rfind("\n```\n")
    return text if at < 0 else text[: at + 4]


def _bare(text: str) -> tuple[str, bool]:
    """A reply without the closing fence and the tokens at its end, and whether there was such a fence."""
    lines = text.strip("\n").split("\n")
    fence = False
    while lines and (not lines[-1].strip() or _is_end(lines[-1])):
        fence = fence or not only_remains(lines[-1].strip())
        lines.pop()
    if lines:
        lines[-1] = without_tokens(lines[-1])
    return "\n".join(lines) + "\n", fence


def _is_end(line: str) -> bool:
    """Whether a line holds a closing fence or tokens, and nothing else."""
    bare = visible(line).strip()
    rest = bare.lstrip("`") if bare.startswith("```") else bare.lstrip("~") if bare.startswith("~~~") else bare
    if rest == bare and not rest.startswith(("<", "[", "\u25c1")):
        return False
    return only_remains(rest)
