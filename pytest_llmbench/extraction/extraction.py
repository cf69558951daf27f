"""What reading a reply gives: the files in it, where each was found, and notes. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a file was found. Lines are counted from 1."""

    name: str
    """The expected name."""
    block: int
    """Number of the block, from 1; 0: the whole reply."""
    start_line: int
    """First line of code in the reply."""
    end_line: int
    """Last line of code in the reply."""
    info: str
    """The block's info string."""
    why: str
    """A short sentence."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The files found in a reply."""

    files: dict[str, str]
    """Expected name to source, which ends in exactly one newline; the missing ones are not in it."""
    took: tuple[Taken, ...] = ()
    notes: tuple[str, ...] = ()
    """What was passed over or changed, and why."""

    @property
    def no_code(self) -> bool:
        """True when the reply holds none of the expected files."""
        return not self.files
