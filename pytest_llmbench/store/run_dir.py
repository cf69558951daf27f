"""The run folder. Every write is an append or a write-then-rename, so a killed session leaves no partial files.

::

    .llmbench/
    +-- .gitignore               ignores everything here
    +-- completions/ab/<sha256>.json   good completions, by request; shared by all runs
    +-- latest -> runs/<run id>
    +-- runs/<run id>/
        +-- conftest.py  pyvenv.cfg                keep pytest out
        +-- run.json  plan.json  attempts.jsonl  items.jsonl  results.json
        +-- replies/<model>/<task>.<epoch>.md      what the model answered; ``dir:`` reads this folder
        +-- replies/<model>/<task>.<epoch>.json    the request and the outcome
        +-- files/<model>/<task>.<epoch>/          the files taken from the reply, each with ".reply" at its end
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from pytest_llmbench import clock
from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.run_files import COMPLETIONS, FILES, HEADER, LATEST, PLAN, REPLIES, RESULTS, RUNS
from pytest_llmbench.store.guard import GUARDS, write_guards
from pytest_llmbench.untrusted import files

_LONGEST_NAME = 150
_HASH_DIGITS = 20
_SHOWN = 5
_OURS = frozenset({".gitignore", COMPLETIONS, LATEST, RUNS})
"""What a base holds."""
_MOST_ENTRIES = 1_000_000


class RunDir:
    """One run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @classmethod
    def create(cls, base: Path, run_id: str | None = None, *, latest: bool = True) -> RunDir:
        """Make a new run folder below ``base`` and, unless told otherwise, point ``latest`` at it.

        Raises ``StoreError`` if the folder cannot be written, or if ``base`` or an entry to be made in it is a link.
        """
        run_id = run_id or new_run_id()
        run = cls(base / RUNS / run_id)
        with writing(run.path):
            base.parent.mkdir(parents=True, exist_ok=True)
            with (
                files.folder(base.parent, _parts(base), create=True),
                files.folder(base, [RUNS], create=True) as runs,
            ):
                os.mkdir(run_id, dir_fd=runs)
            write_guards(run.path)
        with writing(base / ".gitignore"):
            if _OURS.issuperset(files.names(base, most=_MOST_ENTRIES)):  # otherwise it would hide files of a project
                files.write_new(base, ".gitignore", b"*\n")
        if latest:
            run.point_latest(base)
        return run

    @classmethod
    def open(cls, base: Path, name: str) -> RunDir:
        """An existing run: by its id, by the path of its folder, or ``latest``.

        Raises ``StoreError`` if there is none.
        """
        runs = base / RUNS
        run_id = _latest(base) if name == LATEST else name
        if run_id is not None and _is_folder(runs / run_id):
            return cls(runs.resolve() / run_id)
        path = Path(name).expanduser()
        if not path.is_dir():
            known = sorted(each.name for each in runs.iterdir()) if runs.is_dir() else []
            there = f"Choose from: {', '.join(known[-_SHOWN:])}." if known else "There are no runs. Name a run folder."
            raise StoreError(f"no run {name!r} in {runs}. {there}")
        return cls(path.resolve())

    def point_latest(self, base: Path) -> None:
        """Point ``latest`` of ``base`` at this run, if it is one of its runs. Raises ``StoreError``."""
        if self.path.resolve().parent == (base / RUNS).resolve():
            with writing(base / LATEST):
                _point_latest(base, self.path.name)

    def discard(self) -> None:
        """Remove the folder of a run in which nothing was done; one with anything else in it is left as it is."""
        known = {*GUARDS, HEADER, PLAN, RESULTS}
        with contextlib.suppress(OSError):
            if known.issuperset(files.names(self.path, most=_MOST_ENTRIES)):
                for name in known:
                    files.remove(self.path, name)
                self.path.rmdir()

    def hold(self) -> None:
        """Lock this run against other sessions until ``release``, or the end of this process.

        Raises ``StoreError`` if another session holds the lock.
        """
        try:
            import fcntl  # missing on Windows, where nothing keeps two sessions from one run
        except ImportError:
            return
        with writing(self.path):
            # Of the folder itself: no file to leave behind.
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"{self.path} is in use by a session that is still running. Wait until it ends, or stop it."
            ) from None

    def release(self) -> None:
        """Release the lock. May be called again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def id(self) -> str:
        """The run's name: UTC time and a random part."""
        return self.path.name

    def write(self, name: str, text: Iterable[str]) -> Path:
        """Write one file of the run as a whole, from a text or its pieces; raises ``StoreError``."""
        path = self.path / name
        with writing(path):
            files.write(self.path, name, _encoded(text))
        return path

    def copy(self, name: str, data: bytes) -> None:
        """Write one file of the run as it was somewhere else; raises ``StoreError``."""
        with writing(self.path / name):
            files.write(self.path, name, [data])

    def read(self, name: str, *, most_bytes: int) -> bytes | None:
        """One file of the run; None: missing. Raises ``StoreError`` if it is not a regular file, or is too long."""
        with reading(self.path / name):
            return files.read(self.path, name, most_bytes=most_bytes)
        return None

    def remove(self, name: str) -> None:
        """Remove one file of the run, if it is there; raises ``StoreError``."""
        path = self.path / name
        with writing(path):
            files.remove(self.path, name)

    def reply_stem(self, key: TurnKey) -> str:
        """Path of a reply below the run folder, without its ending."""
        turn = f".turn{key.turn}" if key.turn > 1 else ""
        return f"{REPLIES}/{slug(key.model)}/{slug(key.task)}.{key.epoch}{turn}"

    def files_dir(self, key: AttemptKey) -> Path:
        """Folder of the files taken from an attempt's reply."""
        return self.path.joinpath(*files_parts(key))

    def make_files_dir(self, key: AttemptKey) -> None:
        """Make that folder: an empty one means that the reply had no files. Raises ``OSError``."""
        with files.folder(self.path, files_parts(key), create=True):
            pass


def new_run_id() -> str:
    """A unique run id: UTC time and a random part."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def files_parts(key: AttemptKey) -> list[str]:
    """The components of the folder of an attempt's files below its run folder."""
    return [FILES, slug(key.model), f"{slug(key.task)}.{key.epoch}"]


def slug(name: str) -> str:
    """A model's or task's name as one file name: readable, never hidden or empty, and unique.

    A longer name than file systems take is cut and ends in a hash of the whole.
    """
    # The empty name gets what no other can: a percent sign alone.
    quoted = quote(name, safe=" ,+=@()", errors="surrogatepass") or "%"
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) <= _LONGEST_NAME:
        return quoted
    return f"{quoted[:_LONGEST_NAME]}~{hashlib.sha256(quoted.encode()).hexdigest()[:_HASH_DIGITS]}"


def write_atomically(path: Path, text: Iterable[str]) -> None:
    """Write a temporary file and rename it: readers see the old or the new file, never a part. Makes parents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path.parent, path.name, _encoded(text))


def _encoded(text: Iterable[str]) -> Iterator[bytes]:
    for piece in [text] if isinstance(text, str) else text:
        yield piece.encode(errors="backslashreplace")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Suppress a missing file, and turn any other ``OSError`` into a ``StoreError``."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}. Make it readable, or restore it.") from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` while writing ``path`` into a ``StoreError`` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"cannot write {path}: {reason}. Make space or make it writable, or choose another place with "
            "--llm-run-dir=PATH."
        ) from error


def _parts(base: Path) -> list[str]:
    """The last component of a base, which must not be a link; the current folder and the root have none."""
    return [base.name] if base.name else []


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _latest(base: Path) -> str | None:
    """The id that ``latest`` leads to; None for anything but a link that we could have made."""
    try:
        above, name = os.path.split((base / LATEST).readlink())
    except OSError:
        return None
    return name if str(above) == RUNS and name not in ("", ".", "..") else None


def _point_latest(base: Path, run_id: str) -> None:
    with files.folder(base) as folder:
        if _latest(base) is None and (there := _kind(folder, LATEST)):
            raise OSError(errno.EEXIST, f"{there} that is not ours is in its place")
        beside = f".latest.{run_id}.{secrets.token_hex(3)}"
        os.symlink(f"{RUNS}/{run_id}", beside, target_is_directory=True, dir_fd=folder)
        try:
            os.replace(beside, LATEST, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(beside, dir_fd=folder)
            raise


def _kind(folder: int, name: str) -> str:
    """What lies there, in words; empty: nothing."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "a file"
