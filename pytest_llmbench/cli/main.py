"""The ``llmbench`` command line: one module per subcommand."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from pytest_llmbench.cli import compare, doctor, leaderboard, merge, query, regrade, report, show, warm
from pytest_llmbench.cli import import_ as importing
from pytest_llmbench.errors import LLMBenchError
from pytest_llmbench.text import printable

COMMANDS: tuple[ModuleType, ...] = (report, show, compare, leaderboard, regrade, merge, importing, query, doctor, warm)

_EPILOG = """\
exit status:
  0  done; compare: not worse; doctor: no problems
  1  compare: worse; regrade: a verdict changed; doctor: something is missing
  2  the command failed: an invalid option, no such run, or runs that are not comparable
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    own, rest = _split(list(sys.argv[1:] if arguments is None else arguments))
    options = make_parser().parse_args(own, argparse.Namespace(rest=rest))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except LLMBenchError as error:
        # Names out of a results.json may be in it.
        print(printable(f"llmbench: {error}", keep="\n"), file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it ends
        return 0
    except OSError as error:
        # Of a name that the user typed, which no file can have.
        where = f"{error.filename}: " if error.filename else ""
        print(printable(f"llmbench: {where}{error.strerror or error}. Name another file or folder."), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """What stands before a ``--`` and after it."""
    place = given.index("--") if "--" in given else len(given)
    return given[:place], given[place + 1 :]


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="llmbench",
        description="Reports, comparisons and checks over stored runs of pytest-llmbench.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.HELP,
            description=module.__doc__,
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser
