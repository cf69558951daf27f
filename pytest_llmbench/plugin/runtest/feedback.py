"""What a task with several turns tells the model about a reply: its own function, over a workspace of its own."""

from __future__ import annotations

import contextlib
import inspect
import tempfile
from pathlib import Path

import pytest

from pytest_llmbench.attempts import provisioning
from pytest_llmbench.attempts.submission import Submission, fill_workspace
from pytest_llmbench.errors import HarnessError, LLMBenchError
from pytest_llmbench.plugin.runtest.cpu_budget import OverBudget
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.sandbox.selection import SandboxChoice, open_sandbox
from pytest_llmbench.schema.task import Task
from pytest_llmbench.toolchains.base import Say
from pytest_llmbench.untrusted.cpu_time import cpu_limit


def feedback_on(submission: Submission, task: Task, choice: SandboxChoice, say: Say) -> str | None:
    """Lay the reply out, let the task look at it, and give what the model is to be told; None: nothing is wrong.

    The workspace is removed: what the task runs here leaves no trace for grading. A reply that takes the function more
    CPU than the task's budget is answered with that. Raises ``HarnessError`` where the function breaks.
    """
    assert task.feedback is not None
    provisioning.prepare(task, choice, say)
    place = Path(tempfile.mkdtemp(prefix="llmbench-turn-"))
    workspace = place / "workspace"
    try:
        workspace.mkdir()
        fill_workspace(workspace, task, submission)
        found = provisioning.equip(task, workspace, choice.name)
        given = {"submission": submission, "sandbox": open_sandbox(choice, workspace, found)}
        with cpu_limit(task.budget_s, lambda: OverBudget(f"looking at it took more than {task.budget_s:g} s of CPU")):
            told = task.feedback(**{name: given[name] for name in inspect.signature(task.feedback).parameters})
    except LLMBenchError:
        raise
    except OverBudget as error:
        return f"Your reply cannot be looked at ({error})."
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        raise HarnessError(f"feedback= of task {task.id!r} raised {type(error).__name__}: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            remove_tree(place)
    if told is not None and not isinstance(told, str):
        raise HarnessError(f"feedback= of task {task.id!r} returned {type(told).__name__}: a text or None is needed.")
    return told
