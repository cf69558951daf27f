"""Whether a text that was cut off was going round in circles. Pure."""

from __future__ import annotations

_TAIL_CHARS = 4000
_LEAST_TIMES = 8
_LEAST_CHARS = 200
_BLANK_CHARS = 1000
"""Lines of code hold blanks: they count as endless later only."""


def repeated(text: str) -> tuple[str, int] | None:
    """What the end of the text repeats, and how often in a row; None: it does not.

    Looks at the last 4,000 characters only. A part counts from 8 times and 200 characters on, all in all.
    """
    tail = text[-_TAIL_CHARS:]
    if not tail:
        return None
    size = _period(tail[::-1])
    if size is None:
        return None
    times = _run(tail, size) // size
    part = tail[-size:]
    least = _LEAST_CHARS if part.strip() else _BLANK_CHARS
    return (part, times) if times >= _LEAST_TIMES and times * size >= least else None


def _run(tail: str, size: int) -> int:
    """Length of the longest end of the text in which every character equals the one ``size`` before it."""
    length = size
    while length < len(tail) and tail[-1 - length] == tail[size - 1 - length]:
        length += 1
    return length


def _period(backwards: str) -> int | None:
    """The shortest period of a beginning that is long enough, by the failure function of Knuth, Morris and Pratt."""
    borders, border = [0] * len(backwards), 0
    for index in range(1, len(backwards)):
        while border and backwards[index] != backwards[border]:
            border = borders[border - 1]
        border += backwards[index] == backwards[border]
        borders[index] = border
        size = index + 1 - border
        if index + 1 >= max(_LEAST_CHARS, _LEAST_TIMES * size):
            return size
    return None
