"""Where a run's files live. Every write is an append or write-then-rename, so a killed session leaves whole files.

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
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.store.guard import write_guards

_LONGEST_NAME = 150
_HASH_DIGITS = 20
_SHOWN = 5
_BUFFER_BYTES = 1 << 16


class RunDir:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @classmethod
    def create(cls, base: Path) -> RunDir:
        """Make a new run folder below ``base`` and point ``latest`` at it.

        Raises ``StoreError`` when the folder cannot be written.
        """
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        run = cls(base / "runs" / run_id)
        with writing(run.path):
            run.path.mkdir(parents=True)
            write_guards(run.path)
            write_atomically(base / ".gitignore", "*\n")
        run.point_latest(base)
        return run

    @classmethod
    def open(cls, base: Path, name: str) -> RunDir:
        """A run that is there: by its id, by the path of its folder, or ``latest``.

        Raises ``StoreError`` when there is none.
        """
        runs = base / "runs"
        path = base / "latest" if name == "latest" else runs / name
        if not path.is_dir():
            path = Path(name).expanduser()
        if not path.is_dir():
            known = sorted(each.name for each in runs.iterdir()) if runs.is_dir() else []
            there = f"There are: {', '.join(known[-_SHOWN:])}." if known else "There is none."
            raise StoreError(f"no run {name!r} in {runs}. {there}")
        return cls(path.resolve())

    def point_latest(self, base: Path) -> None:
        """Make it the newest of ``base``'s runs; one that lies elsewhere is left out. Raises ``StoreError``."""
        if self.path.resolve().parent == (base / "runs").resolve():
            with writing(base / "latest"):
                _point_latest(base, self.path.name)

    def hold(self) -> None:
        """Keep other sessions out of this run until ``release``, or the end of this process.

        Raises ``StoreError`` if one has it.
        """
        try:
            import fcntl  # missing on Windows, where nothing keeps two sessions from one run
        except ImportError:
            return
        with writing(self.path):
            self._lock = os.open(self.path, os.O_RDONLY)  # of the folder itself: no file to leave behind
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"{self.path} belongs to a session that is still running. Wait for its end, or stop it."
            ) from None

    def release(self) -> None:
        """Let other sessions in. May be called again."""
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
            write_atomically(path, text)
        return path

    def remove(self, name: str) -> None:
        """Remove one file of the run, if it is there; raises ``StoreError``."""
        path = self.path / name
        with writing(path):
            path.unlink(missing_ok=True)

    def reply_stem(self, key: AttemptKey) -> str:
        """Path of a reply below the run folder, without its ending."""
        turn = f".turn{key.turn}" if key.turn > 1 else ""
        return f"replies/{slug(key.model)}/{slug(key.task)}.{key.epoch}{turn}"

    def files_dir(self, key: AttemptKey) -> Path:
        """Folder of the files taken from an attempt's reply."""
        return self.path / "files" / slug(key.model) / f"{slug(key.task)}.{key.epoch}"


def slug(name: str) -> str:
    """A model's or task's name as one file name: readable, never hidden or empty, another one for every other name.

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
    """Write beside and rename: readers see the old file or the new one, never a part. Makes missing folders.

    With few system calls: threads of one process wait for each other at each, and a reply is several files.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        with _new_file(beside) as file:
            for piece in [text] if isinstance(text, str) else text:
                file.write(piece.encode(errors="backslashreplace"))
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _new_file(path: Path) -> BinaryIO:
    try:
        return path.open("wb", buffering=_BUFFER_BYTES)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=_BUFFER_BYTES)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` while writing ``path`` into a ``StoreError`` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"cannot write {path}: {reason}. Free or unlock that place, or choose another with --llm-run-dir=PATH."
        ) from error


def _point_latest(base: Path, run_id: str) -> None:
    beside = base / f".latest.{run_id}.{secrets.token_hex(3)}"
    beside.symlink_to(Path("runs") / run_id, target_is_directory=True)
    try:
        beside.replace(base / "latest")
    except OSError:
        beside.unlink()
        raise
