"""Guard files that keep pytest, even without this plugin, from collecting what models wrote into run folders."""

from __future__ import annotations

from os.path import exists, isfile
from pathlib import Path

from pytest_llmbench.schema.run_files import CONTENTS, HEADER
from pytest_llmbench.untrusted import files

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
_LONGEST = 10_000


def write_guards(folder: Path) -> None:
    """Write the guards into a run folder; existing files are left alone. Raises ``OSError``."""
    for name, text in GUARDS.items():
        files.write_new(folder, name, text.encode())


def is_guard(folder: Path, name: str) -> bool:
    """True for an unmodified guard; a file with another text is the user's own."""
    try:
        return name in GUARDS and files.read(folder, name, most_bytes=_LONGEST) == GUARDS[name].encode()
    except OSError:
        return False


def is_run_folder(folder: Path) -> bool:
    """True for a run folder, recognised by the names in it."""
    return isfile(folder / HEADER) and any(exists(folder / other) for other in CONTENTS - {HEADER})
