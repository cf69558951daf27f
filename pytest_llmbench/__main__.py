"""``python -m pytest_llmbench RUN``: the summary of a stored run again, from its folder alone.

``python -m pytest_llmbench warm``: what tasks need offline, fetched and built beforehand.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from pathlib import Path

from pytest_llmbench.errors import HarnessError, StoreError
from pytest_llmbench.pipeline.results import RESULTS, load_results, to_json
from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.store.run_dir import RunDir


def main(arguments: list[str] | None = None) -> int:
    """Print a stored run's summary, or make caches; returns 0, or 2 when there is no run or a cache cannot be made."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["warm"]:
        return _warm(arguments[1:])
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


def _warm(arguments: list[str]) -> int:
    """Make the caches of tasks; returns 0, or 2 when one cannot be made."""
    from pytest_llmbench.pipeline import equipment
    from pytest_llmbench.sandbox.select import choose

    parser = argparse.ArgumentParser(
        prog="python -m pytest_llmbench warm",
        description="Fetch and build, once, what tasks need offline: their crates and npm packages. "
        "Without a folder also Go's standard library.",
    )
    parser.add_argument(
        "folder", nargs="*", type=Path, help="dependencies of a task, or a folder above (fixtures, and those shipped)"
    )
    options = parser.parse_args(arguments)
    package = Path(__file__).resolve().parent
    usual = (Path("fixtures"), package / "suites" / "fixtures", package.parent / "fixtures")
    folders = [folder.resolve() for folder in options.folder or usual]

    def say(line: str) -> None:
        print(f"llmbench: {line}", file=sys.stderr, flush=True)

    problems = [f"{folder} is no folder" for folder in options.folder if not folder.is_dir()]
    try:
        if not options.folder:
            equipment.warm_go(say)
    except HarnessError as error:
        problems.append(str(error))
    problems += equipment.warm(equipment.dependency_folders(folders), lambda: choose("auto"), say)
    for problem in problems:
        say(problem)
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
