"""The marker ``llm_task``, read and validated into a ``Task``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pytest_llmbench.catalog.files import (
    data_folder,
    dependencies_in,
    file_names,
    fingerprint_of,
    read_folder,
    read_text,
)
from pytest_llmbench.catalog.rubric import check_rubric
from pytest_llmbench.catalog.values import is_id, names, number, refuse_unknown
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.task import DEFAULT_BUDGET_S, LEFT_OUT, RubricPoint, Task

TASK_KEYS = (
    "id",
    "suite",
    "points",
    "floor",
    "prompt",
    "prompt_text",
    "files",
    "workspace",
    "leave_out",
    "toolchains",
    "data",
    "turns",
    "feedback",
    "budget_s",
)
_MOST_TURNS = 10


def read_task(module: Path, args: Sequence[Any], kwargs: Mapping[str, Any], rubric: Sequence[RubricPoint]) -> Task:
    """Check one ``llm_task`` marker with the module's rubric and read the files that belong to the task.

    Raises ``TaskError`` naming the module and the remedy.
    """
    where = f"pytest.mark.llm_task in {module}"
    if args:
        raise TaskError(f'{where} takes named arguments only: llm_task(id="my-task", points=20, files=["answer.py"])')
    refuse_unknown(kwargs, TASK_KEYS, where)
    task_id = kwargs.get("id")
    if not is_id(task_id):
        raise TaskError(f'{where} needs id="..." of letters, digits and -._ (got {task_id!r}).')
    return checked_task(
        where,
        kwargs,
        rubric,
        module=module,
        data=lambda: data_folder(module, task_id, kwargs.get("data"), where),
        prompt=lambda: _prompt(module, kwargs, where),
        fingerprint=partial(fingerprint_of, module, own_folder="prompt_text" not in kwargs),
    )


def checked_task(
    where: str,
    kwargs: Mapping[str, Any],
    rubric: Sequence[RubricPoint],
    *,
    module: Path,
    data: Callable[[], Path | None],
    prompt: Callable[[], str],
    fingerprint: Callable[[str, Mapping[str, str], Mapping[str, str]], str],
    starter: Mapping[str, str] | None = None,
    source: Path | None = None,
) -> Task:
    """The task of arguments as the marker ``llm_task`` has them, with a valid ``id`` already, wherever they come from.

    :param where: what messages call it.
    :param module: the file that the rubric's functions are written in.
    :param data: finds the data folder; ``prompt``: the prompt.
    :param fingerprint: makes it from prompt, starter and dependencies.
    :param starter: the starter files; None or empty: those in the data folder.
    :param source: the file that the task comes from, if that is not ``module``.

    Raises ``TaskError``.
    """
    task_id = kwargs["id"]
    suite = kwargs.get("suite", "own")
    if not is_id(suite):
        raise TaskError(f'{where}: suite="..." is a name of letters, digits and -._ (got {suite!r}).')
    points = number(kwargs.get("points"), f"points= of {where}")
    if points == 0:
        raise TaskError(f"{where}: points=0 is worth nothing. Give the sum of the rubric's points and bonus.")
    floor = number(kwargs.get("floor", 0), f"floor= of {where}")
    if floor > points:
        raise TaskError(f"{where}: floor={floor:g} is above points={points:g}. It is the least that a reply is worth.")
    check_rubric(task_id, points, rubric, source or module)
    folder = data()
    starter = starter or (read_folder(folder / "starter") if folder else {})
    toolchains = names(kwargs.get("toolchains", ()), f"toolchains= of {where}")
    dependencies = dependencies_in(folder / "dependencies", toolchains, where) if folder else {}
    text = prompt()
    turns, feedback = _conversation(kwargs, where)
    budget_s = number(kwargs.get("budget_s", DEFAULT_BUDGET_S), f"budget_s= of {where}")
    if budget_s == 0:
        raise TaskError(f"{where}: budget_s=0 leaves no time for any test. Give the CPU seconds that one may take.")
    files, leave_out = _deliverable(kwargs, where)
    return Task(
        id=task_id,
        suite=suite,
        points=points,
        floor=floor,
        prompt=text,
        files=files,
        leave_out=leave_out,
        module=module,
        rubric=tuple(rubric),
        starter=starter,
        data=folder,
        toolchains=toolchains,
        turns=turns,
        feedback=feedback,
        budget_s=budget_s,
        fingerprint=fingerprint(text, starter, dependencies),
    )


def _deliverable(kwargs: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the files to hand in; or none, for the whole workspace, and what is not a part of it."""
    workspace = kwargs.get("workspace", False)
    if type(workspace) is not bool:
        raise TaskError(f"{where}: workspace={workspace!r:.40} is neither True nor False.")
    if not workspace:
        if "leave_out" in kwargs:
            raise TaskError(f"{where}: leave_out= requires workspace=True: named files are taken as they are.")
        return file_names(kwargs.get("files"), where), ()
    if "files" in kwargs:
        raise TaskError(f"{where}: files= and workspace=True exclude each other: hand in named files, or everything.")
    return (), names(kwargs.get("leave_out", LEFT_OUT), f"leave_out= of {where}")


def _prompt(module: Path, kwargs: Mapping[str, Any], where: str) -> str:
    if "prompt_text" in kwargs:
        text = kwargs["prompt_text"]
        if "prompt" in kwargs or not isinstance(text, str) or not text.strip():
            raise TaskError(f"{where}: prompt_text= is the prompt itself, a text, and takes the place of prompt=.")
        return text
    name = kwargs.get("prompt", "prompt.md")
    if not isinstance(name, str):
        raise TaskError(f"{where}: prompt= is the name of a file beside the module (got {name!r}).")
    path = module.parent / name
    text = read_text(path, f"the prompt of {where}")
    if not text.strip():
        raise TaskError(f"{path} is empty: write there what the model is asked to do.")
    return text


def _conversation(kwargs: Mapping[str, Any], where: str) -> tuple[int, Callable[..., object] | None]:
    """The maximum number of turns, and the feedback function."""
    turns, feedback = kwargs.get("turns", 1), kwargs.get("feedback")
    if type(turns) is not int or not 1 <= turns <= _MOST_TURNS:
        raise TaskError(
            f"{where}: turns={turns!r:.40} is not a number of replies. Use a whole number from 1 to {_MOST_TURNS}."
        )
    if feedback is not None and not _takes_what_there_is(feedback):
        raise TaskError(
            f"{where}: feedback= must be a function with the parameters sandbox or submission or both that returns the "
            "text for the model, or None."
        )
    if (turns > 1) != (feedback is not None):
        raise TaskError(
            f"{where}: turns=2 or more requires feedback=, and feedback= requires turns=2 or more: the function "
            "returns the text for the model between two replies. Give both or neither."
        )
    return turns, feedback


def _takes_what_there_is(function: object) -> bool:
    if not callable(function):
        return False
    try:
        names = set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return False
    return names <= {"sandbox", "submission"}
