"""Exceptions of the package.

::

    LLMBenchError
    +-- OptionError        something the user typed or configured; exit status 4
    +-- TaskError         a task module that is put together wrongly; a collection error
    +-- HarnessError      our side broke while grading: ``error: grader``, never a verdict
    |   +-- SandboxError  the sandbox could not start, or a limit was hit for want of a CPU
    +-- StoreError        the run folder cannot be written
    +-- ModelError      a server or provider failed; carries its ``Failure`` record

Every message says what happened, to which thing, and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_llmbench.schema.attempt import Completion, Failure, Retry


class LLMBenchError(Exception):
    """Base of every error that this package raises on purpose."""


class OptionError(LLMBenchError):
    """An option, environment variable or ini value that cannot be used."""


class TaskError(LLMBenchError):
    """A task module, its marker or its data that cannot be used."""


class HarnessError(LLMBenchError):
    """Grading could not be carried out; says nothing about the model."""


class SandboxError(HarnessError):
    """The sandbox did not start, or could not give a fair verdict."""


class StoreError(LLMBenchError):
    """A file of the run folder cannot be written or read."""


class ModelError(LLMBenchError):
    """A request to a model that gave nothing to grade."""

    retries: tuple[Retry, ...] = ()
    """Earlier tries of the same request; set where requests are sent again."""

    def __init__(
        self, failure: Failure, completion: Completion | None = None, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure
        self.completion = completion
        """What came, where the answer was whole but cannot be graded: cut off, reasoning only, unparsed."""
        self.retry_after_s = retry_after_s
        """The pause that the server asked for."""
