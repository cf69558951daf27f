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

    def __str__(self) -> str:
        return f"{self.task} / {self.model} #{self.epoch}"

    def turn(self, number: int) -> TurnKey:
        """One of its turns, counted from 1."""
        return TurnKey(*self, number)


class TurnKey(NamedTuple):
    """Identity of one turn of an attempt: a request to the model, and what came of it."""

    task: str
    model: str
    epoch: int
    turn: int = 1

    def __str__(self) -> str:
        return f"{self.attempt}, turn {self.turn}" if self.turn > 1 else str(self.attempt)

    @property
    def attempt(self) -> AttemptKey:
        """The attempt that it is a part of."""
        return AttemptKey(self.task, self.model, self.epoch)


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
