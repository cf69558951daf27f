"""Whose a run folder is, and what is in it that no run has: to be told before anything of it is run."""

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
    """What was found, each thing in words."""

    strangers: tuple[str, ...]
    """Users other than this one who own something of it."""
    irregular: tuple[str, ...]
    """What is neither a plain file nor a folder, or has a second name: ``files/m/t.1 (a link)``."""
    odd: tuple[str, ...]
    """Names that no run has, or that mean something to tools."""

    def notes(self, run: Path) -> list[str]:
        """What a user has to know before anything of it is run; empty for a folder like any other."""
        lines = []
        if self.strangers:
            lines.append(f"{run} is not yours alone: it belongs in part to {_some(self.strangers)}")
        if self.odd:
            lines.append(f"{run} holds what no run does, and what is neither read nor run: {_some(self.odd)}")
        return lines


def inspect(run: RunDir) -> Inspection:
    """Look at everything in a run folder; no link is followed, only our guards are read. Raises ``StoreError``."""
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
                    raise StoreError(f"{run.path} holds more than {_MOST_ENTRIES} files: it cannot be one run.")
                shown = name if inside == "." else f"{inside}/{name}"
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                _note_owner(status, strangers)
                if what := _irregular(status):
                    irregular.append(f"{shown} ({what})")
                if _is_odd(name, top=depth == 0) and not (depth == 0 and is_guard(run.path, name)):
                    odd.append(shown)
            if depth >= _MOST_DEPTH:
                odd.append(f"{inside} (nested deeper than {_MOST_DEPTH} folders)")
                folders.clear()
    except OSError as error:
        raise StoreError(f"{run.path} cannot be looked through: {error.strerror or error}.") from error
    return Inspection(tuple(strangers), tuple(irregular), tuple(odd))


def checked(run: RunDir) -> list[str]:
    """What to tell of a run folder before anything of it is run, or written to it.

    Raises ``StoreError`` when it holds what is no plain file: a link may lead anywhere.
    """
    found = inspect(run)
    if found.irregular:
        raise StoreError(
            f"{run.path} holds what is no plain file: {_some(found.irregular)}. Nothing of it is run. "
            "llmbench merge makes a new run of what is plain in it: take that one."
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
