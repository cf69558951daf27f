"""The seam between generation and what it is for: solvers make submissions, grading processes fetch them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from pytest_llmbench.llm.targets import ModelTarget
from pytest_llmbench.schema.attempt import Message, Usage
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Ended, Failed, HandedInReply, NotRun, Outcome, Phase, Replied


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to generate: the task as a solver sees it."""

    key: AttemptKey
    messages: tuple[Message, ...]
    """What a completion is asked with: the prompt, the starter's files, and how to hand in."""
    files: tuple[str, ...] = ()
    """Names of the files to hand in; empty: the whole workspace."""
    leave_out: tuple[str, ...] = ()
    """Patterns of what is not a part of a whole workspace."""
    data: Path | None = None
    """The task's data folder."""
    prompt: str = ""
    """The job alone, without a word of how to hand in."""
    starter: Mapping[str, str] = field(default_factory=dict)
    """Name -> text of the files to start from."""
    turns: int = 1
    """Most replies of a conversation."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a solver hands in as files; they are frozen in the run folder."""

    files: Mapping[str, bytes | str] | Path
    """Name -> content; or a folder, of which the task's files or the whole are taken."""
    executable: Collection[str] = ()
    """Names of those in a mapping that are programs; a folder's files have their own modes."""
    labels: tuple[str, ...] = ()
    """Evidence on the attempt for reports."""
    wall_s: float | None = None
    """How long it took, where models were asked."""
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    iterations: int | None = None
    phases: tuple[Phase, ...] = ()


Solution: TypeAlias = Replied | HandedInReply | Files | Failed | NotRun
"""How a solver ends."""


class ModelAccess(Protocol):
    """A solver's way to its model, and to the task's own look at what it has so far."""

    @property
    def target(self) -> ModelTarget:
        """What ``--llm-model`` named."""
        ...

    async def complete(self, messages: Sequence[Message]) -> Replied | Failed | NotRun:
        """Ask for the next reply, with everything that holds for a request: queue, retries, budget, stored replies.

        Raises ``HarnessError`` where there is no model to ask.
        """
        ...

    async def feedback(self) -> str | None:
        """What the task says of the last reply; None: nothing is wrong, or there is nothing to look at.

        A grading process looks. Raises ``HarnessError`` where the task's function breaks.
        """
        ...


class Solver(Protocol):
    """How a task and a model become something to grade. Runs in the controlling process, on one event loop."""

    @property
    def name(self) -> str:
        """For ``--llm-solver=NAME``, or before the colon of ``--llm-model=NAME:...`` where it needs no model."""
        ...

    @property
    def needs_model(self) -> bool:
        """False for one that hands in what it has."""
        ...

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Do the task; whatever is raised is ``error: grader`` of this attempt. It must not block the loop."""
        ...


class FeedbackJob(NamedTuple):
    """A grading process is to look at a turn's reply for the task."""

    key: TurnKey
    outcome: Outcome


class SubmissionSource(Protocol):
    """What a grading process sees of generation, in the same process or over the channel."""

    def fetch(self, key: AttemptKey) -> Ended | FeedbackJob:
        """Wait for the end of an attempt's generation, or for a job to do meanwhile: then ``tell`` and fetch again.

        Raises ``SourceClosedError`` when the session ends first.
        """
        ...

    def tell(self, key: TurnKey, told: str | None, problem: str = "") -> None:
        """The result of a ``FeedbackJob``: what the model is to be told; or why there is none."""
        ...


class SourceClosedError(Exception):
    """The session is ending; nothing more will come."""
