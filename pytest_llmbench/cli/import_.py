"""Read published tables, check every figure against the others, and keep them for llmbench leaderboard.

Nothing is repaired: what does not add up is listed, and stays as it is stated.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_llmbench.cli import output
from pytest_llmbench.errors import StoreError
from pytest_llmbench.published import tables
from pytest_llmbench.untrusted import files

NAME, HELP = "import", "read published tables and flag what does not add up"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=Path, help="folder of CSV tables (those that come with the package)"
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
            raise StoreError(f"{options.into} cannot be written: {error.strerror or error}.") from error
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
    print(f"{len(published.slips)} figures do not follow from the others; all are kept as stated")
    return 0
