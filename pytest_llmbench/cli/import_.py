"""Read published tables, cross-check their figures, and store them for llmbench leaderboard.

Nothing is corrected: discrepancies are listed, and the figures stay as published.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_llmbench.cli import output
from pytest_llmbench.errors import StoreError
from pytest_llmbench.published import tables
from pytest_llmbench.untrusted import files

NAME, HELP = "import", "read published tables and list their discrepancies"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        help="directory of CSV tables (default: those that come with the package)",
    )
    parser.add_argument("--into", type=Path, metavar="PATH", help="copy the tables there, for --with-published=PATH")
    output.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Read, check and show; returns 0."""
    folder = options.folder or tables.SHIPPED
    published = tables.read(folder)
    if options.into is not None:
        try:
            options.into.mkdir(parents=True, exist_ok=True)
            for name, content in tables.files(folder).items():
                files.write(options.into, name, [content])
        except OSError as error:
            raise StoreError(
                f"cannot write {options.into}: {error.strerror or error}. Choose another directory with --into=PATH."
            ) from error
    if options.json:
        output.print_json({"tables": published.tables, "slips": published.slips})
        return 0
    output.print_table(("table", "rows"), [(name, str(len(rows))) for name, rows in published.tables.items()])
    if published.slips:
        print()
        output.print_table(
            ("file", "row", "field", "stated", "found", "why"),
            [(slip.file, slip.row, slip.field, slip.stated, slip.found, slip.why) for slip in published.slips],
        )
    print(f"{len(published.slips)} discrepancies; all figures are kept as published")
    return 0
