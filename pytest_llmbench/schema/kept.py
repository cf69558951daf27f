"""Names under which a run folder keeps files that a model handed in: such as nothing imports, collects or obeys."""

from __future__ import annotations

REPLY = ".md"
"""Behind the name of an attempt: a reply that was graded, or is to be; ``dir:`` reads such names."""
REJECTED = ".rejected.md"
"""A reply that is an error."""
ENDING = ".reply"
"""``conftest.py`` is kept as ``conftest.py.reply``: Python, pytest (its doctests too), cargo and npm pass over it."""


def kept_name(name: str) -> str:
    """The name in the run folder of a file handed in as ``name``."""
    return name + ENDING


def handed_in_name(kept: str) -> str:
    """The name that a file had when it was handed in; older runs kept files under that very name."""
    return kept.removesuffix(ENDING)
