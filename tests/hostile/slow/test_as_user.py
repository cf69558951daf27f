"""The same programs, graded by an ordinary user where pytest itself is root's."""

from __future__ import annotations

import os
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.as_user import UID, pytest_elsewhere
from support.compiled import build_all
from support.hostile import TOOLCHAINS, corpus

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.files.rmtree import remove_tree

FILE = "tests/hostile/test_programs.py"


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that others may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-user-"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="this user is an ordinary one: test_programs.py shows the same")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv (util-linux)")
def test_an_ordinary_user_is_as_safe_as_root(root, sandbox_for):
    build_all(sandbox_for)
    ran = pytest_elsewhere(root, [FILE, "-q", "-n", "2", "--tb=short", "--junitxml=/tmp/report.xml"], uid=UID)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    cases = ET.parse(root / "tmp" / "report.xml").getroot().findall(".//testcase")
    contained = {case.get("name") for case in cases if case.find("skipped") is None}
    usable = [program for program in corpus() if toolchains.find(TOOLCHAINS[program.language])]
    assert {f"test_contained[bubblewrap-{program.id}]" for program in usable} <= contained


@pytest.mark.skipif(os.geteuid() != 0, reason="this user is an ordinary one, for whom these run anyway")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv (util-linux)")
def test_an_ordinary_users_commands_leave_nothing_and_meet_their_limits(root, sandbox_for):
    build_all(sandbox_for)
    files = [
        "tests/hostile/test_limits_hold.py",
        "tests/unit/sandbox/files/test_bed.py",
        "tests/unit/sandbox/files/test_keeping.py",
    ]
    ran = pytest_elsewhere(root, [*files, "-q", "-n", "0", "--tb=short"], uid=UID)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
