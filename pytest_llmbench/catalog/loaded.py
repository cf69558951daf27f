"""What loaders give, validated into a ``Task`` by the rules for markers. Standard library only."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from pytest_llmbench.catalog.files import loaded_fingerprint, workspace_names
from pytest_llmbench.catalog.rubric import POINT_KINDS, read_rubric_point
from pytest_llmbench.catalog.task import checked_task
from pytest_llmbench.catalog.values import is_id
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.loaded import LoadedPoint, LoadedTask, Loader
from pytest_llmbench.schema.registry import Registry, make_registry
from pytest_llmbench.schema.task import RubricPoint, Task
from pytest_llmbench.text import sanitize

Loaders = Registry[Loader]
_AS_IN_MARKER = ("id", "floor", "files", "toolchains", "turns", "feedback", "budget_s")


def loader_registry(entries: Iterable[tuple[str, Any]]) -> Loaders:
    """The registry of loaders, from (plugin, value) pairs. Raises ``OptionError``."""
    return make_registry("loader", entries, _problem_of)


def _problem_of(value: Any) -> str:
    """Why a plugin's value is not a loader; empty: it is."""
    if isinstance(value, type):
        return "it is a class, give an object of it"
    missing = [name for name in ("name", "load") if not hasattr(value, name)]
    if missing:
        return f"it lacks {', '.join(missing)}"
    return "" if callable(value.load) else "its load cannot be called"


def checked_id(loaded: object, where: str) -> str:
    """The id of a task that a loader gave, before anything else of it is looked at. Raises ``TaskError``."""
    if not isinstance(loaded, LoadedTask):
        raise TaskError(f"{where}: {loaded!r:.80} is not a task. Give a LoadedTask.")
    if not is_id(loaded.id):
        raise TaskError(f'{where}: a task needs id="..." of letters, digits and -._ (got {loaded.id!r:.80}).')
    return loaded.id


def read_loaded(loaded: LoadedTask, loader: str, path: Path) -> Task:
    """Check a task that ``loader`` read from ``path``.

    Raises ``TaskError`` naming the task, the path and the remedy.
    """
    where = f"task {loaded.id!r} that {loader} loaded from {path}"
    points: Any = loaded.rubric
    if not isinstance(points, list | tuple) or not points or not all(isinstance(each, LoadedPoint) for each in points):
        raise TaskError(f"{where}: rubric= must be a list of LoadedPoint, at least one (got {points!r:.80}).")
    rubric = [_point(point, where) for point in points]
    if not _is_text(loaded.fingerprint):
        raise TaskError(f"{where}: fingerprint= must be a text (got {loaded.fingerprint!r:.40}).")
    told = [
        ("loader", loader),
        *(("point", repr((each.id, each.kind, each.value, each.dimension, each.all_cases))) for each in rubric),
        ("fingerprint", loaded.fingerprint),
    ]
    values = {key: getattr(loaded, key) for key in _AS_IN_MARKER}
    total = sum(each.value for each in rubric if each.kind in ("points", "bonus"))
    return checked_task(
        where,
        {**values, "suite": loaded.suite or loader, "points": total},
        rubric,
        module=_code_file(points[0]),
        source=path,
        data=lambda: _data(loaded.data, path if path.is_dir() else path.parent, where),
        starter=_starter(loaded.starter, where),
        prompt=lambda: _prompt(loaded.prompt_text, where),
        fingerprint=partial(loaded_fingerprint, told, sorted({_code_file(point) for point in points})),
    )


def _point(point: LoadedPoint, of: str) -> RubricPoint:
    where = f"point {point.id!r:.80} of {of}"
    if not is_id(point.id):
        raise TaskError(f"{where}: the id of a point is a name of letters, digits and -._")
    if point.id.startswith("pytest"):
        raise TaskError(f"{where}: names that begin with pytest have another meaning for pytest. Rename it.")
    check: Any = point.check
    if not isinstance(check, FunctionType) or not isinstance(inspect.unwrap(check), FunctionType):
        raise TaskError(f"{where}: check={check!r:.80} is not a function. Write it with def or lambda.")
    if any(asserts_nothing(check) for asserts_nothing in _NEVER_RUN):
        raise TaskError(f"{where}: check= is async or has a yield, and would assert nothing. Write a plain function.")
    if not all(_is_text(text) and text.isprintable() for text in (point.title, point.dimension)):
        raise TaskError(f"{where}: title= and dimension= must be printable texts of one line.")
    worth: dict[str, Any] = {kind: value for kind in POINT_KINDS if (value := getattr(point, kind)) is not None}
    worth |= {"dimension": point.dimension, "all_cases": point.all_cases}
    title = point.title or sanitize((inspect.getdoc(check) or "").partition("\n")[0])
    return read_rubric_point((point.id,), worth, function=point.id, title=title, where=where)


_NEVER_RUN = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)


def _code_file(point: LoadedPoint) -> Path:
    """The file that a point's function is written in."""
    check: Any = inspect.unwrap(point.check)
    # A cached module of a project that was moved has code objects that name its old place.
    return Path(str(check.__globals__.get("__file__") or check.__code__.co_filename))


def _data(given: object, home: Path, where: str) -> Path | None:
    if given is None:
        return None
    if not isinstance(given, str | Path) or not (home / given).is_dir():
        raise TaskError(f"{where}: data={str(given)!r:.200} is not a folder (relative to {home}).")
    return (home / given).resolve()


def _starter(given: Any, where: str) -> Mapping[str, str]:
    if not isinstance(given, Mapping) or not all(map(_is_text, given.values())):
        raise TaskError(f"{where}: starter= must be a mapping from names of files to their texts.")
    workspace_names(list(given), "starter=", where)
    return dict(given)


def _prompt(text: Any, where: str) -> str:
    if not _is_text(text) or not text.strip():
        raise TaskError(f"{where}: prompt_text= is the prompt itself, a text (got {text!r:.40}).")
    return str(text)


def _is_text(value: object) -> bool:
    """True for text that can be written as UTF-8: JSON may hold half a character."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False
