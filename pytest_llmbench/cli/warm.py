"""Fetch and build once the packages that tasks need offline, as their manifests list them.

Without a folder, also compile what every task of a toolchain needs, such as Go's standard library.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_llmbench.attempts import provisioning
from pytest_llmbench.shipped import shipped

NAME, HELP = "warm", "fetch and build what tasks need offline"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder",
        nargs="*",
        type=Path,
        help="a task's dependencies, or a directory above them (default: fixtures, and those shipped)",
    )


def run(options: argparse.Namespace) -> int:
    """Make the caches; returns 0, or 2 if one cannot be made."""
    from pytest_llmbench.sandbox.registry import own_backends
    from pytest_llmbench.sandbox.selection import choose

    folders = [folder.resolve() for folder in options.folder or (Path("fixtures"), shipped("fixtures"))]
    problems = [f"{folder} is not a directory" for folder in options.folder if not folder.is_dir()]
    if not options.folder:
        problems += provisioning.warm_toolchains(lambda: choose("auto", own_backends()), _say)
    dependencies = provisioning.dependency_folders(folders)
    problems += provisioning.warm(dependencies, lambda: choose("auto", own_backends()), _say)
    for problem in problems:
        _say(problem)
    return 2 if problems else 0


def _say(line: str) -> None:
    print(f"llmbench: {line}", file=sys.stderr, flush=True)
