"""Append-only records, one JSON object a line, there the moment they exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.store.run_dir import writing

Record = TypeVar("Record", bound=BaseModel)


class RecordLog(Generic[Record]):
    """A JSONL file of one kind of record."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self.path = path
        self._kind = kind

    def append(self, record: Record) -> None:
        """Add one record with a single write; raises ``StoreError``."""
        line = record.model_dump_json(exclude_defaults=True).encode() + b"\n"
        with writing(self.path), self.path.open("ab", buffering=0) as file:
            file.write(line)

    def read(self) -> Iterator[Record]:
        """Every whole record in order of writing; a last line cut off by a kill is passed over.

        Raises ``StoreError`` for a damaged line elsewhere.
        """
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                yield self._kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]["msg"]
                raise StoreError(f"{self.path}, line {number} is damaged: {first}. Restore the file.") from error
