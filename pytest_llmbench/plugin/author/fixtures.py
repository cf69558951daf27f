"""Fixtures of a task's tests, all of module scope: made once for an attempt, used by all its points."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import TaskError

if TYPE_CHECKING:
    from pytest_llmbench.attempts.submission import Submission
    from pytest_llmbench.plugin.author.label import Label
    from pytest_llmbench.plugin.author.source import SourceFinder
    from pytest_llmbench.plugin.runtest.grader import OpenAttempt
    from pytest_llmbench.sandbox.protocol import Sandbox
    from pytest_llmbench.schema.attempt import Completion


@pytest.fixture(scope="module")
def llm_attempt(request: pytest.FixtureRequest) -> OpenAttempt:
    """The attempt being graded; every task's tests are parametrized over it."""
    from pytest_llmbench.plugin.runtest.grader import GRADER

    return request.config.stash[GRADER].opened(request.param)


@pytest.fixture(scope="module")
def submission(llm_attempt: OpenAttempt) -> Submission:
    """What is graded: ``files`` (name -> text) and the evidence of how they came about; ``labels`` may be added to."""
    return llm_attempt.submission


@pytest.fixture(scope="module")
def completion(submission: Submission) -> Completion:
    """The model's raw reply: ``text``, ``reasoning``, ``usage``, ``timings``, ``finish_reason``."""
    return submission.completion


@pytest.fixture(scope="module")
def starter(llm_attempt: OpenAttempt) -> Mapping[str, str]:
    """The files that the model was shown, and that lie in the workspace below its own: name -> text."""
    return llm_attempt.task.starter


@pytest.fixture(scope="module")
def data(llm_attempt: OpenAttempt) -> Path:
    """The task's data folder. Raises ``TaskError`` for a task that has none."""
    task = llm_attempt.task
    if task.data is None:
        raise TaskError(f"task {task.id!r} has no data folder: make fixtures/{task.id}, or name one by data=.")
    return task.data


@pytest.fixture(scope="module")
def workspace(llm_attempt: OpenAttempt, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh folder with the task's starter files and the model's files over them."""
    from pytest_llmbench.sandbox.files.rmtree import remove_tree

    root = tmp_path_factory.mktemp("workspace")
    llm_attempt.open_workspace(root)
    yield root
    with contextlib.suppress(OSError):  # what remains is no verdict on the model
        remove_tree(root)


@pytest.fixture(scope="module")
def sandbox(llm_attempt: OpenAttempt, workspace: Path) -> Sandbox:
    """Runs commands (``run``) and functions (``call``, ``calls``) in copies of the workspace, nothing else in reach."""
    return llm_attempt.open_sandbox(workspace)


@pytest.fixture(scope="module")
def source(submission: Submission) -> SourceFinder:
    """Structural search: ``source("top_k.py").find_all("sorted($$$)")``, ``source("top_k.py").python``."""
    from pytest_llmbench.plugin.author.source import SourceFinder

    return SourceFinder(submission.files)


@pytest.fixture(scope="module")
def label(submission: Submission) -> Label:
    """Tells what kind of solution this is, for reports: ``label("limiter", "sliding-window")``. Worth no points."""

    def add(aspect: str, kind: str) -> None:
        submission.labels.add(f"{aspect}: {kind}")

    return add
