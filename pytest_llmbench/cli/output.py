"""Output shared by all subcommands: tables, JSON, warnings, files."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pytest_llmbench.errors import StoreError
from pytest_llmbench.reporting import tables
from pytest_llmbench.schema.run_files import BASE, LATEST
from pytest_llmbench.store.run_dir import write_atomically
from pytest_llmbench.text import printable


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run to look at."""
    parser.add_argument(
        "which", metavar="RUN", nargs="?", default=LATEST, help="run folder, results.json or run id (%(default)s)"
    )
    add_base(parser)


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add the folder in which run ids are looked up."""
    parser.add_argument("--run-dir", type=Path, default=BASE, metavar="PATH", help="directory of runs (%(default)s)")


def print_json(value: Any) -> None:
    """Print records, dataclasses and plain values as JSON."""
    print(json.dumps(value, indent=1, ensure_ascii=True, default=_plain))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal, or a plain one without a terminal."""
    print(tables.table(heads, rows, width=width(), colour=sys.stdout.isatty()))


def width() -> int | None:
    """Columns of the terminal; None without one: whoever reads the output next gets everything unfolded."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(line: str) -> None:
    """Print a line that may hold text of unknown origin."""
    print(printable(line))


def warn(line: str) -> None:
    """Print a warning or a note to stderr."""
    print(printable(f"llmbench: {line}"), file=sys.stderr)


def write(path: Path, text: str) -> None:
    """Write a file that the user named, as a whole; raises ``StoreError``."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}. Choose another path.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
