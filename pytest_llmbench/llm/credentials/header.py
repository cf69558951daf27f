"""An API key as the value of an HTTP header."""

from __future__ import annotations

from pytest_llmbench.errors import OptionError


def check_key(key: str, name: str) -> None:
    """Raise ``OptionError`` for a key that cannot be sent, without the key in it; ``name``: where it is from."""
    if not (key.isascii() and key.isprintable()):
        raise OptionError(f"{name} contains characters that are not allowed in an HTTP header. Copy the key again.")
