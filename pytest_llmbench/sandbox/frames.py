r"""Answers of a driver in between what untrusted code prints on the same stream: ``\n<nonce> <JSON array>\n``.

The nonce frames, it proves nothing: code in the driver's process can read it and answer in the driver's place.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple


class Frame(NamedTuple):
    """One answer, and where it stands in the output."""

    value: Any
    """None for what is no JSON, nested too deeply, or has a number that is too long for Python."""
    start: int
    end: int


def new_nonce() -> str:
    """A word that nobody can guess; the driver learns it from its standard input."""
    return secrets.token_hex(16)


def read_frames(output: str, nonce: str) -> Iterator[Frame]:
    """The answers in ``output``, in order."""
    for match in re.finditer(rf"\n{nonce} (.*)\n", output):
        yield Frame(_parsed(match[1]), match.start(), match.end())


def without_frames(output: str, nonce: str) -> str:
    """What the code printed."""
    return re.sub(rf"\n{nonce} .*\n", "", output)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
