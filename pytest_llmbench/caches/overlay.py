"""A writable view of a read-only folder: real folders, in which every file is a link to the one below.

A program that replaces a file replaces the link. One that writes through it meets a folder mounted read-only. Hard
links would be the file itself, and copies take the room and time that the cache was to save.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def link_tree(below: Path, view: Path) -> None:
    """Make the folder ``view`` with links to everything in ``below``. Raises ``OSError``."""
    view.mkdir()
    with os.scandir(below) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                link_tree(Path(entry.path), view / entry.name)
            else:
                (view / entry.name).symlink_to(entry.path)


def make_room(path: Path) -> None:
    """Remove what lies at ``path``, where a link or a view is to come. Nothing has run there yet."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
