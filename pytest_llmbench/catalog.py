"""Markers and the files beside them, read and checked into a ``Task``. Standard library only."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard, cast

from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.task import PointKind, RubricPoint, Task

TASK_KEYS = (
    "id",
    "suite",
    "points",
    "floor",
    "prompt",
    "prompt_text",
    "files",
    "toolchains",
    "data",
    "turns",
    "feedback",
)
POINT_KINDS: tuple[PointKind, ...] = ("points", "bonus", "cap", "penalty")
RUBRIC_KEYS = (*POINT_KINDS, "dimension", "all_cases")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_POINTS = 1_000_000.0
_MOST_TURNS = 10
_MAX_FILE_BYTES = 2_000_000
_LEVELS_UP = 5
_DEPENDENCIES = {
    "Cargo.toml": ("Cargo.lock", "cargo", "cargo generate-lockfile"),
    "package.json": ("package-lock.json", "node", "npm install --package-lock-only --ignore-scripts"),
}
"""Manifest to its lock file, the toolchain that it is for, and what makes the lock file."""


def read_rubric_point(args: Sequence[Any], kwargs: Mapping[str, Any], *, function: str, title: str = "") -> RubricPoint:
    """Check one ``rubric`` marker.

    Raises ``TaskError`` naming the test function and the remedy.
    """
    where = f"@pytest.mark.rubric of {function}"
    if len(args) != 1 or not _is_id(args[0]):
        raise TaskError(
            f'{where} needs one name, letters, digits and -._ only: @pytest.mark.rubric("once-unregisters", points=4)'
        )
    _refuse_unknown(kwargs, RUBRIC_KEYS, where)
    kinds = [kind for kind in POINT_KINDS if kind in kwargs]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        raise TaskError(f"{where} needs exactly one of points=, bonus=, cap= and penalty= ({given} given).")
    kind = kinds[0]
    dimension = kwargs.get("dimension", "")
    all_cases = kwargs.get("all_cases", False)
    if not isinstance(dimension, str) or not isinstance(all_cases, bool):
        raise TaskError(f"{where}: dimension= is a name and all_cases= is True or False.")
    value = _number(kwargs[kind], f"{kind}= of {where}")
    if value == 0 and kind != "cap":
        raise TaskError(f"{where}: {kind}=0 is worth nothing. Give a number above 0 or remove the marker.")
    return RubricPoint(
        id=args[0],
        kind=kind,
        value=value,
        function=function,
        dimension=dimension,
        all_cases=all_cases,
        title=title,
    )


def read_task(module: Path, args: Sequence[Any], kwargs: Mapping[str, Any], rubric: Sequence[RubricPoint]) -> Task:
    """Check one ``llm_task`` marker with the module's rubric and read the files that belong to the task.

    Raises ``TaskError`` naming the module and the remedy.
    """
    where = f"pytest.mark.llm_task in {module}"
    if args:
        raise TaskError(f'{where} takes named arguments only: llm_task(id="my-task", points=20, files=["answer.py"])')
    _refuse_unknown(kwargs, TASK_KEYS, where)
    task_id = kwargs.get("id")
    if not _is_id(task_id):
        raise TaskError(f'{where} needs id="..." of letters, digits and -._ (got {task_id!r}).')
    suite = kwargs.get("suite", "own")
    if not _is_id(suite):
        raise TaskError(f'{where}: suite="..." is a name of letters, digits and -._ (got {suite!r}).')
    points = _number(kwargs.get("points"), f"points= of {where}")
    if points == 0:
        raise TaskError(f"{where}: points=0 is worth nothing. Give the sum of the rubric's points and bonus.")
    floor = _number(kwargs.get("floor", 0), f"floor= of {where}")
    if floor > points:
        raise TaskError(f"{where}: floor={floor:g} is above points={points:g}. It is the least that a reply is worth.")
    _check_rubric(task_id, points, rubric, module)
    data = _data_folder(module, task_id, kwargs.get("data"), where)
    starter = _read_folder(data / "starter") if data else {}
    toolchains = _names(kwargs.get("toolchains", ()), f"toolchains= of {where}")
    dependencies = _dependencies(data / "dependencies", toolchains, where) if data else {}
    prompt = _prompt(module, kwargs, where)
    turns, feedback = _conversation(kwargs, where)
    return Task(
        id=task_id,
        suite=suite,
        points=points,
        floor=floor,
        prompt=prompt,
        files=_file_names(kwargs.get("files"), where),
        module=module,
        rubric=tuple(rubric),
        starter=starter,
        data=data,
        toolchains=toolchains,
        turns=turns,
        feedback=feedback,
        fingerprint=_fingerprint(module, prompt, starter, dependencies, own_folder="prompt_text" not in kwargs),
    )


def full_prompt(task: Task) -> str:
    """The text that the model gets: the prompt, then each starter file in a fenced block under its name."""
    parts = [task.prompt.strip()]
    for name, text in task.starter.items():
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        language = PurePosixPath(name).suffix.lstrip(".")
        parts.append(f"### `{name}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}")
    return "\n\n".join(parts) + "\n"


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _refuse_unknown(kwargs: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in kwargs:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}=?" if near else f"; it takes {', '.join(known)}"
            raise TaskError(f"{where} has no argument {key}={hint}")


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_POINTS:
        raise TaskError(f"{what} is {value!r:.40}: it must be a number from 0 to {_MOST_POINTS:.0f}.")
    return float(value)


def _names(value: object, what: str) -> tuple[str, ...]:
    if (
        isinstance(value, str)
        or not isinstance(value, list | tuple)
        or not all(isinstance(v, str) and v for v in value)
    ):
        raise TaskError(f'{what} must be a list of names, such as ["node"] (got {value!r}).')
    return tuple(cast("Sequence[str]", value))


def _file_names(value: object, where: str) -> tuple[str, ...]:
    names = _names(value if value is not None else (), f"files= of {where}")
    if not names:
        raise TaskError(f'{where} needs files=["..."], the file names that the model must hand in.')
    for name in names:
        path = PurePosixPath(name)
        inside = path.parts and not path.is_absolute() and ".." not in path.parts
        if not inside or "\\" in name or str(path) != name or not name.isprintable():
            raise TaskError(
                f"{where}: files= has {name!r}; give plain names inside the workspace, such as src/main.rs."
            )
        if names.count(name) > 1:
            raise TaskError(f"{where}: files= has {name!r} twice. Name each file once.")
    return names


def _check_rubric(task_id: str, points: float, rubric: Sequence[RubricPoint], module: Path) -> None:
    seen: dict[str, str] = {}
    for point in rubric:
        if point.id in seen:
            raise TaskError(
                f"task {task_id!r}: {seen[point.id]} and {point.function} in {module} both have the rubric name "
                f"{point.id!r}. Rename one; several cases of one point are one parametrized test."
            )
        seen[point.id] = point.function
    sure = sum(point.value for point in rubric if point.kind == "points")
    bonus = sum(point.value for point in rubric if point.kind == "bonus")
    if not math.isclose(points, sure + bonus):
        raise TaskError(
            f"task {task_id!r}: the rubric's points sum to {sure:g} and its bonus to {bonus:g}, "
            f"the marker says points={points:g}. Make points= the sum of both, or mend the rubric in {module}."
        )
    with_points = {"", *(point.dimension for point in rubric if point.max_points)}
    for point in rubric:
        if point.kind == "penalty" and point.dimension not in with_points:
            raise TaskError(
                f"task {task_id!r}: {point.function} in {module} is a penalty in dimension {point.dimension!r}, "
                "which has no points to take from. Name one that has, or none: then it comes off the whole score."
            )


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
    text = _read_text(path, f"the prompt of {where}")
    if not text.strip():
        raise TaskError(f"{path} is empty: write there what the model is asked to do.")
    return text


def _conversation(kwargs: Mapping[str, Any], where: str) -> tuple[int, Callable[..., object] | None]:
    """How many replies a model may give, and what tells it about the last one."""
    turns, feedback = kwargs.get("turns", 1), kwargs.get("feedback")
    if type(turns) is not int or not 1 <= turns <= _MOST_TURNS:
        raise TaskError(
            f"{where}: turns={turns!r:.40}: the most replies of one attempt, a number from 1 to {_MOST_TURNS}."
        )
    if feedback is not None and not _takes_what_there_is(feedback):
        raise TaskError(
            f"{where}: feedback= is a function with the parameters sandbox or submission or both; it returns the text "
            "that the model is told, or None."
        )
    if (turns > 1) != (feedback is not None):
        raise TaskError(
            f"{where}: turns=2 or more and feedback= go together: the function says what the model is told between two "
            "replies."
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


def _data_folder(module: Path, task_id: str, given: object, where: str) -> Path | None:
    if given is not None:
        if not isinstance(given, str) or not given or not (module.parent / given).is_dir():
            raise TaskError(f"{where}: data={given!r} is not a folder (relative to {module.parent}).")
        return (module.parent / given).resolve()
    for folder in [module.parent, *module.parent.parents][:_LEVELS_UP]:
        candidate = folder / "fixtures" / task_id
        if candidate.is_dir():
            return candidate.resolve()
    return None


def _dependencies(folder: Path, toolchains: Sequence[str], where: str) -> dict[str, str]:
    """The manifests in ``folder`` with their lock files: name to text."""
    found = {}
    for manifest, (lock, toolchain, command) in _DEPENDENCIES.items():
        if not (folder / manifest).exists():
            continue
        if toolchain not in toolchains:
            raise TaskError(
                f"{where}: {folder / manifest} is for {toolchain}, which toolchains= does not name. Add it."
            )
        if not (folder / lock).exists():
            raise TaskError(
                f"{folder} has a {manifest} without {lock}, which fixes every version. Run there: {command}"
            )
        for name in (manifest, lock):
            found[name] = _read_text(folder / name, f"a dependency of {where}")
    return found


def _read_folder(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(folder).as_posix(): _read_text(p, "a starter file") for p in paths}


def _read_text(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise TaskError(f"{path} ({what}) is larger than {_MAX_FILE_BYTES} bytes.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"{path} does not exist: {what}. Write it, or name another file.") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"{path} ({what}) cannot be read as UTF-8 text: {error}.") from error


def _fingerprint(
    module: Path, prompt: str, starter: Mapping[str, str], dependencies: Mapping[str, str], *, own_folder: bool
) -> str:
    """Hash what shapes question and verdict; a task with a prompt file owns the files beside its module, probes too.

    Hidden files are left by editors and file managers.
    """
    visible = [p for p in sorted(module.parent.iterdir()) if p.is_file() and not p.name.startswith(".")]
    beside = visible if own_folder else [module]
    digest = hashlib.sha256()
    for label, content in [
        ("prompt", prompt.encode()),
        *((f"starter/{name}", text.encode()) for name, text in starter.items()),
        *((f"dependencies/{name}", text.encode()) for name, text in dependencies.items()),
        *((path.name, path.read_bytes()) for path in beside),
    ]:
        digest.update(f"{label}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
