"""A task and its rubric, as the marker and the files beside it state them. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_BUDGET_S = 5.0
LEFT_OUT = (".git", "node_modules", "target", ".venv", "__pycache__", "*.pyc")
"""Left out of a whole workspace unless a task says otherwise: what tools make again, and what git would run."""

PointKind = Literal["points", "bonus", "cap", "penalty"]


@dataclass(frozen=True, slots=True)
class RubricPoint:
    """One test function of a task and what it is worth."""

    id: str
    kind: PointKind
    value: float
    """Points to earn (``points``, ``bonus``), to take off (``penalty``), or the highest task score left (``cap``)."""
    function: str
    """Name of the test function, with its class if it has one: ``TestHeap::test_order``; of a loaded task the id."""
    dimension: str = ""
    all_cases: bool = False
    """True: the cases of a parametrized test are all or nothing; else they share the points in equal parts."""
    title: str = ""
    """First line of the test's docstring."""

    @property
    def max_points(self) -> float:
        """Points that this entry can add to the score."""
        return self.value if self.kind in ("points", "bonus") else 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """One problem: what the model is told, what it must hand in, and the rubric."""

    id: str
    suite: str
    points: float
    """The highest score, bonus included."""
    floor: float
    """The least that an attempt is worth, also without any code handed in."""
    prompt: str
    """The text sent to the model, starter files not yet included."""
    files: tuple[str, ...]
    """Names of the files to hand in, relative to the workspace; empty: the whole workspace is."""
    module: Path
    """The file with the rubric's functions: the task's pytest module, or that of a loader."""
    rubric: tuple[RubricPoint, ...]
    starter: Mapping[str, str] = field(default_factory=dict)
    """Files that the model is shown and that lie in the workspace before the reply's."""
    data: Path | None = None
    """Folder of starter, reference and mutants, if the task has one."""
    toolchains: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    """Patterns of what is not a part of a whole workspace."""
    turns: int = 1
    """Most replies that a model may give to this task."""
    feedback: Callable[..., object] | None = None
    """With several turns: takes ``submission`` or ``sandbox`` or both, gives what the model is told, or None."""
    budget_s: float = DEFAULT_BUDGET_S
    """CPU seconds of the test process that setup and body of one rubric test may take each, programs not counted."""
    fingerprint: str = ""
    """SHA-256 over prompt, module, probes and starter: a changed task is another task."""
