"""The manifest of a tree of files that was handed in, and what such a tree may hold."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pytest_llmbench.schema.attempt import Frozen

MOST_FILES = 20_000
MOST_BYTES = 200_000_000
"""Of all files together."""
MOST_FILE_BYTES = 50_000_000


class TreeFile(Frozen):
    """One file of a tree."""

    name: str
    """Relative to the tree, with ``/``."""
    sha256: str
    size: int
    """Bytes."""
    executable: bool = False


class Tree(Frozen):
    """What was handed in as files, frozen: each with the digest of its content."""

    files: tuple[TreeFile, ...]
    notes: tuple[str, ...] = ()
    """What lay there and is not a part of it, each with the reason."""

    def __repr__(self) -> str:
        """Short: it appears in assertion texts, which are records."""
        return f"<tree of {len(self.files)} files>"

    __str__ = __repr__


def is_left_out(name: str, patterns: tuple[str, ...]) -> bool:
    """True for a file that a pattern names.

    A pattern without a slash is matched with each component of the name, one with a slash with the name from its
    beginning: ``*`` stands for anything there, slashes too.
    """
    parts = name.split("/")
    return any(
        fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*")
        if "/" in pattern
        else any(fnmatchcase(part, pattern) for part in parts)
        for pattern in patterns
    )
