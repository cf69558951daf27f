"""Which folders pytest must never collect or import from: those with files that models, or mutants, wrote.

Run folders, what ``dir:`` grades, and the data folders of tasks. Tells them by their look and by the text of task
modules, for it is asked before anything was imported. pytest loads this at start: standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from os.path import isdir, islink
from pathlib import Path

from pytest_llmbench.catalog.outline import LEVELS_UP, PARTS, Outlines
from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.run_files import BASE, RUNS
from pytest_llmbench.store.guard import is_run_folder

"""Name of the folder of runs, where no other is chosen."""
_ENDING = re.compile(r"(\.\d+(\.turn\d+)?)?(\.md)?$")
"""What ``dir:`` reads has behind the task's name."""


_TESTS = ("test_*.py", "*_test.py")
"""What pytest takes for tests, where nobody changed it."""


class OffLimits:
    """Asked about path after path; every folder is looked at once. A link is what it leads to."""

    def __init__(
        self,
        top: Path,
        replies: Iterable[Path] = (),
        tests: Sequence[Path] = (),
        *,
        loaded: Iterable[Path] = (),
        used: bool = True,
    ) -> None:
        """``top``: the root of the project. ``replies``: folders that ``dir:`` names. ``tests``: where tests are.

        ``loaded``: what loaders read; off limits is what lies in it, for its tests are run in the sandbox.

        A ``dir:`` folder may be the project's root, or hold its tests: then it is off limits where it is named after
        a task. Raises ``OptionError`` where the names of the tasks cannot be told. ``used``: models were graded here,
        so that folders which look like replies are looked for as well, for which the whole project is read.
        """
        self._used = used
        self._reals: dict[Path, Path] = {}
        self._known: dict[Path, str] = {}
        places = [self._real(place) for place in (top, *tests)]
        self._outlines = Outlines(places[0], lambda folder: bool(self._whole(folder)))
        self._wholes: set[Path] = set()
        self._tasks: dict[Path, frozenset[str]] = {}
        self._loaded = {self._real(path) for path in loaded}
        folders = {self._real(folder) for folder in replies}
        shared = {folder for folder in folders if any(place.is_relative_to(folder) for place in places)}
        self._wholes |= folders - shared
        for folder in shared:
            self._tasks[folder] = self._names(places, folder)

    def why(self, path: Path) -> str:
        """What a path is, or lies in, that is off limits; empty for all other paths."""
        return self._why(self._real(path))

    def is_probe(self, path: Path) -> bool:
        """True for a file of a task that is no test by pytest's own names: probes run in the sandbox, not here.

        A task's files are those beside its module and, if the folder is that of one task, those below.
        """
        path = self._real(path)
        if any(path.match(pattern) for pattern in _TESTS):
            return False
        outlines = self._outlines.inside(path.parent)
        if any(outline.module == path for outline in outlines):
            return False
        return any(outline.owns_folder for outline in outlines) or any(map(self._is_of_one, self._above(path.parent)))

    def _above(self, folder: Path) -> list[Path]:
        """Folders around, below the root of the project or all of another place."""
        top = self._outlines.top
        above = list(folder.parents)[:LEVELS_UP]
        return [place for place in above if place.is_relative_to(top) and place != top] if top in above else above

    def _is_of_one(self, folder: Path) -> bool:
        outlines = self._outlines.inside(folder)
        return len(outlines) == 1 and outlines[0].owns_folder

    def _real(self, path: Path) -> Path:
        path = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() looks at every part of it, every time
        if path not in self._reals:
            real = self._real(path.parent) / path.name if path.parent != path else path
            self._reals[path] = Path(os.path.realpath(real)) if islink(real) else real
        return self._reals[path]

    def _why(self, path: Path) -> str:
        if path not in self._known:
            above = self._why(path.parent) if path.parent != path else ""
            own = above or self._part_of_loaded(path) or self._reply(path)
            self._known[path] = own or (self._whole(path) or self._of_a_task(path) if isdir(path) else "")
        return self._known[path]

    def _part_of_loaded(self, path: Path) -> str:
        return f"{path.parent} is what --llm-suite has a loader read" if path.parent in self._loaded else ""

    def _reply(self, path: Path) -> str:
        """Of a ``dir:`` folder that holds more: what is named after a task."""
        names = (path.name.removesuffix(found[0]) for found in _ENDING.finditer(path.name))
        tasks = self._tasks.get(path.parent, frozenset())
        return f"{path} is a reply that dir: names" if any(name in tasks for name in names) else ""

    def _whole(self, folder: Path) -> str:
        if folder in self._wholes:
            return f"{folder} holds the replies that dir: names"
        if is_run_folder(folder) or (folder.name == BASE.name and isdir(folder / RUNS)):
            return f"{folder} is a run folder of llmbench"
        return ""

    def _of_a_task(self, folder: Path) -> str:
        if folder.name in PARTS and self._outlines.is_data_folder(folder.parent):
            return f"{folder} holds files of a task's data folder"
        if self._outlines.is_data_folder(folder) and not self._outlines.inside(folder):
            return f"{folder} is the data folder of a task"
        tasks = self._outlines.below(self._outlines.top) if self._used else None
        if any(task.is_answered_by(folder) for task in tasks or ()):
            return f"{folder} is named after a task and holds what it asks for, as a reply does"
        return ""

    def _names(self, places: Iterable[Path], folder: Path) -> frozenset[str]:
        """The names of all tasks in ``places``."""
        found = [self._outlines.below(place if isdir(place) else place.parent) for place in places]
        outlines = [outline for tasks in found for outline in tasks or ()]
        if self._loaded:
            raise OptionError(
                f"dir:{folder} holds the tests too, and the names of tasks that a loader reads are not known yet. "
                "Put the replies into a folder of their own."
            )
        unclear = next((str(outline.module) for outline in outlines if outline.id is None), "")
        if unclear or None in found:
            raise OptionError(
                f"dir:{folder} holds the tests too, and which of the folders in it are replies cannot be told "
                f"({f'{unclear} has no plain id=' if unclear else 'there are too many folders'}). "
                "Put the replies into a folder of their own."
            )
        return frozenset(outline.id for outline in outlines if outline.id)
