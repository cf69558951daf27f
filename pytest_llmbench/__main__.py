"""``python -m pytest_llmbench``: the ``llmbench`` command; a run alone, or nothing, is ``llmbench report``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pytest_llmbench.cli import main as cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {module.NAME for module in cli.COMMANDS}
    if not given or (given[0] not in commands and given[0] not in ("-h", "--help")):
        given.insert(0, "report")
    return cli.main(given)


if __name__ == "__main__":
    sys.exit(main())
