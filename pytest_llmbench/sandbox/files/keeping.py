"""Carrying what a command made back into the workspace: what a task names, and nothing that the program could shape.

Everything in the bed is hostile. Nothing is reached over a link, by the name of a device or pipe, or through a name
that no reply could have. All is measured before anything is copied.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.sandbox.files.tree_walk import open_folder
from pytest_llmbench.sandbox.files.workspace import name_parts
from pytest_llmbench.schema.execution import LimitHit, Limits
from pytest_llmbench.untrusted import files as untrusted

_CHUNK = 1 << 20
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_EXECUTABLE, _PLAIN = 0o755, 0o644
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Found:
    """One file or folder to keep."""

    parts: list[str]
    size: int | None
    """None: a folder."""


def check_names(names: Sequence[str]) -> None:
    """Raise ``TaskError`` for a name or pattern that could not be one of a file in the workspace."""
    for name in names:
        try:
            name_parts(name)
        except ValueError as error:
            raise TaskError(f"keep={list(names)!r}: {name!r} cannot be kept: {error}") from error


def carry_back(bed: Path, workspace: Path, names: Sequence[str], limits: Limits) -> LimitHit | None:
    """Copy regular files and folders that match ``names`` from ``bed`` into ``workspace``, over what is there.

    A name may have ``*``, ``?`` and ``[...]`` within one component. What is not there, or is something else, is left
    out, and so is what lies where the workspace has a link. Nothing is copied when it is more than ``disk_mb`` or
    ``inodes``: the limit is returned. Everybody must have ended that could write to ``bed``. Raises ``SandboxError``
    when the workspace cannot be written.
    """
    try:
        return _carry(bed, workspace, names, limits)
    except OSError as error:
        msg = f"what a command made cannot be kept in the workspace {workspace}: {error}"
        raise SandboxError(msg) from error


def _carry(bed: Path, workspace: Path, names: Sequence[str], limits: Limits) -> LimitHit | None:
    found: list[_Found] = []
    size = 0
    for one in _matching(bed, names):
        found.append(one)
        size += one.size or 0
        if len(found) > limits.inodes:
            return LimitHit("inodes", limits.inodes, len(found))
        if size > limits.disk_mb * _MEGABYTE:
            return LimitHit("disk_mb", limits.disk_mb, round(size / _MEGABYTE, 1))
    for one in found:
        _place(bed, workspace, one)
    return None


def _matching(bed: Path, names: Sequence[str]) -> Iterator[_Found]:
    """What matches, folders before what is in them; the same file twice where two names match it."""
    parent = os.open(bed.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        top = open_folder(bed.name, parent)  # the program may have closed it
    finally:
        os.close(parent)
    try:
        for name in names:
            yield from _below(top, [], name_parts(name))
    finally:
        os.close(top)


def _below(folder: int, above: list[str], patterns: list[str]) -> Iterator[_Found]:
    """What matches in one folder; without patterns: everything."""
    for name in sorted(os.listdir(folder)):
        if patterns and not fnmatchcase(name, patterns[0]):
            continue
        parts = [*above, name]
        try:
            name_parts("/".join(parts))
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (ValueError, OSError):  # no reply could have that name; or its folder is closed
            continue
        last = len(patterns) <= 1
        if stat.S_ISREG(status.st_mode) and last:
            yield _Found(parts, status.st_size)
        elif stat.S_ISDIR(status.st_mode):
            if last:
                yield _Found(parts, None)
            with contextlib.suppress(OSError):  # its owner moved it away, or it may not be opened
                inner = open_folder(name, folder)
                try:
                    yield from _below(inner, parts, patterns[1:])
                finally:
                    os.close(inner)


def _place(bed: Path, workspace: Path, one: _Found) -> None:
    *above, name = one.parts
    target = workspace.joinpath(*one.parts)
    if any(workspace.joinpath(*one.parts[:count]).is_symlink() for count in range(1, len(one.parts) + 1)):
        return  # a link that we laid there stays
    if target.exists() and target.is_dir() != (one.size is None):
        (remove_tree if target.is_dir() else Path.unlink)(target)
    if one.size is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    try:
        with untrusted.folder(bed, above) as folder:
            source = os.open(name, _FILE, dir_fd=folder)
    except PermissionError:
        return  # the program closed it to everyone
    with os.fdopen(source, "rb") as file, untrusted.folder(workspace, above, create=True, mode=0o755) as folder:
        _copy(file, name, folder, one.size)


def _copy(source: BinaryIO, name: str, folder: int, size: int) -> None:
    status = os.fstat(source.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        raise OSError(errno.EBUSY, "it changed after its program had ended", name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as target:
        while size > 0 and (chunk := source.read(min(size, _CHUNK))):
            target.write(chunk)
            size -= len(chunk)
        target.flush()
        os.fchmod(target.fileno(), _EXECUTABLE if status.st_mode & stat.S_IXUSR else _PLAIN)
        os.utime(target.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
