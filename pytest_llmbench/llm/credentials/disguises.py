"""Keys in what servers send, however they are written: compared after decoding, in linear time. Pure.

Found is a key in any case, spaced or cut by anything that is no letter or digit, backwards, in hexadecimal, base64 or
base32, and with any of its characters percent-encoded (many times over, too) or as an escape of JavaScript, Python,
HTML or quoted-printable. Not found is what somebody has to work out: encrypted, compressed, in pieces out of order, in
words, with letters of others in between.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator

from pytest_llmbench.llm.credentials.secret_forms import is_telling

MAX_CHARS = 1_000_000
"""Of a text that is looked through like this; what follows is looked through for the usual forms alone."""

_LEAST_CHARS = 12
"""Letters and digits of a key: fewer may be an ordinary word's."""
_OTHERS = re.compile(r"[^0-9a-z]+")
_CODE = re.compile(
    r"%(?:25)*([0-9a-f]{2})|\\x([0-9a-f]{2})|\\u00([0-9a-f]{2})|\\u\{0*([0-9a-f]{2})\}|&#x0*([0-9a-f]{2});?"
    r"|=([0-9a-f]{2})|0x([0-9a-f]{2})|&#0{0,9}([0-9]{2,3});?"
)
_UNIT = re.compile(f"{_CODE.pattern}|[0-9a-z]")


class Disguises:
    """Some keys, and every way of writing them that is told above."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the values; those that may be ordinary words are left out."""
        long = [secret for secret in secrets if is_telling(secret) and len(_bare(secret)) >= _LEAST_CHARS]
        self._needles = sorted({needle for secret in long for needle in _needles(secret)}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text with ``***`` in place of each key."""
        if not self._needles:
            return text
        lower = text[:MAX_CHARS].lower()
        if len(lower) != len(text[:MAX_CHARS]):  # some letters are two in lower case: then positions would not fit
            lower = text[:MAX_CHARS].translate(_ASCII_LOWER)
        spans = [span for decodes in (False, True) for span in self._found(lower, decodes=decodes)]
        return _without(text, spans) if spans else text

    def _found(self, lower: str, *, decodes: bool) -> Iterator[tuple[int, int]]:
        """Where keys are, each from its first to behind its last character."""
        if decodes and not _CODE.search(lower):
            return
        bare = _bare(_CODE.sub(_decoded, lower) if decodes else lower)
        needles = [needle for needle in self._needles if needle in bare]
        if not needles:
            return
        characters, starts, ends = _units(lower, decodes=decodes)
        for needle in needles:
            at = characters.find(needle)
            while at >= 0:
                yield starts[at], ends[at + len(needle) - 1]
                at = characters.find(needle, at + len(needle))


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _bare(text: str) -> str:
    """Its letters and digits, in lower case."""
    return _OTHERS.sub("", text.lower())


def _needles(secret: str) -> Iterator[str]:
    bare = _bare(secret)
    yield from (bare, bare[::-1])
    yield from (secret.encode().hex(), secret[::-1].encode().hex())
    yield from _in_base(secret, 3, 8 / 6, base64.b64encode)
    yield from _in_base(secret, 5, 8 / 5, base64.b32encode)


def _in_base(secret: str, offsets: int, stretch: float, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """The characters that stand for the secret alone, wherever it begins in what was encoded."""
    data = secret.encode()
    for offset in range(offsets):
        text = encode(bytes(offset) + data).decode()
        yield _bare(text[-int(-offset * stretch // 1) : int((offset + len(data)) * stretch)])


def _decoded(code: re.Match[str]) -> str:
    """What an escape stands for, if that is a letter or a digit; else something that counts as nothing."""
    number = int(code[8]) if code[8] else int(code[code.lastindex or 0], 16)
    character = chr(number).lower()
    return character if character.isascii() and character.isalnum() else " "


def _units(lower: str, *, decodes: bool) -> tuple[str, list[int], list[int]]:
    """The letters and digits of a text, and where each begins and ends in it."""
    characters, starts, ends = [], [], []
    for unit in (_UNIT if decodes else _LETTER).finditer(lower):
        character = _decoded(unit) if unit.lastindex else unit[0]
        if character != " ":
            characters.append(character)
            starts.append(unit.start())
            ends.append(unit.end())
    return "".join(characters), starts, ends


_LETTER = re.compile("[0-9a-z]")


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with ``***`` in place of these parts of it, which may overlap."""
    parts, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            parts += [text[done:start], "***"]
        done = max(done, end)
    return "".join([*parts, text[done:]])
