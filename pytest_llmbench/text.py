r"""Text of unknown origin: made printable, kept from acting, bounded. Standard library only: pytest loads it at start.

Not printable is what ``str.isprintable`` says: control characters, bidi overrides, lone surrogates, unassigned code
points, line and paragraph separators, every blank but the common one. Each becomes its escape, such as ``\x1b``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeGuard

MESSAGE_CHARS = 300
BODY_CHARS = 500
_TAB = 4
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MOST_BITS = 14_000
"""Of an integer that is written with its digits: Python refuses those of more than 4300."""
_MOST_LEVELS = 200
"""Of a value that is shown."""
_SET_LEVELS = 4
_MOST_LEAVES = 3
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


def raised(error: BaseException) -> str:
    """Type and text of an exception on one line; of a group, those of what is in it."""
    leaves = list(dict.fromkeys(f"{type(each).__name__}: {each}" for each in _leaves(error)))
    more = f" and {len(leaves) - _MOST_LEAVES} more" if len(leaves) > _MOST_LEAVES else ""
    return one_line("; ".join(leaves[:_MOST_LEAVES]), MESSAGE_CHARS - len(more)) + more


def _leaves(error: BaseException) -> Iterator[BaseException]:
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseExceptionGroup):
            waiting[:0] = each.exceptions
        else:
            yield each


def excerpt(text: str, limit: int = BODY_CHARS) -> str:
    """The start of the text, at most ``limit`` characters: printable, with its line breaks and tabs."""
    return _shorten(printable(text[: limit + 1], keep="\n\t"), limit)


def without_numbers(text: str) -> str:
    """The text with every number as ``N``: equal for messages of one cause that count or measure something."""
    return _NUMBER.sub("N", text)


def bounded(text: str, limit: int) -> str:
    """The first ``limit`` characters of a longer text, and how many are missing."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more characters)"


def stable_repr(value: object, limit: int = BODY_CHARS) -> str:
    """The ``repr`` of a value: the same in every process, which sets have not, and of at most ``limit`` characters.

    Looks at no more of the value than it shows, but for sets, whose members it sorts. A value that cannot be shown, as
    an integer of too many digits or lists in more than 200 levels, is named by its type.
    """
    try:
        return _text_of(value, limit, _MOST_LEVELS)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__} that cannot be shown>"


def stable_order(member: object) -> tuple[bool, float, str]:
    """A sorting key for members of a set: numbers by value, then the rest by how they are shown."""
    return _order(member, stable_repr(member))


def _order(member: object, text: str) -> tuple[bool, float, str]:
    if isinstance(member, int | float) and member == member:  # noqa: PLR0124  # a nan has no place in an order
        with suppress(OverflowError):
            return False, float(member), text
    return True, 0.0, text


def _text_of(value: object, limit: int, levels: int) -> str:
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, limit, levels):
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            return f"{''.join(pieces)[:limit]}..."
    return "".join(pieces)


def _pieces(value: object, limit: int, levels: int) -> Iterator[str]:
    """The text of a value from its beginning. Raises ``RecursionError`` for one of more levels."""
    if levels <= 0:
        raise RecursionError
    kind = type(value)
    if isinstance(value, str | bytes) and kind in (str, bytes):
        yield repr(value[: limit + 1])
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        yield "<int that cannot be shown>"
    elif isinstance(value, dict) and kind is dict:
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield ", " if number else ""
            yield from _pieces(key, limit, levels - 1)
            yield ": "
            yield from _pieces(item, limit, levels - 1)
        yield "}"
    elif isinstance(value, list | tuple) and kind in (list, tuple):
        yield "[" if kind is list else "("
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(item, limit, levels - 1)
        yield "]" if kind is list else ",)" if len(value) == 1 else ")"
    elif isinstance(value, set | frozenset) and kind in (set, frozenset) and value:
        # Each member is put in words once: twice at each level would be without end. That takes some frames more.
        members = sorted(_order(member, _text_of(member, limit, levels - _SET_LEVELS)) for member in value)
        yield "{" if kind is set else "frozenset({"
        for number, (_, _, text) in enumerate(members):
            yield ", " if number else ""
            yield text
        yield "}" if kind is set else "})"
    else:
        yield repr(value)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
