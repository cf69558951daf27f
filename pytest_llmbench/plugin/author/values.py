"""Values that go into the sandbox, and values in a message."""

from __future__ import annotations

import hashlib
import random


def seeded(seed: int | str) -> random.Random:
    """Random numbers that are the same for every model and on every machine.

    A text, such as a reply, gives numbers that nobody who wrote the text could have known before.
    """
    if isinstance(seed, str):
        return random.Random(hashlib.sha256(seed.encode("utf-8", "replace")).digest())  # noqa: S311 - no secret
    return random.Random(seed)  # noqa: S311 - as above


def shortened(value: object, most: int = 300) -> str:
    """A value in at most so many characters, for a message: a text as it is, anything else as Python writes it."""
    try:
        # Each item takes two characters and more, so that what is left out of a list would not be shown either.
        text = value if isinstance(value, str) else repr(value[:most] if isinstance(value, list) else value)
    except (ValueError, RecursionError):  # a number of too many digits, a value of too many levels
        text = f"<{type(value).__name__} that cannot be shown>"
    return text if len(text) <= most else f"{text[:most]}..."
