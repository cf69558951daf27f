"""Characters that are not seen and still part a mark from its place. Pure."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\x00-\x08\x0e-\x1b\x7f]"
)
_BLANK = re.compile(r"[^\S\t\n]")
"""White space in Unicode's sense, such as a no-break space."""


def visible(line: str) -> str:
    """A line without its invisible characters, and with plain spaces where others of that kind stand."""
    return line if line.isascii() and line.isprintable() else _BLANK.sub(" ", _INVISIBLE.sub("", line))
