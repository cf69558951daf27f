"""Query many runs with SQL: DuckDB views over their results.json.

Views: runs, attempts, criteria. For example:
  llmbench query "select model, avg(points) from attempts where status = 'scored' group by 1 order by 2 desc"
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_llmbench.cli import output
from pytest_llmbench.schema.run_files import BASE
from pytest_llmbench.store.history import ask, connect

NAME, HELP = "query", "query many runs with SQL: views runs, attempts, criteria"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("sql", metavar="SQL", help="one statement")
    parser.add_argument(
        "--runs",
        type=Path,
        action="append",
        metavar="PATH",
        help=f"directory with runs in it; may be repeated ({BASE})",
    )
    output.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Run the query and print its rows; returns 0."""
    connection, left_out = connect(options.runs or [BASE])
    heads, rows = ask(connection, options.sql)
    for why in left_out.values():
        output.warn(why)
    if options.json:
        output.print_json([dict(zip(heads, map(_plain, row), strict=True)) for row in rows])
    else:
        output.print_table(heads, [["" if value is None else str(value) for value in row] for row in rows])
    return 0


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None | list | dict) else str(value)
