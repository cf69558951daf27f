"""Show a stored run again, even one that was killed: on the terminal, as Markdown, as JSON, as one HTML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_llmbench.cli import output
from pytest_llmbench.cli.analysis import tables
from pytest_llmbench.reporting import markdown, terminal
from pytest_llmbench.runs.load import open_run, read_results
from pytest_llmbench.runs.results import load_results, to_json
from pytest_llmbench.schema.run_files import RESULTS

NAME, HELP = "report", "show a stored run again: terminal, Markdown, JSON, HTML"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    output.add_run(parser)
    output.add_json(parser)
    parser.add_argument("--html", type=Path, metavar="PATH", help="write a self-contained HTML report")
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request's comment")
    parser.add_argument(
        "--analysis", action="store_true", help="add intervals, consistency, costs, variants, fix rates"
    )
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS} into the run folder again")


def run(options: argparse.Namespace) -> int:
    """Render; returns 0."""
    if options.write:
        run_dir = open_run(options.which, options.run_dir)
        run_dir.write(RESULTS, to_json(load_results(run_dir)))
    results = read_results(options.which, options.run_dir, slim=not (options.json or options.html or options.analysis))
    if options.html is not None:
        from pytest_llmbench.runs.report_data import write_html

        write_html(open_run(options.which, options.run_dir), results, options.html)
        print(f"llmbench: {options.html}", file=sys.stderr)
    if options.analysis and options.json:
        output.print_json([table._asdict() for table in tables(results)])
    elif options.json:
        sys.stdout.write(to_json(results))
    elif options.markdown:
        sys.stdout.write(markdown.render(results))
    elif options.html is None:
        print(terminal.render(results, width=output.width(), colour=sys.stdout.isatty()))
        for table in tables(results) if options.analysis else ():
            print(f"\n{table.title}")
            output.print_table(table.heads, table.rows)
    return 0
