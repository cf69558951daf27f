"""Search for run folders below given directories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.run_files import HEADER

_MOST_FOLDERS = 100_000


def runs_below(folders: Iterable[Path]) -> list[Path]:
    """The run folders in these directories and below, oldest first; ids begin with their time.

    Run folders are not searched, and no link is followed. Raises ``StoreError`` for too many directories.
    """
    found: set[Path] = set()
    seen = 0
    for start in folders:
        for folder, below, names in os.walk(start.resolve()):
            seen += 1
            if seen > _MOST_FOLDERS:
                raise StoreError(
                    f"{start} has more than {_MOST_FOLDERS} directories below it. Name one closer to the runs."
                )
            if HEADER in names:
                found.add(Path(folder))
                below.clear()
    return sorted(found, key=lambda path: path.name)
