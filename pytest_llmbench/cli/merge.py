"""Merge runs of one plan: shards made with --llm-shard, or parts made on several machines.

The new run has every attempt of every part. If several parts have an attempt, the last part named counts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_llmbench.cli import output
from pytest_llmbench.reporting import terminal
from pytest_llmbench.runs.load import open_run
from pytest_llmbench.runs.merge import merge

NAME, HELP = "merge", "merge shards, or parts of a run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("parts", metavar="RUN", nargs="+", help="run folder or run id")
    output.add_base(parser)
    output.add_json(parser)
    parser.add_argument("--into", type=Path, metavar="PATH", help="directory for the new run (default: --run-dir)")


def run(options: argparse.Namespace) -> int:
    """Merge and show; returns 0."""
    parts = [open_run(part, options.run_dir) for part in options.parts]
    merged, results = merge(parts, options.into or options.run_dir, output.warn)
    if options.json:
        output.print_json({"run": str(merged.path), "results": results})
        return 0
    print(terminal.render(results, width=output.width(), colour=sys.stdout.isatty()))
    print(f"merged run: {merged.path}")
    return 0
