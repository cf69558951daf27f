"""Identities that cross every room and process. Standard library only."""

from __future__ import annotations

from typing import NamedTuple


class AttemptKey(NamedTuple):
    """Identity of an attempt, in every process and every run folder."""

    task: str
    model: str
    """The model's label."""
    epoch: int
    """Counted from 1."""
    turn: int = 1
    """Which reply of an attempt that has several; the attempt as a whole goes by the first."""

    def __str__(self) -> str:
        turn = f", turn {self.turn}" if self.turn > 1 else ""
        return f"{self.task} / {self.model} #{self.epoch}{turn}"


class ItemRef(NamedTuple):
    """Which part of which attempt one test item grades."""

    task: str
    model: str
    epoch: int
    point: str
    case: str

    @property
    def key(self) -> AttemptKey:
        """The attempt."""
        return AttemptKey(self.task, self.model, self.epoch)
