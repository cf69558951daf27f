"""Append-only records, one JSON object a line, there the moment they exist."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.store.run_dir import writing

Record = TypeVar("Record", bound=BaseModel)


class RecordLog(Generic[Record]):
    """A JSONL file of one kind of record, written by one process, from any of its threads."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self.path = path
        self._kind = kind
        self._file: int | None = None
        self._close: Callable[[], object] = lambda: None
        self._writing = threading.Lock()

    def append(self, record: Record) -> None:
        """Add one record with a single write, all of it or nothing; raises ``StoreError``."""
        # Not pydantic's own JSON: that has no form for the lone surrogates that a server's text may hold.
        line = json.dumps(record.model_dump(mode="json", exclude_defaults=True)).encode() + b"\n"
        with self._writing, writing(self.path):
            file = self._opened()
            written = os.write(file, line)
            if written < len(line):
                os.ftruncate(file, os.fstat(file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self) -> Iterator[Record]:
        """Every whole record in order of writing; a last line cut off by a kill is passed over.

        Raises ``StoreError`` for a damaged line elsewhere, and for a file that cannot be read.
        """
        with reading(self.path), self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _parse(line, self._kind, f"{self.path}, line {number}")

    def _opened(self) -> int:
        """The file to append to: kept open, for each system call costs a turn of the threads; a removed one is new."""
        if self._file is None or not os.fstat(self._file).st_nlink:
            self._close()
            self._file = None  # whatever fails below: the number may be another file's by now
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._close = weakref.finalize(self, os.close, file)
            self._cut_torn_line()
            self._file = file
        return self._file

    def _cut_torn_line(self) -> None:
        """Take off a last line without its end, left by a kill, so that the next record does not continue it."""
        data = self.path.read_bytes()
        os.truncate(self.path, data.rfind(b"\n") + 1)


def read_record(path: Path, kind: type[Record]) -> Record | None:
    """Read a file that is one record, None when there is no such file; raises ``StoreError`` when it is damaged."""
    with reading(path):
        return _parse(path.read_bytes(), kind, str(path))
    return None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Take a missing file for an end, and turn any other ``OSError`` into a ``StoreError``."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}. Unlock or restore it.") from error


def _parse(content: bytes, kind: type[Record], where: str) -> Record:
    try:
        return kind.model_validate(json.loads(content))
    except ValueError as error:
        raise StoreError(f"{where} is damaged: {_what_is_wrong(error)}. Restore the file.") from error


def _what_is_wrong(error: ValueError) -> str:
    """The first thing that is, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
