"""A mutant: a reply of which it is known what it must lose. Pure; the files are read by ``mutants`` and ``llm``."""

from __future__ import annotations

from pytest_llmbench.schema.attempt import Frozen

PREFIX = "mutant/"
"""Labels of attempts that grade mutants begin with it, where a model's name stands otherwise."""
FOLDER = "mutants"
"""In a task's data folder."""
_FENCE = "+++"


class Mutant(Frozen):
    """What the head of ``mutants/NAME.md`` says."""

    name: str
    about: str
    """What is wrong with it, or ``sound: ...`` for another right way."""
    loses: tuple[str, ...]
    """Exactly those rubric points that it does not earn."""
    score: float
    archetype: str = ""

    @property
    def label(self) -> str:
        """Takes the place of a model's name in ids, records and reports."""
        return PREFIX + self.name


def take_apart(text: str) -> tuple[str, str]:
    """The TOML head between two lines of ``+++``, and the reply below it. Raises ``ValueError``."""
    lines = text.splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.strip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:  # noqa: PLR2004 - one above the head, one below
        raise ValueError(f"it does not begin with a head between two lines of {_FENCE}")
    return "".join(lines[1 : fences[1]]), "".join(lines[fences[1] + 1 :])
