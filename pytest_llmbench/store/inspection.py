"""Inspection of a run folder before anything in it is run: foreign owners, irregular and unexpected files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.run_files import CONTENTS
from pytest_llmbench.store.guard import is_guard
from pytest_llmbench.store.run_dir import RunDir

_MOST_ENTRIES = 1_000_000
_MOST_DEPTH = 40
_SHOWN = 3
_TOOLS = frozenset(
    {"conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "__init__.py"}
)
"""What pytest, or Python, would take for its own where it looks for such."""


class Inspection(NamedTuple):
    """The findings, as text."""

    strangers: tuple[str, ...]
    """Other users who own part of it."""
    irregular: tuple[str, ...]
    """Entries that are neither regular files nor directories, or have a second name: ``files/m/t.1 (a link)``."""
    odd: tuple[str, ...]
    """Names that do not belong to a run, or that have a meaning to tools."""

    def notes(self, run: Path) -> list[str]:
        """Warnings for the user before anything of it is run; empty for a normal run folder."""
        lines = []
        if self.strangers:
            lines.append(f"{run} has files of other owners: {_some(self.strangers)}")
        if self.odd:
            lines.append(f"{run} has files that do not belong to a run (ignored): {_some(self.odd)}")
        return lines


def inspect(run: RunDir) -> Inspection:
    """Inspect all entries of a run folder; no link is followed, only guards are read. Raises ``StoreError``."""
    strangers, irregular, odd = dict[str, None](), [], []
    _note_owner(run.path.stat(), strangers)
    seen = 0
    try:
        for path, folders, names, descriptor in os.fwalk(run.path, follow_symlinks=False, onerror=_raise):
            inside = os.path.relpath(path, run.path)
            depth = 0 if inside == "." else inside.count(os.sep) + 1
            for name in (*folders, *names):
                seen += 1
                if seen > _MOST_ENTRIES:
                    raise StoreError(
                        f"{run.path} is not a single run: it has more than {_MOST_ENTRIES} files. Name one run folder."
                    )
                shown = name if inside == "." else f"{inside}/{name}"
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                _note_owner(status, strangers)
                if what := _irregular(status):
                    irregular.append(f"{shown} ({what})")
                if _is_odd(name, top=depth == 0) and not (depth == 0 and is_guard(run.path, name)):
                    odd.append(shown)
            if depth >= _MOST_DEPTH:
                odd.append(f"{inside} (nested deeper than {_MOST_DEPTH} directories)")
                folders.clear()
    except OSError as error:
        raise StoreError(f"cannot inspect {run.path}: {error.strerror or error}. Make it readable.") from error
    return Inspection(tuple(strangers), tuple(irregular), tuple(odd))


def checked(run: RunDir) -> list[str]:
    """Warnings about a run folder, before anything of it is run or written to it.

    Raises ``StoreError`` if it has links or other irregular files: a link may lead anywhere.
    """
    found = inspect(run)
    if found.irregular:
        raise StoreError(
            f"{run.path} contains irregular files and is not used: {_some(found.irregular)}. "
            f"Make a new run from its regular files with: llmbench merge {run.path}"
        )
    return found.notes(run.path)


def _raise(error: OSError) -> None:
    raise error


def _note_owner(status: os.stat_result, strangers: dict[str, None]) -> None:
    if status.st_uid != os.geteuid():
        strangers[_user(status.st_uid)] = None


def _user(uid: int) -> str:
    import pwd  # missing on Windows

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _irregular(status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return "a hard link" if status.st_nlink > 1 else ""
    kinds = {stat.S_IFDIR: "", stat.S_IFLNK: "a link", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _is_odd(name: str, *, top: bool) -> bool:
    if name in _TOOLS or not name.isprintable():
        return True
    return top and name not in CONTENTS and not name.startswith(".")  # what a kill left of a write begins with a dot


def _some(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
