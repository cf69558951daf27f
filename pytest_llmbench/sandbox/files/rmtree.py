"""Removing a folder that a hostile program filled, however deep, wide, locked or oddly named its contents are."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(root: Path) -> None:
    """Remove ``root`` and all that is below it; nothing happens when it is not there.

    No link is followed and nothing outside is touched; nobody may write to the tree meanwhile. Everything is named
    relative to a descriptor, and folders are moved up into ``root`` before they are emptied: so neither the length of
    a path nor the number of levels matters.

    Raises ``OSError`` when all is done that can be: the first problem, with the number of others. What then remains
    may lie under another name.
    """
    try:
        _unlock(root)
        top = os.open(root, _FOLDER)
    except FileNotFoundError:
        return
    problems: list[OSError] = []
    try:
        waiting = _empty(top, top, problems)
        while waiting:
            name = waiting.pop()
            try:
                waiting += _empty_and_remove(name, top, problems)
            except OSError as error:
                problems.append(error)
    finally:
        os.close(top)
    try:
        root.rmdir()
    except OSError as error:
        first = problems[0] if problems else error
        msg = f"{first.strerror} ({first.filename!r}); {max(len(problems) - 1, 0)} more problems"
        raise OSError(first.errno, msg, str(root)) from first


def _empty_and_remove(name: str, top: int, problems: list[OSError]) -> list[str]:
    """Remove the folder ``name`` of ``top``; what is new in ``top`` afterwards."""
    folder = os.open(name, _FOLDER, dir_fd=top)
    try:
        moved = _empty(folder, top, problems)
    finally:
        os.close(folder)
    with contextlib.suppress(OSError):  # what keeps it is a problem noted already
        os.rmdir(name, dir_fd=top)
    return moved


def _empty(folder: int, top: int, problems: list[OSError]) -> list[str]:
    """Remove the files of ``folder`` and move its folders up into ``top``; their names there."""
    with os.scandir(folder) as entries:
        found = list(entries)
    moved = []
    for entry in found:
        try:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=folder)
                continue
            _unlock(entry.name, folder)
            name = entry.name
            if folder != top:
                name = secrets.token_hex(16)
                os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
            moved.append(name)
        except OSError as error:
            problems.append(error)
    return moved


def _unlock(name: str | Path, parent: int | None = None) -> None:
    """Let the owner into a folder and move it; it may have any mode. A link is left as it is."""
    if not hasattr(os, "O_PATH"):
        os.chmod(name, 0o700, dir_fd=parent, follow_symlinks=False)
        return
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        # There is no chmod of a descriptor that was opened without any right, but by its entry in /proc.
        with contextlib.suppress(OSError):
            os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101 - a descriptor, not a path
    finally:
        os.close(handle)
