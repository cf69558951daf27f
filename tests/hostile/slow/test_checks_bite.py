"""Without a sandbox the same programs are not contained: what the checks look at is really in their reach.

They run as a user that is nobody, in namespaces that hold nothing but themselves.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from support.as_user import UID, pytest_elsewhere

from pytest_llmbench.sandbox.files.rmtree import remove_tree

EXPECTED = {
    "python-read_files": "the secret was read",
    "python-read_environment": "the secret was read",
    "python-write_outside": "changed outside: secret.txt",
    "python-change_metadata": "changed outside: secret.txt",
    "python-link_out": "changed outside: secret.txt",
    "python-kill_others": "the process outside ended with -9",
    "python-trace_others": "GOT THROUGH: seize",
    "python-connect_tcp": "connected: TCP",
    "python-connect_unix": "connected: abstract unix",
    "python-send_udp": "received by UDP",
    "python-terminal_input": "GOT THROUGH: the tester's",
    "python-daemon_hidden": "survived",
    "python-memory_system_v": "left on the machine: shm",
    "python-namespaces": "GOT THROUGH: unshare user",
    "node-read_files": "the secret was read",
    "node-connect": "connected: TCP",
    "node-write_outside": "changed outside: secret.txt",
}
"""Program: part of what must be told of it."""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become a user whom nothing belongs to")
def test_without_a_sandbox_they_do_harm():
    root = Path(tempfile.mkdtemp(prefix="hostile-bare-"))
    root.chmod(0o755)
    try:
        chosen = " or ".join(f"none-{name}" for name in EXPECTED)
        arguments = ["tests/hostile/test_programs.py", "-q", "--tb=short", "-k", chosen]
        ran = pytest_elsewhere(root, arguments, uid=UID, alone=True, env={"HOSTILE_BACKENDS": "none"})
    finally:
        remove_tree(root)
    for name, told in EXPECTED.items():
        section = re.search(rf"E +AssertionError: {name} is not contained:\n(.*?)\nE +assert", ran.stdout, re.DOTALL)
        assert section, f"{name} was contained: {ran.stdout[-3000:]}"
        assert told in section[1], f"{name}: {section[1]}"
