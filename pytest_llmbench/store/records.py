"""Append-only JSONL logs: one record per line, written as soon as it exists."""

from __future__ import annotations

import errno
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.store.run_dir import reading, writing
from pytest_llmbench.untrusted import files, json_text

Record = TypeVar("Record", bound=BaseModel)

MOST_RECORD_BYTES = 256 * 2**20
"""Of a file that is one record: it is read as a whole."""
MOST_RECORD_VALUES = 20_000_000
_MOST_LOG_BYTES = 2**31
_MOST_LINES = 5_000_000
_MOST_LINE_BYTES = 4 * 2**20
_BLOCK_BYTES = 1 << 16


class RecordLog(Generic[Record]):
    """A JSONL file of one type of record, written by one process, from any of its threads."""

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
        """Every complete record in order of writing; a last line cut off by a kill is skipped.

        Raises ``StoreError`` for a damaged line elsewhere, and for a file that cannot be read.
        """
        for _, _, record in self.places():
            yield record

    def places(self) -> Iterator[tuple[int, int, Record]]:
        """The same, each with where its line begins and how long it is. Raises ``StoreError``."""
        place = 0
        with reading(self.path), files.opened(self.path.parent, self.path.name, most_bytes=_MOST_LOG_BYTES) as file:
            for number, line in enumerate(files.lines(file, most_bytes=_MOST_LINE_BYTES, most_lines=_MOST_LINES), 1):
                if line.endswith(b"\n"):
                    yield place, len(line), parse_record(line, self._kind, f"{self.path}, line {number}")
                place += len(line)

    def read_at(self, places: Iterable[tuple[int, int]]) -> Iterator[Record]:
        """The records at places that ``places`` gave. Raises ``StoreError``."""
        with reading(self.path), files.opened(self.path.parent, self.path.name, most_bytes=_MOST_LOG_BYTES) as file:
            for place, length in places:
                file.seek(place)
                yield parse_record(file.read(length), self._kind, f"{self.path} at byte {place}")

    def _opened(self) -> int:
        """The file to append to: kept open, for each system call costs a turn of the threads; a removed one is new."""
        if self._file is None or not os.fstat(self._file).st_nlink:
            self._close()
            self._file = None  # whatever fails below: the number may be another file's by now
            file = files.open_to_append(self.path.parent, self.path.name)
            self._close = weakref.finalize(self, os.close, file)
            _cut_torn_line(file)
            self._file = file
        return self._file


def _cut_torn_line(file: int) -> None:
    """Take off a last line without its end, left by a kill, so that the next record does not continue it."""
    end = os.fstat(file).st_size
    while end:
        begin = max(0, end - _BLOCK_BYTES)
        place = os.pread(file, end - begin, begin).rfind(b"\n")
        if place >= 0:
            end = begin + place + 1
            break
        end = begin
    os.ftruncate(file, end)


def read_record(path: Path, kind: type[Record]) -> Record | None:
    """Read a file that is one record; None: no such file. Raises ``StoreError`` if it is damaged."""
    with reading(path):
        data = files.read(path.parent, path.name, most_bytes=MOST_RECORD_BYTES)
        return parse_record(data, kind, str(path), most_values=MOST_RECORD_VALUES)
    return None


def parse_record(
    content: bytes, kind: type[Record], where: str, *, part: str = "", most_values: int = json_text.MOST_VALUES
) -> Record:
    """A text of JSON as a record, or that ``part`` of it. Raises ``StoreError`` naming ``where`` when it is damaged."""
    # Not pydantic's own JSON: that has no form for the lone surrogates that a server's text may hold.
    try:
        value = json_text.parse(content, most_values=most_values)
        if part:
            if not isinstance(value, dict) or part not in value:
                raise ValueError(f"it has no {part!r}")  # noqa: TRY301 - reported like all other damage
            value = value[part]
        return kind.model_validate(value)
    except ValueError as error:
        raise StoreError(f"{where} is damaged: {what_is_wrong(error)}. Restore the file.") from error


def what_is_wrong(error: ValueError) -> str:
    """The first problem, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
