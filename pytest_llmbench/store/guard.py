"""Keeps pytest out of run folders, where files lie that models wrote: also a pytest that this plugin is not part of."""

from __future__ import annotations

import os
from pathlib import Path

_CONFTEST = '''\
"""Files that models wrote lie here: pytest must not collect or import any of them. Written by pytest-llmbench."""

import pytest

collect_ignore_glob = ["*"]


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect():
    return True


@pytest.hookimpl(wrapper=True)
def pytest_collect_directory():
    yield
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    yield
    return []
'''
GUARDS = {
    "conftest.py": _CONFTEST,
    "pyvenv.cfg": "# pytest --noconftest and other tools go into no folder that looks like a virtual environment.\n",
}
"""Names and texts of the files that every run folder has for this alone."""
_SIGNS = ("plan.json", "attempts.jsonl", "items.jsonl", "results.json", "replies", "files")


def write_guards(folder: Path) -> None:
    """Put the guards into a run folder of ours; what has their name already is left alone. Raises ``OSError``."""
    for name, text in GUARDS.items():
        try:
            file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.write(text)


def is_run_folder(folder: Path) -> bool:
    """True for the folder of one run, by the names in it."""
    return (folder / "run.json").is_file() and any((folder / sign).exists() for sign in _SIGNS)
