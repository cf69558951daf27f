"""Reading the published tables, as they stand."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import OptionError
from pytest_llmbench.published.rails import CHECKS as RAILS
from pytest_llmbench.published.rust_port import CHECKS as RUST_PORT
from pytest_llmbench.published.six_boards import CHECKS as SIX_BOARDS
from pytest_llmbench.published.six_derived import CHECKS as SIX_DERIVED
from pytest_llmbench.published.six_pairs import CHECKS as SIX_PAIRS
from pytest_llmbench.published.slips import Check, Discrepancy, Row
from pytest_llmbench.shipped import shipped
from pytest_llmbench.untrusted import files as untrusted

SHIPPED = shipped("fixtures") / "published"
"""Folder of the tables that come with the package."""
_MODELS = "six-tasks/models.toml"
_MOST_FILES = 1000
_MOST_BYTES = 16 * 2**20
"""Of one table."""
_CHECKS: tuple[Check, ...] = (*SIX_BOARDS, *SIX_DERIVED, *SIX_PAIRS, *RAILS, *RUST_PORT)


@dataclass(frozen=True, slots=True)
class Published:
    """All tables of a folder."""

    tables: Mapping[str, tuple[Row, ...]]
    """``six-tasks/leaderboard`` -> its rows, column -> text; blank: not published."""
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Metadata of models of the six tasks: ``base``, ``quant``, ``thinking``, ``labels``; empty without the file."""
    slips: list[Discrepancy] = field(default_factory=list)
    """Every inconsistency found, by file."""


def files(folder: Path) -> dict[str, bytes]:
    """Every table below ``folder`` and what is told about models, as they are. Raises ``OptionError``."""
    ours = folder.resolve() == SHIPPED.resolve()  # installers give files of a package a second name in their cache
    try:
        return dict(
            untrusted.below(
                folder, (), most_files=_MOST_FILES, most_bytes=_MOST_BYTES, ending=(".csv", _MODELS), hard_links=ours
            )
        )
    except OSError as error:
        raise OptionError(f"{folder} cannot be read: {error.filename or 'it'}: {error.strerror or error}.") from error


def read(folder: Path) -> Published:
    """Read and check all tables below ``folder``; tables that are missing are not checked.

    Raises ``OptionError`` for a folder without tables, a file that cannot be read, a row with more or fewer cells than
    its head, and a table without a column that its checks need.
    """
    found = files(folder)
    tables = {
        name.removesuffix(".csv"): _table(folder / name, content)
        for name, content in found.items()
        if name.endswith(".csv")
    }
    if not tables:
        raise OptionError(
            f"{folder} holds no published tables. Name a folder with six-tasks/leaderboard.csv or others."
        )
    try:
        slips = [slip for check in _CHECKS for slip in check(tables)]
    except (ArithmeticError, ValueError) as error:
        raise OptionError(f"{folder}: a figure cannot be checked: {error}.") from error
    except KeyError as missing:
        raise OptionError(
            f"{folder}: a table has no column {missing}. Compare its first line with the table that comes with us."
        ) from missing
    return Published(tables, _models(folder / _MODELS, found.get(_MODELS)), sorted(slips, key=lambda slip: slip.file))


def _models(path: Path, content: bytes | None) -> dict[str, dict[str, Any]]:
    if content is None:
        return {}
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path}: {error}. It holds one inline table a model.") from error


def _table(path: Path, content: bytes) -> tuple[Row, ...]:
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        numbered = [(lines.line_num, cells) for cells in lines]
    except (ValueError, csv.Error) as error:
        raise OptionError(
            f"{path}: {error}. A table is CSV in UTF-8, its first line the names of the columns."
        ) from error
    (_, head), *rows = numbered or [(1, [])]
    for line, cells in rows:
        if len(cells) != len(head):
            raise OptionError(
                f"{path}:{line}: {len(cells)} cells under {len(head)} heads. Put a cell that holds commas in quotes."
            )
    return tuple(dict(zip(head, cells, strict=True)) for _, cells in rows)
