r"""Text of unknown origin: made printable, kept from acting, bounded. Standard library only: pytest loads it at start.

Not printable is what ``str.isprintable`` says: control characters, bidi overrides, lone surrogates, unassigned code
points, line and paragraph separators, every blank but the common one. Each becomes its escape, such as ``\x1b``.
"""

from __future__ import annotations

import re
from typing import TypeGuard

MESSAGE_CHARS = 300
BODY_CHARS = 500
_TAB = 4
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORKFLOW_COMMAND = re.compile(r"(?m)^( *):(?=:[\w-][^\n]*::)")


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with what is not printable escaped, except for the characters in ``keep``.

    Nothing is kept for a line on a terminal; ``"\n"`` where a text may have lines; ``"\n\t"`` where it is shown as
    source is, on a page or in a record.
    """
    rest = text
    for character in keep:
        rest = rest.replace(character, "")
    if rest.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def is_short_line(value: object, limit: int) -> TypeGuard[str]:
    """True for a text that can be shown as it is: printable, on one line of at most ``limit`` characters."""
    return isinstance(value, str) and len(value) <= limit and value.isprintable()


def sanitize(text: str) -> str:
    """Lines for a terminal that may be a CI log: printable, tabs as blanks, and no workflow commands.

    What GitHub's runner would take for a command to itself (``::add-mask::``, ``##[error]``) is broken up.
    """
    shown = printable(text.expandtabs(_TAB), keep="\n")
    return _WORKFLOW_COMMAND.sub(r"\1\\x3a", shown).replace("##[", r"#\x23[")


def one_line(text: str, limit: int = MESSAGE_CHARS) -> str:
    """The text on one line of at most ``limit`` characters, printable."""
    return _shorten(printable(" ".join(text[: 4 * limit].split())), limit)


def excerpt(text: str, limit: int = BODY_CHARS) -> str:
    """The start of the text, at most ``limit`` characters: printable, with its line breaks and tabs."""
    return _shorten(printable(text[: limit + 1], keep="\n\t"), limit)


def without_numbers(text: str) -> str:
    """The text with every number as ``N``: equal for messages of one cause that count or measure something."""
    return _NUMBER.sub("N", text)


def bounded(text: str, limit: int) -> str:
    """The first ``limit`` characters of a longer text, and how many are missing."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
