"""JSON that a server says, read under a guard: depth, count and numbers are bounded before anything is made of them.

The rule: a value nested too deep, a number beyond ``schema/numbers.py``'s ``MOST`` either way, and what JSON does not
have (``Infinity``) are read as NaN, which passes for nothing that anybody looks for, and everything else of the text
stays; a text with too many values is refused whole. In linear time, without recursion beyond ``MAX_DEPTH``. Pure.
"""

from __future__ import annotations

import json
import re
from math import nan
from typing import Any

from pytest_llmbench.schema.numbers import MOST
from pytest_llmbench.text import is_short_line

MAX_DEPTH = 50
MAX_PARTS = 1_000_000
"""Strings, brackets and commas of one text: about four for each value that has a name."""

_LONGEST_NUMBER = 400
_PART = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""Takes a string without an end to the text's end: no part of the text is looked at twice."""


def read_json(text: str) -> Any:
    """The value of a JSON text, with NaN in place of what is out of bounds; raises ``ValueError``."""
    if _may_be_deep(text) or len(text) > MAX_PARTS:
        text = _shallow(text)
    return _DECODER.decode(text)


def short(value: object, limit: int) -> str:
    """The value, if it is a text of at most ``limit`` characters that can be shown on one line; else empty."""
    return value if is_short_line(value, limit) else ""


def _may_be_deep(text: str) -> bool:
    """False where there are too few brackets, those inside of strings included, to be nested too deep."""
    return text.count("{") + text.count("[") > MAX_DEPTH


def _shallow(text: str) -> str:
    """The text with ``NaN`` in place of each object and list below ``MAX_DEPTH``; raises ``ValueError``."""
    kept: list[str] = []
    depth = begin = 0
    for number, part in enumerate(_PART.finditer(text)):
        if number >= MAX_PARTS:
            raise ValueError(f"more than {MAX_PARTS} values, strings and brackets in one JSON text")
        character = text[part.start()]
        if character in "{[":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += (text[begin : part.start()], "NaN")
        elif character in "}]":
            depth -= 1
            if depth == MAX_DEPTH:
                begin = part.end()
    if depth > MAX_DEPTH:
        raise ValueError("a JSON text that ends inside of its brackets")
    return "".join([*kept, text[begin:]])


def _whole_number(digits: str) -> int | float:
    if len(digits) > len(str(-MOST)):
        return nan
    return number if abs(number := int(digits)) <= MOST else nan


def _number(digits: str) -> float:
    if len(digits) > _LONGEST_NUMBER:
        return nan
    return number if abs(number := float(digits)) <= MOST else nan


_DECODER = json.JSONDecoder(parse_int=_whole_number, parse_float=_number, parse_constant=lambda _: nan)
