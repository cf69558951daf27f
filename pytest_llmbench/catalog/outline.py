"""Outlines of tasks, parsed from module source without importing it, to find data folders.

pytest walks into folders before it knows the tasks next to them, and must not import files from a data folder.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from os.path import exists, isdir
from pathlib import Path
from typing import NamedTuple

PARTS = ("starter", "stub", "reference", "mutants", "dependencies")
"""Folders of a data folder."""
LEVELS_UP = 5
"""In how many folders ``fixtures/TASK_ID`` is looked for: that of the module and those above it."""
ATTEMPT = re.compile(r"\.\d+$")
"""Behind the task's name in that of a reply: the epoch."""
_FIXTURES = "fixtures"
_MARK = "llm_task"
_MOST_FOLDERS = 2000
_MOST_BYTES = 2_000_000


class Outline(NamedTuple):
    """What a module's source says about its task; None: only known by running it."""

    module: Path
    id: str | None
    data: str | None
    """Empty: it names no data folder."""
    owns_folder: bool
    """True where the prompt is a file, and the files beside the module are the task's."""
    files: tuple[str, ...] = ()
    """Names of those that are to be handed in, as far as the text says."""

    def may_own(self, folder: Path) -> bool:
        """True if ``folder``, an absolute path, is the task's data folder, or if that cannot be ruled out."""
        if self.data is None:
            return True
        home = self.module.parent
        if self.data:
            return Path(os.path.realpath(home / self.data)) == Path(os.path.realpath(folder))
        if folder.parent.name != _FIXTURES or self.id not in (None, folder.name):
            return False
        return folder.parent.parent in [home, *home.parents][:LEVELS_UP]

    def is_answered_by(self, folder: Path) -> bool:
        """True if ``folder`` looks like a reply for ``dir:``: named after the task, with its files."""
        named = bool(self.id) and ATTEMPT.sub("", folder.name) == self.id
        return named and not self.module.is_relative_to(folder) and any(exists(folder / name) for name in self.files)


class Outlines:
    """The tasks of folders, each read once."""

    def __init__(self, top: Path, passed_over: Callable[[Path], bool]) -> None:
        """Above ``top`` nothing is looked for, nor in folders that are ``passed_over``."""
        self.top = top
        self._passed_over = passed_over
        self._inside: dict[Path, tuple[Outline, ...]] = {}
        self._below: dict[Path, tuple[Outline, ...] | None] = {}

    def inside(self, folder: Path) -> tuple[Outline, ...]:
        """The tasks whose modules are directly in a folder."""
        if folder not in self._inside:
            self._inside[folder] = tuple(_read_folder(folder))
        return self._inside[folder]

    def below(self, folder: Path) -> tuple[Outline, ...] | None:
        """The tasks of a folder and everything below it; None: too many folders."""
        if folder not in self._below:
            waiting = deque([folder])
            found: list[Outline] = []
            for _ in range(_MOST_FOLDERS):
                if not waiting:
                    break
                place = waiting.popleft()
                found += self.inside(place)
                waiting += (each for each in _subfolders(place) if not self._passed_over(each))
            self._below[folder] = None if waiting else tuple(found)
        return self._below[folder]

    def is_data_folder(self, folder: Path) -> bool:
        """True for a task's data folder: it looks like one, and a task names it.

        Tasks are searched for in the folder, in those above it, and next to it. With too many folders for that, its
        look alone decides.
        """
        parts = sum(isdir(folder / part) for part in PARTS)
        if not parts:
            return False
        above = [place for place in [folder, *folder.parents][: LEVELS_UP + 1] if place.is_relative_to(self.top)]
        if any(outline.may_own(folder) for place in above for outline in self.inside(place)):
            return True
        base = folder.parent.parent
        beside = self.below(base if base.is_relative_to(self.top) else self.top)
        return parts > 1 if beside is None else any(outline.may_own(folder) for outline in beside)


def _read_folder(folder: Path) -> Iterator[Outline]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".py") and entry.is_file())
    except OSError:
        return
    for name in names:
        yield from _read_module(folder / name)


def _subfolders(folder: Path) -> list[Path]:
    """Those in which a task may lie: no hidden ones, no links, no virtual environments, no packages of npm."""
    if exists(folder / "pyvenv.cfg"):
        return []
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if name[0] != "." and name not in ("__pycache__", "node_modules")]


def _read_module(path: Path) -> Iterator[Outline]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
        if _MARK.encode() not in text:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == _MARK:
            given = {keyword.arg: _constant(keyword.value) for keyword in node.keywords}
            files = next((keyword.value for keyword in node.keywords if keyword.arg == "files"), None)
            unknown = None in given  # **arguments
            yield Outline(
                module=path,
                id=given.get("id"),
                data=given.get("data", None if unknown else ""),
                owns_folder=not unknown and "prompt_text" not in given,
                files=tuple(filter(None, map(_constant, getattr(files, "elts", ())))),
            )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
