"""Secrets in a text: the ways in which one may be written, and the text without them. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote

_SHORTEST_SECRET = 6
_TELLING_CHARS = 16


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with ``***`` in place of each secret; very short ones are left, they would hit ordinary words."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def is_telling(value: str) -> bool:
    """True for a value that is a key wherever it appears, and not a word such as ``ollama`` or ``not-needed``."""
    return len(value) >= _TELLING_CHARS and any(character.isdigit() for character in value)


def written_forms(secrets: Iterable[str]) -> list[str]:
    """The ways in which secrets may be written, to be hidden: plain, percent-encoded, in JSON, in base64.

    The longest first: one may begin another.
    """
    forms = set[str]()
    for secret in secrets:
        in_json = json.dumps(secret)[1:-1]
        forms |= {str(secret), quote(secret, safe=""), in_json, in_json.replace("/", r"\/"), repr(str(secret))[1:-1]}
        if is_telling(secret):
            forms |= _in_base64(secret)
    return sorted(forms, key=len, reverse=True)


def _in_base64(secret: str) -> set[str]:
    """The characters that stand for the secret alone in base64 of any text around it: three ways, one an offset."""
    data = secret.encode()
    found = set()
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + data).decode()
        alone = text[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
        found |= {alone, alone.translate(str.maketrans("+/", "-_"))}
    return found
