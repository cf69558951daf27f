"""The same corpus where user namespaces are not allowed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose

REPOSITORY = Path(__file__).parents[3]


def test_landlock_contains_what_it_says(tmp_path):
    try:
        choose("landlock", own_backends())
    except SandboxError as error:
        pytest.skip(str(error))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "4",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'inner'}",
    ]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, "tests/hostile/test_programs.py"],
        cwd=REPOSITORY,
        env=env | {"HOSTILE_BACKENDS": "landlock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed, done.stdout[-500:]
    assert int(passed[1]) >= 90
