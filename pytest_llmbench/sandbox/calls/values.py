"""Values as they cross the call channel: plain ones as JSON, all others as lists that begin with a tag.

None, booleans, integers of up to 2048 bits, finite floats, texts, lists and dictionaries with text keys only are their
own JSON form. The others::

    ["$tuple", 1, 2]   ["$set", 1, 2]   ["$frozenset", 1, 2]
    ["$dict", 1, "a", null, "b"]       a dictionary with other keys: key, value, key, value
    ["$int", "-ff"]                    a larger integer, hexadecimal: read and written in linear time
    ["$float", "nan"]                  or inf, -inf; JavaScript also has -0.0 here
    ["$complex", "0.0", "-inf"]        real and imaginary part
    ["$bytes", "00ff"]                 hexadecimal
    ["$list", "$tuple"]                a list whose first member would be taken for a tag

Only values of exactly these types cross, up to 400 levels of containers. A nan does not cross in a set or in a key:
another one is made on the other side, which is equal to none. Whatever is decoded may be forged, and what ``encode``
would not write is refused. What is made is no larger than the text that it is made of; members of sets and keys of
dictionaries are limited in number, and in how many of them have one hash, so that none of this takes more than linear
time.

Standard library only, and little of it: the driver in the sandbox loads this file by its path, before untrusted code.
"""

from __future__ import annotations

from itertools import groupby, islice

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take a third of the driver's own time
    from collections.abc import Collection
    from typing import Any

MOST_LEVELS = 400
PLAIN_BITS = 2048
"""Of an integer that is written in decimal: fewer digits than the least limit that Python can be set to."""
MOST_BITS = 400_000
MOST_MEMBERS = 100_000
"""Members of sets, and keys that are not JSON's, in one value."""
MOST_EQUAL_HASHES = 100_000
"""Pairs of them that have the same hash."""
_FEW = 32
"""Members whose hashes are not looked at."""
_LONGEST_FLOAT = 32
_LONGEST_KEY = 100
"""Characters of a key in a message."""
_EXACT = frozenset({type(None), bool, str})
"""Types whose every value is its own JSON form."""
_PLAIN = _EXACT | {int, float}
"""Types of what JSON gives besides lists and dictionaries."""
_TAGS: dict[type, str] = {list: "", tuple: "$tuple", set: "$set", frozenset: "$frozenset", dict: ""}
_SETS = frozenset({"$set", "$frozenset"})
_SCALARS = frozenset({"$int", "$float", "$complex", "$bytes"})


class CannotCrossError(Exception):
    """A value that cannot be encoded."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = ""
        """The place in the whole value, as ``[1]['a']``."""

    def __str__(self) -> str:
        return f"{self.what} at {self.where}" if self.where else self.what


class MalformedError(Exception):
    """What ``encode`` would not have written."""


class _Members:
    """The members of sets, and keys, that one value may still have."""

    def __init__(self) -> None:
        self._members = MOST_MEMBERS
        self._pairs = MOST_EQUAL_HASHES

    def excess(self, members: Collection[Any]) -> str:
        """Count these. What is too much, in words, or nothing."""
        self._members -= len(members)
        if self._members < 0:
            return f"more than {MOST_MEMBERS} members of sets or keys"
        if len(members) > _FEW:
            for _, equal in groupby(sorted(map(hash, members))):
                count = sum(1 for _ in equal)
                self._pairs -= count * (count - 1) // 2
        return "too many members with one hash" if self._pairs < 0 else ""


def encode(value: Any, *, plain_bits: int = PLAIN_BITS, without: Collection[type] = ()) -> Any:
    """The JSON value for a value. Raises ``CannotCrossError``, and ``RecursionError`` for too many levels.

    ``plain_bits``: of the largest integers that the other side reads exactly. ``without``: types that it does not have.
    """
    budget = _Members()
    large = 1 << plain_bits

    def encoded(value: Any, above: tuple[int, ...], *, hashed: bool) -> Any:
        """One frame for each level: whoever calls may have used up much of the stack."""
        kind = type(value)
        if kind in without:
            raise CannotCrossError(kind.__name__)
        if kind not in _TAGS:
            return _encoded_scalar(value, plain_bits, hashed=hashed)
        if len(above) >= MOST_LEVELS:
            raise RecursionError
        if id(value) in above:
            raise CannotCrossError(f"{kind.__name__} that contains itself")
        above = (*above, id(value))
        if kind is dict:
            value = value.copy()  # which other threads do not change
        tag, members = _taken_apart(value)
        if (tag in _SETS or tag == "$dict") and (excess := budget.excess(value if kind is dict else members)):
            raise CannotCrossError(excess)
        parts: list[Any] = [tag] if tag else []
        for index, item in enumerate(members):
            kind_of_item = type(item)
            if (
                kind_of_item in _EXACT
                or (kind_of_item is int and -large < item < large)
                or (kind_of_item is float and item - item == 0)
            ):
                parts.append(item)
                continue
            try:
                parts.append(encoded(item, above, hashed=hashed or _is_hashed(tag, index)))
            except CannotCrossError as error:
                error.where = _place(tag, index, value) + error.where
                raise
        return dict(zip(value, parts, strict=True)) if kind is dict and not tag else parts

    return encoded(value, (), hashed=False)


def may_have_tags(text: str) -> bool:
    """Whether any text in this JSON begins as a tag does. Where none does, each value stands for itself."""
    return '"$' in text or r'"\u0024' in text


def decode(wire: Any) -> Any:
    """The value that a JSON value stands for. Raises ``MalformedError`` for what ``encode`` would not write."""
    budget = _Members()

    def decoded(wire: Any, *, hashed: bool) -> Any:
        kind = type(wire)
        if kind is dict:
            if hashed:
                raise MalformedError("a dictionary in a set or a key")
            tag, members = "", list(wire.values())
        elif kind is list:
            tag = wire[0] if wire and type(wire[0]) is str and wire[0][:1] == "$" else ""
            members = wire[1:] if tag else wire
            if tag in _SCALARS:
                return _decoded_scalar(tag, members, hashed=hashed)
            if hashed and tag not in ("$tuple", "$frozenset"):
                raise MalformedError("what cannot be hashed in a set or a key")
        else:
            return wire
        parts = []
        for index, part in enumerate(members):
            is_hashed = hashed or _is_hashed(tag, index)
            parts.append(part if type(part) in _PLAIN else decoded(part, hashed=is_hashed))
        return dict(zip(wire, parts, strict=True)) if kind is dict else _put_together(tag, parts, budget)

    return decoded(wire, hashed=False)


def _taken_apart(value: Any) -> tuple[str, list[Any]]:
    """The tag of a container, and what is in it; of a dictionary with text keys the values alone."""
    kind = type(value)
    if kind is dict:
        if {str}.issuperset(map(type, value)):
            return "", list(value.values())
        return "$dict", [part for pair in value.items() for part in pair]
    members = list(value)
    if kind is list and members and type(members[0]) is str and members[0][:1] == "$":
        return "$list", members
    return _TAGS[kind], members


def _put_together(tag: str, parts: list[Any], budget: _Members) -> Any:
    if tag in ("", "$list"):
        return parts
    if tag == "$tuple":
        return tuple(parts)
    if tag not in _SETS and tag != "$dict":
        raise MalformedError("an unknown tag")
    keys = parts[::2] if tag == "$dict" else parts
    if excess := budget.excess(keys):
        raise MalformedError(excess)
    if tag == "$dict":
        if len(parts) % 2:
            raise MalformedError("a key without its value")
        whole: Any = dict(zip(keys, parts[1::2], strict=True))
    else:
        whole = set(parts) if tag == "$set" else frozenset(parts)
    if len(whole) != len(keys):
        raise MalformedError("equal members")
    return whole


def _encoded_scalar(value: Any, plain_bits: int, *, hashed: bool) -> Any:
    kind = type(value)
    if kind in _EXACT:
        return value
    if kind is int:
        bits = value.bit_length()
        if bits > MOST_BITS:
            raise CannotCrossError(f"int of {bits} bits")
        return value if bits <= plain_bits else ["$int", format(value, "x")]
    if kind is bytes:
        return ["$bytes", value.hex()]
    if kind not in (float, complex):
        raise CannotCrossError(kind.__name__)
    if hashed and value != value:  # noqa: PLR0124 - a nan is not equal to itself
        raise CannotCrossError("nan in a set or a key")
    if kind is complex:
        return ["$complex", repr(value.real), repr(value.imag)]
    return value if value - value == 0 else ["$float", repr(value)]


def _decoded_scalar(tag: str, parts: list[Any], *, hashed: bool) -> Any:
    if len(parts) != 1 + (tag == "$complex") or any(type(part) is not str for part in parts):
        raise MalformedError(f"{tag} of other parts")
    text = parts[0]
    try:
        if tag == "$bytes":
            return bytes.fromhex(text)
        if tag == "$int":
            if len(text) > 1 + MOST_BITS // 4:
                raise MalformedError("an integer of too many digits")
            return int(text, 16)
        if max(map(len, parts)) > _LONGEST_FLOAT:
            raise MalformedError("a float of too many digits")
        numbers = list(map(float, parts))
    except ValueError as error:
        raise MalformedError(str(error)) from error
    if hashed and any(number != number for number in numbers):  # noqa: PLR0124 - as above
        raise MalformedError("nan in a set or a key")
    return complex(*numbers) if tag == "$complex" else numbers[0]


def _is_hashed(tag: str, index: int) -> bool:
    """Whether the member is found by its hash: in a set, or as a key."""
    return tag in _SETS or (tag == "$dict" and index % 2 == 0)


def _place(tag: str, index: int, value: Any) -> str:
    """The place of a member as it would be written behind the container."""
    if tag in _SETS:
        return "{member}"
    if type(value) is not dict:
        return f"[{index}]"
    if _is_hashed(tag, index):
        return "{key}"
    key = next(islice(value, index // 2 if tag else index, None))
    is_short = type(key) in _EXACT or (type(key) is int and key.bit_length() <= PLAIN_BITS)
    return f"[{repr(key)[:_LONGEST_KEY] if is_short else type(key).__name__}]"
