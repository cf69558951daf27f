"""Files below a folder that others may have filled: no link is followed, and nothing but a regular file is opened.

Each component of a name is opened by itself, below the descriptor of the one before, so that nobody can exchange one
of them on the way. Only ``root`` is opened as it stands: it is what the user named.

Every function raises ``OSError`` whose ``strerror`` says in words what is in the way, and ``ValueError`` for a name
that could leave ``root``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK opening a FIFO would wait for its other end.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK = "a link, which is not followed"
_PIECE_BYTES = 1 << 16


def components(name: str) -> list[str]:
    """The parts of a name relative to a root; ``ValueError`` for one that could lead out of it."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ValueError(f"{name!r} is not a plain relative name")
    return parts


@contextlib.contextmanager
def folder(root: Path, parts: Sequence[str] = (), *, create: bool = False, mode: int = 0o777) -> Iterator[int]:
    """A descriptor of the folder ``parts`` below ``root``, for the time of the block; ``create``: missing ones too."""
    descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in parts:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, mode, dir_fd=descriptor)
            below = _open_folder(part, descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def opened(root: Path, name: str, *, most_bytes: int, hard_links: bool = False) -> Iterator[BinaryIO]:
    """A regular file, open for reading; ``OSError`` when it is longer than ``most_bytes``.

    Without ``hard_links`` a file that has a second name is refused: it may be one of somebody's outside ``root``.
    """
    *above, last = components(name)
    with folder(root, above) as parent:
        descriptor = _open_regular(last, parent, os.O_RDONLY, hard_links=hard_links)
    with os.fdopen(descriptor, "rb") as stream:
        if os.fstat(descriptor).st_size > most_bytes:
            raise OSError(errno.EFBIG, f"longer than {most_bytes} bytes", name)
        yield stream


def read(root: Path, name: str, *, most_bytes: int, hard_links: bool = False) -> bytes:
    """The whole of a regular file; ``OSError`` when it is longer than ``most_bytes``, also if it grows meanwhile."""
    with opened(root, name, most_bytes=most_bytes, hard_links=hard_links) as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"longer than {most_bytes} bytes", name)
    return data


def lines(stream: BinaryIO, *, most_bytes: int, most_lines: int) -> Iterator[bytes]:
    """Line by line; ``OSError`` for a longer line, or for more of them."""
    number = 0
    while line := stream.readline(most_bytes + 1):
        number += 1
        if len(line) > most_bytes:
            raise OSError(errno.EFBIG, f"line {number} is longer than {most_bytes} bytes")
        if number > most_lines:
            raise OSError(errno.EFBIG, f"more than {most_lines} lines")
        yield line


def write(root: Path, name: str, pieces: Iterable[bytes], *, mode: int = 0o666) -> None:
    """Write a file as a whole: beside it and renamed, so that readers see the old one or the new one.

    What lies there under that name, be it a link, is replaced, never written to. Missing folders are made.
    """
    *above, last = components(name)
    beside = f".{last}.{os.getpid()}.{secrets.token_hex(3)}"
    with _existing_or_new(root, above) as parent:
        descriptor = os.open(beside, os.O_WRONLY | _NEW, mode, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb", buffering=_PIECE_BYTES) as stream:
                stream.writelines(pieces)
            os.replace(beside, last, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=parent)
            raise


def write_new(root: Path, name: str, data: bytes) -> bool:
    """Write a file unless something has that name already, whatever it is; True: it was written."""
    *above, last = components(name)
    with folder(root, above) as parent:
        try:
            descriptor = os.open(last, os.O_WRONLY | _NEW, 0o666, dir_fd=parent)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    return True


def open_to_append(root: Path, name: str) -> int:
    """A descriptor of a regular file that has no other name, for reading and appending; it is made if missing."""
    *above, last = components(name)
    with folder(root, above) as parent:
        with contextlib.suppress(FileExistsError):
            return os.open(last, os.O_RDWR | os.O_APPEND | _NEW, 0o666, dir_fd=parent)
        return _open_regular(last, parent, os.O_RDWR | os.O_APPEND, hard_links=False)


def remove(root: Path, name: str) -> None:
    """Take a name away, if it is there; what it links to stays."""
    *above, last = components(name)
    with contextlib.suppress(FileNotFoundError), folder(root, above) as parent:
        os.unlink(last, dir_fd=parent)


def names(root: Path, parts: Sequence[str] = (), *, most: int) -> list[str]:
    """What is in a folder, sorted; ``OSError`` for more than ``most`` entries."""
    found = []
    with folder(root, parts) as descriptor, os.scandir(descriptor) as entries:
        for entry in entries:
            found.append(entry.name)
            if len(found) > most:
                raise OSError(errno.EFBIG, f"more than {most} entries")
    return sorted(found)


def below(
    root: Path,
    parts: Sequence[str],
    *,
    most_files: int,
    most_bytes: int,
    ending: str | tuple[str, ...] = "",
    hard_links: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every regular file in the folder ``parts`` and below it whose name ends so.

    In order of names, those of a folder before those below it. Whatever else is there, links above all, is passed
    over. ``OSError`` for more files, or longer ones.
    """
    waiting = [list(parts)]
    count = 0
    while waiting:
        inside = waiting.pop()
        deeper = []
        for name in names(root, inside, most=most_files):
            path = [*inside, name]
            with folder(root, inside) as parent:
                mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            count += 1
            if count > most_files:
                raise OSError(errno.EFBIG, f"more than {most_files} files")
            if stat.S_ISDIR(mode):
                deeper.append(path)
            elif stat.S_ISREG(mode) and (below_it := "/".join(path[len(parts) :])).endswith(ending):
                yield below_it, read(root, "/".join(path), most_bytes=most_bytes, hard_links=hard_links)
        waiting += reversed(deeper)


@contextlib.contextmanager
def _existing_or_new(root: Path, parts: Sequence[str]) -> Iterator[int]:
    """``folder``, which is there nearly always: making each of them first would be a system call each."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = stack.enter_context(folder(root, parts))
        except FileNotFoundError:
            descriptor = stack.enter_context(folder(root, parts, create=True))
        yield descriptor


def _open_folder(name: str, parent: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        # Systems differ in what they say of a link here, and "not a directory" would be taken for a missing file.
        if error.errno in (errno.ENOTDIR, errno.ELOOP) and _is_link(name, parent):
            raise OSError(errno.ELOOP, _LINK, name) from None
        raise


def _open_regular(name: str, parent: int, flags: int, *, hard_links: bool) -> int:
    # Looked at first, for the mere opening of a device can do something.
    _check(os.stat(name, dir_fd=parent, follow_symlinks=False), name, hard_links=hard_links)
    descriptor = os.open(name, flags | _SAFELY, dir_fd=parent)
    try:
        _check(os.fstat(descriptor), name, hard_links=hard_links)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check(status: os.stat_result, name: str, *, hard_links: bool) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, _LINK, name)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", name)
    if status.st_nlink > 1 and not hard_links:
        raise OSError(errno.EMLINK, "a hard link: the file has another name, which may be anybody's", name)


def _is_link(name: str, parent: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False
