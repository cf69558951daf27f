"""Trees of files that were handed in: frozen in the run folder, and read back as they were."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_llmbench.errors import HarnessError, StoreError
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.run_files import kept_name
from pytest_llmbench.schema.tree import MOST_BYTES, MOST_FILE_BYTES, MOST_FILES, Tree, TreeFile, is_left_out
from pytest_llmbench.store.run_dir import RunDir, files_parts, reading, writing
from pytest_llmbench.untrusted import files as untrusted

_MOST_NOTES = 20
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL)
"""Errors that say that no file can have that name there, and nothing of the place."""


def freeze(
    run: RunDir,
    key: AttemptKey,
    files: Mapping[str, bytes | str] | Path,
    *,
    names: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    executable: Collection[str] = (),
) -> Tree:
    """Keep files in the run folder, under names that nothing imports, and give their manifest.

    ``names``: those that the task asks for; empty: all, but for what ``leave_out`` matches. ``executable``: those of a
    mapping that are programs. In a folder no link is
    followed, and nothing but regular files is taken; the manifest notes what was passed over. Raises ``HarnessError``
    for a tree beyond the limits of ``schema/tree.py``, ``StoreError`` where it cannot be kept.
    """
    found: list[TreeFile] = []
    notes: list[str] = []
    size = 0
    each = _in_folder(files, notes) if isinstance(files, Path) else _in_mapping(files, executable)
    with writing(run.files_dir(key)):
        run.make_files_dir(key)
    for name, data, is_program in each:
        if name not in names if names else is_left_out(name, tuple(leave_out)):
            continue
        size += len(data)
        digest = hashlib.sha256(data).hexdigest()
        if len(found) == MOST_FILES or size > MOST_BYTES:
            raise HarnessError(
                f"{key}: the tree that was handed in has more than {MOST_FILES} files or {MOST_BYTES} bytes. Leave out "
                "what is not a part of the solution: leave_out= of the task's marker."
            )
        with writing(run.files_dir(key) / name):
            try:
                untrusted.write(run.path, "/".join([*files_parts(key), kept_name(name)]), [data])
            except OSError as error:
                if error.errno not in _OF_THE_NAME:
                    raise
                notes.append(f"{name:.200}: {error.strerror}")
                continue
        found.append(TreeFile(name=name, sha256=digest, size=len(data), executable=is_program))
    more = len(notes) - _MOST_NOTES
    shown = (*notes[:_MOST_NOTES], f"and {more} more") if more > 0 else tuple(notes)
    return Tree(files=tuple(sorted(found, key=lambda file: file.name)), notes=shown)


class StoredTree(Mapping[str, bytes]):
    """The content of a frozen tree, read from the run folder file by file; one that has changed is refused."""

    def __init__(self, run: RunDir, key: AttemptKey, tree: Tree) -> None:
        self._run = run
        self._key = key
        self._files = {file.name: file for file in tree.files}

    def __getitem__(self, name: str) -> bytes:
        """Raises ``StoreError`` for a file that is missing, or is not what was handed in."""
        file = self._files[name]
        where = "/".join([*files_parts(self._key), kept_name(name)])
        path = self._run.path / where
        try:
            with reading(path), contextlib.suppress(_TooLongError):
                data = _read(self._run.path, where, file.size)
                if hashlib.sha256(data).hexdigest() == file.sha256:
                    return data
        except ValueError as error:
            raise StoreError(f"{path} cannot be read: {error}. Restore the run folder.") from error
        raise StoreError(f"{path} is missing, or is not what was handed in: its digest differs. Restore the file.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class _TooLongError(Exception):
    """The file is longer than what was handed in."""


def _read(root: Path, name: str, size: int) -> bytes:
    try:
        return untrusted.read(root, name, most_bytes=size)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _TooLongError from error
        raise


def _in_mapping(files: Mapping[str, bytes | str], executable: Collection[str]) -> Iterator[tuple[str, bytes, bool]]:
    for name in files:
        try:
            untrusted.components(name)
            content = files[name]
            data = content.encode() if isinstance(content, str) else bytes(content)
        except StoreError as error:  # of the run that it was stored in: this one can be written
            raise HarnessError(str(error)) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise HarnessError(f"a file was handed in as {name!r:.200} that cannot be kept: {error}.") from error
        if len(data) > MOST_FILE_BYTES:
            raise HarnessError(f"{name} was handed in with more than {MOST_FILE_BYTES} bytes.")
        yield name, data, name in executable


def _in_folder(root: Path, notes: list[str]) -> Iterator[tuple[str, bytes, bool]]:
    """Every regular file below a folder that strangers may have filled, in the order of names."""
    waiting: list[list[str]] = [[]]
    while waiting:
        inside = waiting.pop()
        deeper = []
        try:
            names = untrusted.names(root, inside, most=MOST_FILES)
        except OSError as error:
            notes.append(f"{'/'.join(inside) or '.'}: {error.strerror or error}")
            continue
        for name in names:
            path = [*inside, name]
            shown = "/".join(path)
            try:
                shown.encode()
                with untrusted.folder(root, inside) as parent:
                    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    deeper.append(path)
                elif stat.S_ISREG(mode):
                    data = untrusted.read(root, shown, most_bytes=MOST_FILE_BYTES, hard_links=True)
                    yield shown, data, bool(mode & stat.S_IXUSR)
                else:
                    notes.append(f"{shown}: {'a link' if stat.S_ISLNK(mode) else 'not a regular file'}")
            except OSError as error:
                notes.append(f"{shown}: {error.strerror or error}")
            except UnicodeEncodeError:
                notes.append(f"{shown!a}: its name is not valid Unicode")
        waiting += reversed(deeper)
