"""What a session is going to do: tasks, attempts and the test items that grade them. Crosses processes and disk."""

from __future__ import annotations

from pydantic import Field

from pytest_llmbench.schema.attempt import Frozen, Message
from pytest_llmbench.schema.keys import AttemptKey, ItemRef
from pytest_llmbench.schema.mutant import Mutant
from pytest_llmbench.schema.task import PointKind


class Criterion(Frozen):
    """A rubric point as reports need it."""

    id: str
    kind: PointKind
    value: float
    max_points: float
    dimension: str = ""
    all_cases: bool = False
    title: str = ""
    cases: tuple[str, ...] = ("",)
    """Every case of the test that earns the point, selected or not."""


class TaskCard(Frozen):
    """A task without its code: what generation, scoring and reports need."""

    id: str
    suite: str
    points: float
    floor: float
    files: tuple[str, ...]
    """Names of the files to hand in; empty: the whole workspace."""
    leave_out: tuple[str, ...] = ()
    """Patterns of what is not a part of a whole workspace."""
    prompt: str = ""
    """The job alone, without the starter and without a word of how to hand in."""
    messages: tuple[Message, ...]
    """What a completion is asked with."""
    criteria: tuple[Criterion, ...]
    fingerprint: str
    starter: dict[str, str] = Field(default_factory=dict)
    """Name -> text of the files that the model was shown: what a submission's files are compared with."""
    turns: int = 1
    """Most replies of one attempt."""
    data: str | None = None
    """Path of the data folder."""
    unavailable: str = ""
    """Why the task cannot be graded here, and the remedy; empty: it can."""
    mutants: tuple[Mutant, ...] = ()
    """Of a self-check: every mutant that the task has, selected or not."""


class Plan(Frozen):
    """Everything selected, known once collection is over."""

    tasks: tuple[TaskCard, ...] = ()
    items: dict[str, ItemRef] = Field(default_factory=dict)
    """Test item id to what it grades; the id carries no meaning beyond this session."""
    collected_tasks: int = 0
    """Tasks found, those without any selected item included."""
    selfcheck: bool = False
    """The attempts are those of the tasks' own files, and each must lose exactly what it states."""

    def attempts(self) -> list[AttemptKey]:
        """The selected attempts, each once, in collection order."""
        return list(dict.fromkeys(item.key for item in self.items.values()))
