"""A writable view of a read-only folder: real folders, in which every file is a link to the one below.

A program that replaces a file replaces the link. One that writes through it meets a folder mounted read-only. Hard
links would be the file itself, and copies take the room and time that the cache was to save.

Thousands of new links take seconds on ext4, which searches for inodes and avoids those just given up. They are
therefore made once, beside the files, and a view (a copy of ``Seed.source``) has hard links to the links: nothing can
be written to a link.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def link_tree(below: Path, links: Path, shown_as: Path | None = None) -> None:
    """Make the folder ``links`` with links to everything in ``below``, by the path that it has or will have.

    Raises ``OSError``.
    """
    target = below if shown_as is None else shown_as
    links.mkdir()
    with os.scandir(below) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                link_tree(Path(entry.path), links / entry.name, target / entry.name)
            else:
                (links / entry.name).symlink_to(target / entry.name)


def make_room(path: Path) -> None:
    """Remove what lies at ``path``, where a link or a view is to come."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
