"""A DuckDB database over many runs, from their ``results.json``.

DuckDB gets texts that were read and checked here, never a path: it would read wildcards in a path as a pattern.

In a notebook::

    from pytest_llmbench.store.history import connect
    runs, _ = connect([".llmbench"])
    runs.sql("select * from attempts").df()
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pytest_llmbench.errors import OptionError, StoreError
from pytest_llmbench.schema.attempt import Frozen
from pytest_llmbench.schema.results import AttemptResult, ModelInfo, Results, RunInfo
from pytest_llmbench.schema.run_files import RESULTS
from pytest_llmbench.store.records import read_record
from pytest_llmbench.store.search import runs_below

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_SCALARS: dict[object, str] = {str: "VARCHAR", float: "DOUBLE", int: "BIGINT", bool: "BOOLEAN"}


def _column_type(annotation: Any) -> Any:
    """DuckDB's type of a field of ``results.json``, as ``from_json`` takes it; JSON for what has no fixed fields."""
    of, inside = get_origin(annotation), get_args(annotation)
    if of is Annotated:
        return _column_type(inside[0])
    if of in (Union, UnionType):
        (known,) = [each for each in inside if each is not NoneType]
        return _column_type(known)
    if of is Literal:
        return "VARCHAR"
    if of in (list, tuple):
        return [_column_type(inside[0])]
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return _columns_of(annotation)
    return _SCALARS.get(annotation, "JSON")


def _columns_of(record: type[Frozen]) -> dict[str, Any]:
    return {name: _column_type(field.annotation) for name, field in record.model_fields.items()}


_COLUMNS = json.dumps(
    {"run": _columns_of(RunInfo), "models": [_columns_of(ModelInfo)], "attempts": [_columns_of(AttemptResult)]}
)
_VIEWS = {
    "runs": (
        "SELECT run.id, run.started::TIMESTAMPTZ AS started, run.ended::TIMESTAMPTZ AS ended, run.finished, "
        "run.stopped_by, run.versions, run.options, run.machine, run.sandbox, "
        "[m.name FOR m IN models] AS models, len(attempts) AS attempts, filename AS path FROM files"
    ),
    "attempts": (
        "SELECT run.id AS run, a.* EXCLUDE (criteria, error, usage), a.error.kind AS error, "
        "a.error.message AS error_message, a.error.cause AS error_cause, a.usage.prompt_tokens, "
        "a.usage.completion_tokens, a.usage.cached_tokens, a.usage.reasoning_tokens "
        "FROM (SELECT run, unnest(attempts) AS a FROM files)"
    ),
    "criteria": (
        "SELECT run.id AS run, a.task, a.model, a.epoch, a.status, c.* FROM (SELECT run, a, unnest(a.criteria) AS c "
        "FROM (SELECT run, unnest(attempts) AS a FROM files))"
    ),
}


def connect(folders: Iterable[Path | str]) -> tuple[DuckDBPyConnection, dict[Path, str]]:
    """An in-memory database with the views ``runs``, ``attempts`` and ``criteria``, and the runs left out of it.

    A run is left out if its ``results.json`` is missing (it was killed) or damaged: run folder -> reason. Raises
    ``StoreError`` if no run is left, ``OptionError`` without DuckDB.
    """
    try:
        import duckdb
    except ImportError as error:
        raise OptionError('duckdb is not installed. Run: pip install "pytest-llmbench[history]"') from error
    names = [Path(folder) for folder in folders]
    connection = duckdb.connect(":memory:")
    # The first row is for the types of the columns alone.
    connection.execute(
        "CREATE TABLE files AS SELECT unnest(from_json('null'::JSON, $columns)), '' AS filename WHERE false",
        {"columns": _COLUMNS},
    )
    left_out: dict[Path, str] = {}
    runs = runs_below(names)
    for run in runs:
        try:
            results = read_record(run / RESULTS, Results)
            if results is None:
                left_out[run] = f"{run} is left out: no results.json. Make it with: llmbench report --write {run}"
                continue
            text = json.dumps(results.model_dump(mode="json"))
            connection.execute(
                "INSERT INTO files SELECT unnest(from_json_strict($text::JSON, $columns)), $name",
                {"text": text, "columns": _COLUMNS, "name": _shown(run / RESULTS)},
            )
        except (StoreError, duckdb.Error) as error:
            left_out[run] = f"{run} is left out: {str(error).partition(chr(10))[0]}"
    if len(left_out) == len(runs):
        why = f" ({next(iter(left_out.values()))})" if left_out else ""
        raise StoreError(
            f"no run with a results.json in {', '.join(map(str, names))}{why}. Name another directory: --runs PATH."
        )
    for name, query in _VIEWS.items():
        connection.execute(f"CREATE VIEW {name} AS {query}")
    return connection, left_out


def ask(connection: DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one statement. Raises ``OptionError`` with DuckDB's message if it fails."""
    import duckdb

    try:
        done = connection.execute(sql)
        return [column[0] for column in done.description or ()], done.fetchall()
    except duckdb.Error as error:
        raise OptionError(f"the query failed: {error}") from error


def _shown(path: Path) -> str:
    """A path as text that every database takes, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
