"""The bed of one command: a copy of the workspace, and all else on our side that the command may write to.

It is made before the command and removed after it. So nothing that one command leaves is found by the next: no module
beside a trusted probe, no settings file, no compiled code in a cache. The path is the same each time, with another
number only while commands run at once: compilers and messages name it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.files.rmtree import remove_tree
from pytest_llmbench.sandbox.files.unprivileged_user import Identity
from pytest_llmbench.schema.execution import Seed

_WORKSPACE, _HOME, _CACHES = "w", "home", "caches"
_NO_HARD_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}


@dataclass(frozen=True, slots=True)
class Bed:
    """The folders of one command."""

    top: Path
    """Holds the others, and goes with them."""
    workspace: Path
    home: Path
    """Empty, for where the command has no ``/tmp`` of its own."""
    caches: Mapping[str, Path]
    """Variable: the copy of a toolchain's cache that it is to name."""


@contextlib.contextmanager
def made(workspace: Path, seeds: Sequence[Seed] = ()) -> Iterator[Bed]:
    """Make a bed beside ``workspace``, which is only read, and remove it in the end, whatever then lies in it.

    Raises ``SandboxError`` when it cannot be made.
    """
    top = None
    try:
        try:
            top = _claim(workspace)
            bed = Bed(
                top,
                top / _WORKSPACE,
                top / _HOME,
                {seed.variable: top / _CACHES / seed.variable for seed in seeds if seed.variable},
            )
            _lay_out(bed, workspace, seeds)
        except OSError as error:
            msg = f"the workspace {workspace} cannot be copied for a command: {error}. Is it there, and room beside it?"
            raise SandboxError(msg) from error
        yield bed
    finally:
        if top is not None:
            with contextlib.suppress(OSError):  # what remains is no verdict on the program
                _remove(top)


def _claim(workspace: Path) -> Path:
    """A new folder, for us alone."""
    for number in itertools.count(1):
        top = workspace.with_name(f"{workspace.name}.bed{number}")
        with contextlib.suppress(FileExistsError):
            top.mkdir(mode=0o700)
            return top
    raise AssertionError


def _remove(top: Path) -> None:
    try:
        remove_tree(top)
    except OSError:
        if os.geteuid() != 0:
            raise
        # A root without all of root's rights, as in a container: it may enter what is its own.
        Identity(0, 0).own(top)
        remove_tree(top)


def _lay_out(bed: Bed, workspace: Path, seeds: Sequence[Seed]) -> None:
    bed.home.mkdir()
    bed.workspace.mkdir()
    copy_tree(workspace, bed.workspace)
    for seed in seeds:
        target = bed.caches[seed.variable] if seed.variable else bed.workspace / seed.place
        target.mkdir(parents=True, exist_ok=True)
        copy_tree(seed.source, target)
        for name, text in seed.files:
            (target / name).write_text(text, encoding="utf-8")


def copy_tree(source: Path | str, target: Path | str) -> None:
    """Copy what is in the folder ``source`` into the folder ``target``, with modes and times of files.

    Where ``target`` has a file or link already, that stays. Links are not followed, and are the same link twice where
    the file system allows that: thousands of new ones would take seconds. Raises ``OSError``, also for what is no file,
    folder or link.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_symlink():
                with contextlib.suppress(FileExistsError):
                    _copy_link(entry.path, path)
            elif entry.is_dir():
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path)  # noqa: PTH102 - thousands of times
                copy_tree(entry.path, path)
            elif entry.is_file():
                if not os.path.lexists(path):
                    shutil.copyfile(entry.path, path)
                    shutil.copystat(entry.path, path)
            else:
                raise OSError(errno.EINVAL, "neither file, folder nor link", entry.path)


def _copy_link(source: str, path: str) -> None:
    try:
        os.link(source, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.symlink(os.readlink(source), path)  # noqa: PTH115, PTH211
