"""Going through a folder that a hostile program filled: any depth, any names, no link followed, never outside."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT_OPEN = 32
"""Folders of the way down, from the top, that stay open; a descriptor for each level would run out."""


@dataclass(slots=True)
class _Level:
    descriptor: int | None
    identity: tuple[int, int]
    names: list[str]
    """Folders in it that are still to be visited."""


def walk(root: Path) -> Iterator[tuple[int, str, os.stat_result]]:
    """Every entry below ``root``: a descriptor of the folder it is in, its name, and what it is.

    The descriptor is good until the next entry. What vanishes meanwhile is left out; a folder that forbids its owner
    to look is made to allow it; what lies deep below and is moved about may be left out. Raises ``OSError`` for
    ``root`` itself.
    """
    levels = [_open(os.open(root, _FOLDER & ~os.O_NOFOLLOW))]
    try:
        while levels:
            level = levels[-1]
            assert level.descriptor is not None
            for entry in _entries(level.descriptor):
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        level.names.append(entry.name)
                    yield level.descriptor, entry.name, entry.stat(follow_symlinks=False)
            while levels and not _descend(levels):
                _ascend(levels)
    finally:
        for level in levels:
            if level.descriptor is not None:
                os.close(level.descriptor)


def open_folder(name: str, parent: int) -> int:
    """A descriptor of the folder ``name`` in the folder ``parent``, whatever its mode. Raises ``OSError``."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101 - a descriptor, not a path
        finally:
            os.close(handle)
        return os.open(name, _FOLDER, dir_fd=parent)


def _entries(descriptor: int) -> list[os.DirEntry[str]]:
    with os.scandir(descriptor) as entries:
        return list(entries)


def _open(descriptor: int) -> _Level:
    status = os.fstat(descriptor)
    return _Level(descriptor, (status.st_dev, status.st_ino), [])


def _descend(levels: list[_Level]) -> bool:
    """Enter the next folder of the lowest level; False: there is none left."""
    level = levels[-1]
    folder = level.descriptor
    assert folder is not None
    while level.names:
        with contextlib.suppress(OSError):
            levels.append(_open(open_folder(level.names.pop(), folder)))
            if len(levels) > _KEPT_OPEN:
                level.descriptor = None
                os.close(folder)
            return True
    return False


def _ascend(levels: list[_Level]) -> None:
    """Leave the lowest level for the one above it, or for the lowest that is still open if that one was moved."""
    below = levels.pop()
    assert below.descriptor is not None
    try:
        if levels and levels[-1].descriptor is None:
            again = _open(os.open("..", _FOLDER, dir_fd=below.descriptor))
            if again.identity == levels[-1].identity:
                levels[-1].descriptor = again.descriptor
                return
            if again.descriptor is not None:
                os.close(again.descriptor)
            while levels[-1].descriptor is None:
                levels.pop()
    finally:
        os.close(below.descriptor)
