"""``python -m pytest_llmbench RUN``: the summary of a stored run again, from its folder alone."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.pipeline.results import RESULTS, load_results, to_json
from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.store.run_dir import RunDir


def main(arguments: list[str] | None = None) -> int:
    """Print a stored run's summary; returns 0, or 2 when the folder holds no run."""
    parser = argparse.ArgumentParser(
        prog="python -m pytest_llmbench", description="Show a stored run again, also one that was killed."
    )
    parser.add_argument("run", nargs="?", type=Path, default=Path(".llmbench/latest"), help="run folder (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS} into the run folder again")
    options = parser.parse_args(arguments)
    run = RunDir(options.run)
    try:
        results = load_results(run)
        if options.write:
            run.write(RESULTS, to_json(results))
    except StoreError as error:
        print(f"llmbench: {error}", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    width = shutil.get_terminal_size().columns
    print(render(results, width=width, colour=sys.stdout.isatty()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
