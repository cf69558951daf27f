"""Solvers that need no model: ``dir:PATH`` takes what lies in a folder, ``builtin/...`` a task's own files.

Below ``PATH``, for task ``fizz`` and epoch 2, the first of these that exists is taken::

    fizz.2.md    the reply, read like any model's; of an attempt with several turns the last: fizz.2.turn3.md
    fizz.2/      the files themselves, at the names that the task expects; or the whole workspace, if it expects that
    fizz.md      for epoch 1 only: one reply is not two independent attempts
    fizz/
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pytest_llmbench.llm.clients.reasoning import separate
from pytest_llmbench.llm.failures.classify import answer_failure
from pytest_llmbench.llm.solving import Files, Job, ModelAccess, Solution
from pytest_llmbench.schema import builtin
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, ErrorKind, Failure
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.mutant import FOLDER, PREFIX, take_apart
from pytest_llmbench.schema.outcome import Failed, HandedInReply
from pytest_llmbench.schema.run_files import REPLY, kept_name

MAX_BYTES = 4 * 1024 * 1024
"""Largest reply or file read."""


class _UnusableError(Exception):
    """Something lies there and cannot be handed in."""


class Folder:
    """``dir:PATH``: hands in what lies there."""

    name = "dir"
    needs_model = False

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Read it."""
        root = Path(access.target.name)
        return await asyncio.to_thread(_guarded, lambda: _read_folder(root, job), root)


class Builtin:
    """``builtin/reference``, ``builtin/starter`` and a task's mutants: hands in the task's own files."""

    name = "builtin"
    needs_model = False

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Read them."""
        which = access.target.name
        return await asyncio.to_thread(_guarded, lambda: _read_builtin(which, job), Path(which))


def _guarded(read: Callable[[], Solution], place: Path) -> Solution:
    """What is there; every defect of it is a ``Failure``, nothing is raised."""
    try:
        return read()
    except _UnusableError as error:
        return _failed("invalid_response", str(error))
    except OSError as error:
        return _failed("invalid_response", f"{error.filename or place} cannot be read: {error.strerror or error}")


def _read_folder(root: Path, job: Job) -> Solution:
    names = _names(job.key)
    for name in names:
        folder = root / name
        for reply in (*_later_turns(root, name), root / f"{name}{REPLY}"):
            if reply.exists():
                return _taken_apart(_read(root, reply), job.key.model, reply)
        if folder.is_dir():
            return _files(root, folder, job)
    wanted = " or ".join(f"{name}.md or {name}/" for name in names)
    return _failed("missing_reply", f"{root} has no {wanted} for {job.key}.{_near(root, names)}")


def _read_builtin(which: str, job: Job) -> Solution:
    """``reference/``; or ``starter/``, and for a task that shows the model none, the stated stub in ``stub/``.

    ``mutant/NAME``: the reply in ``mutants/NAME.md``, without its head.
    """
    if which.startswith(PREFIX) and job.data is not None:
        return _mutant(which, job.data, job.data / FOLDER / f"{which.removeprefix(PREFIX)}.md")
    names = ("starter", "stub") if builtin.PREFIX + which == builtin.STARTER else (which,)
    folders = [job.data / name for name in names] if job.data is not None else []
    for folder in folders:
        if folder.is_dir():
            return _files(folder, folder, job)
    place = folders[0] if folders else f"the folder {which}/ in its data folder"
    return _failed(
        "missing_reply",
        f"task {job.key.task} has no {which} files: {place} is missing. "
        f"Put {', '.join(job.files) or 'its files'} there, or leave the task out for {builtin.PREFIX}{which}.",
    )


def _mutant(which: str, root: Path, path: Path) -> Solution:
    try:
        _, reply = take_apart(_read(root, path))
    except ValueError as error:
        raise _UnusableError(f"{path}: {error}.") from None
    return _taken_apart(reply, which, path)


def _names(key: AttemptKey) -> list[str]:
    """File names without ending to look for, the one of this very epoch first."""
    if key.task in ("", ".", "..") or any(character in key.task for character in "/\\\0"):
        raise _UnusableError(f"task id {key.task!r} is no file name: rename the task to use it with dir:.")
    return [f"{key.task}.{key.epoch}", *([key.task] if key.epoch == 1 else [])]


def _later_turns(root: Path, name: str) -> list[Path]:
    """Replies after the first of one attempt, as a run keeps them, the last first."""
    found = {}
    for path in root.iterdir() if root.is_dir() else ():
        turn = path.name.removeprefix(f"{name}.turn").removesuffix(REPLY)
        if path.name == f"{name}.turn{turn}{REPLY}" and turn.isascii() and turn.isdigit():
            found[int(turn)] = path
    return [found[turn] for turn in sorted(found, reverse=True)]


def _taken_apart(text: str, model: str, path: Path) -> Solution:
    """A reply as it would be if a server had sent it: thoughts are no part of the answer."""
    parted = separate(text.removeprefix("\ufeff"))
    completion = Completion(text=parted.answer, reasoning=parted.thought, finish_reason="stop")
    if not text.strip():
        failure: Failure | None = Failure(kind="empty_content", message=f"{path} is empty.", cause=str(path))
    else:
        request = CompletionRequest(model=model, endpoint="dir", messages=(), epoch=1)
        failure = answer_failure(completion, request, endpoint=str(path), leak=parted.leak)
        failure = failure and failure.model_copy(update={"http_status": None})
    return HandedInReply(completion=completion) if failure is None else Failed(completion=completion, failure=failure)


def _files(root: Path, folder: Path, job: Job) -> Solution:
    """The expected files that are there; some missing is the grading's business, none is no submission."""
    expected = job.files
    if not expected:
        _inside(root, folder)
        return Files(folder)
    # As they are, or as a run keeps them.
    places = {
        name: next((p for p in (folder / name, folder / kept_name(name)) if p.exists()), None) for name in expected
    }
    files = {name: _read(root, place) for name, place in places.items() if place is not None}
    if files:
        return Files(files)
    return _failed(
        "missing_reply", f"{folder} has none of the expected files: {', '.join(expected)}.{_near(folder, expected)}"
    )


def _read(root: Path, path: Path) -> str:
    """Text of one regular file inside ``root``, following links only within it."""
    _inside(root, path)
    if not path.is_file():
        raise _UnusableError(f"{path} is no regular file.")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _UnusableError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB: it cannot be what the task asks for.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _UnusableError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8.") from error


def _inside(root: Path, path: Path) -> None:
    if not path.resolve().is_relative_to(root.resolve()):
        raise _UnusableError(f"{path} leads out of {root}: put a copy of the file there instead of a link.")


def _near(folder: Path, wanted: Sequence[str]) -> str:
    """A sentence naming what lies there under a similar name; empty when nothing does."""
    there = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    close = list(dict.fromkeys(_close(wanted, there)))
    return f" Near: {', '.join(close)}." if close else ""


def _close(wanted: Sequence[str], there: Sequence[str]) -> Iterator[str]:
    for name in wanted:
        yield from difflib.get_close_matches(name, there, n=3)


def _failed(kind: ErrorKind, message: str) -> Failed:
    return Failed(failure=Failure(kind=kind, message=message, cause=message))
