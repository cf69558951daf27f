"""Text of others in our messages: shortened, harmless on a terminal, without secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MESSAGE_CHARS = 300
BODY_CHARS = 500
_SHORTEST_SECRET = 6


def one_line(text: str, limit: int = MESSAGE_CHARS) -> str:
    """The text on one line of at most ``limit`` characters, control characters escaped."""
    return _cut(escaped(" ".join(text[: 4 * limit].split())), limit)


def excerpt(text: str, limit: int = BODY_CHARS) -> str:
    """The start of the text with its line breaks and tabs, other control characters escaped."""
    return _cut("".join(each if each in "\n\t" else escaped(each) for each in text[: limit + 1]), limit)


def escaped(text: str) -> str:
    r"""The text with everything that is not printable written as an escape, such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with ``***`` in place of each secret; very short ones are left, they would hit ordinary words."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
