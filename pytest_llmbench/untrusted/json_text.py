"""JSON that somebody else may have written: UTF-8, bounded in depth and count, with finite and bounded numbers."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

MOST_DEPTH = 100
MOST_VALUES = 1_000_000
GREATEST = 1e100
"""Of numbers, with either sign."""

_TOO_GREAT = re.compile(rb"[0-9]{100}|[0-9][eE]\+?[0-9]{3}")
"""Written without exponent, or with one of three digits; ``e-300`` is small, and fine."""
_NOT_FINITE = re.compile(rb"NaN|Infinity")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = [0] * 256
for _bracket, _step in ((b"[", 1), (b"{", 1), (b"]", -1), (b"}", -1)):
    _STEPS[_bracket[0]] = _step


def parse(data: bytes, *, most_values: int = MOST_VALUES) -> Any:
    """The value that a text of JSON means; raises ``ValueError`` saying what is wrong with it.

    Nothing is built before the text is known to be bounded: a parser would use up the stack, or memory many times the
    size of the text.
    """
    # Escaped backslashes first, so that a quote after one of them is seen as the end of its string.
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 4 * most_values:
        raise ValueError(f"more than {2 * most_values} texts")
    outside = b"".join(plain.split(b'"')[::2])
    if outside.count(b",") > most_values:
        raise ValueError(f"more than {most_values} values")
    if max(accumulate(map(_STEPS.__getitem__, outside.translate(None, _NO_BRACKETS))), default=0) > MOST_DEPTH:
        raise ValueError(f"nested deeper than {MOST_DEPTH} levels")
    if _NOT_FINITE.search(outside):
        raise ValueError("a number that is not finite")
    if _TOO_GREAT.search(outside):
        raise ValueError(f"a number beyond {GREATEST:g}")
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None
