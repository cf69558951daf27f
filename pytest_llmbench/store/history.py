"""Many runs as tables of DuckDB, read straight from their ``results.json``.

In a notebook::

    from pytest_llmbench.store.history import connect
    runs, _ = connect([".llmbench"])
    runs.sql("select * from attempts").df()
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_llmbench.errors import OptionError, StoreError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MOST_BYTES = 2**30
_USAGE = "STRUCT(prompt_tokens BIGINT, completion_tokens BIGINT, cached_tokens BIGINT, reasoning_tokens BIGINT)"
_CRITERION = (
    'STRUCT(id VARCHAR, dimension VARCHAR, "by" VARCHAR, points DOUBLE, max_points DOUBLE, outcome VARCHAR, '
    "message VARCHAR)"
)
_ATTEMPT = (
    "STRUCT(task VARCHAR, model VARCHAR, epoch BIGINT, status VARCHAR, error STRUCT(kind VARCHAR, message VARCHAR), "
    "reason VARCHAR, points DOUBLE, max_points DOUBLE, caps VARCHAR[], labels VARCHAR[], "
    f"criteria {_CRITERION}[], wall_s DOUBLE, first_token_s DOUBLE, tokens_per_s DOUBLE, prompt_tokens_per_s DOUBLE, "
    f"queue_s DOUBLE, load_s DOUBLE, grading_s DOUBLE, usage {_USAGE}, finish_reason VARCHAR, iterations BIGINT, "
    "cost_usd DOUBLE, cached BOOLEAN)"
)
_RUN = (
    "STRUCT(id VARCHAR, started VARCHAR, ended VARCHAR, finished BOOLEAN, stopped_by VARCHAR, versions JSON, "
    "options JSON, machine JSON, sandbox JSON)"
)
_MODEL = "STRUCT(name VARCHAR, resolved VARCHAR, endpoint VARCHAR, params JSON, metadata JSON)"
_COLUMNS = {"run": _RUN, "models": f"{_MODEL}[]", "attempts": f"{_ATTEMPT}[]"}
_VIEWS = {
    "runs": (
        "SELECT run.id, run.started::TIMESTAMPTZ AS started, run.ended::TIMESTAMPTZ AS ended, run.finished, "
        "run.stopped_by, run.versions, run.options, run.machine, run.sandbox, "
        "[m.name FOR m IN models] AS models, len(attempts) AS attempts, filename AS path FROM files"
    ),
    "attempts": (
        "SELECT run.id AS run, a.* EXCLUDE (criteria, error, usage), a.error.kind AS error, "
        "a.error.message AS error_message, a.usage.prompt_tokens, a.usage.completion_tokens, a.usage.cached_tokens, "
        "a.usage.reasoning_tokens FROM (SELECT run, unnest(attempts) AS a FROM files)"
    ),
    "criteria": (
        "SELECT run.id AS run, a.task, a.model, a.epoch, a.status, c.* FROM (SELECT run, a, unnest(a.criteria) AS c "
        "FROM (SELECT run, unnest(attempts) AS a FROM files))"
    ),
}


def connect(folders: Iterable[Path | str]) -> tuple[DuckDBPyConnection, list[Path]]:
    """A database in memory with the views ``runs``, ``attempts`` and ``criteria``, and the runs that it lacks.

    Those have no ``results.json``: they were killed. Raises ``StoreError`` without any run, ``OptionError`` without
    DuckDB.
    """
    try:
        import duckdb
    except ImportError as error:
        raise OptionError('duckdb is not installed: pip install "pytest-llmbench[history]"') from error
    names = [Path(folder) for folder in folders]
    runs = sorted({path.parent.resolve() for name in names for path in name.rglob("run.json")})
    files = [run / "results.json" for run in runs if (run / "results.json").is_file()]
    if not files:
        raise StoreError(f"no run with a results.json in {', '.join(map(str, names))}. Name a folder: --runs PATH.")
    connection = duckdb.connect(":memory:")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
    listed = ", ".join(_quoted(str(file)) for file in files)
    connection.execute(
        f"CREATE VIEW files AS SELECT * FROM read_json([{listed}], format = 'unstructured', records = true, "  # noqa: S608 - our own text, paths quoted
        f"filename = true, maximum_object_size = {_MOST_BYTES}, columns = {{{columns}}})"
    )
    for name, query in _VIEWS.items():
        connection.execute(f"CREATE VIEW {name} AS {query}")
    return connection, [run for run in runs if run / "results.json" not in files]


def ask(connection: DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one statement. Raises ``OptionError`` with DuckDB's own words when it is wrong."""
    import duckdb

    try:
        done = connection.execute(sql)
        return [column[0] for column in done.description or ()], done.fetchall()
    except duckdb.Error as error:
        raise OptionError(f"the query failed: {error}") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
