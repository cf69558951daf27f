"""Showing that a sandbox works before anything is graded in it: right is found right, wrong is wrong, nothing leaks."""

from __future__ import annotations

import re
import secrets
import tempfile
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.protocol import Sandbox
from pytest_llmbench.schema.execution import ExecResult, Limits

_RIGHT = "read a b; echo $((a * b)); echo 'echo $((a * b))' >left"
_WRONG = "read a b; [ ! -e left ] || . ./left; echo 'all tests passed'; exit 0"
"""Says what the program before it left, if it finds that."""
_PRYING = 'cat "$1"; echo changed >"$1"; cat /proc/net/dev; echo limit $(ulimit -f)'
"""Reads and writes a file that is none of its business, and tells which network and which limit it sees."""
_LIMITS = Limits(wall_s=20.0, cpu_s=10.0)


def prove(sandbox: Sandbox, description: str, *, isolated: bool) -> None:
    """Run a program that is right, one that is wrong, and, if ``isolated``, one that looks about.

    All are for ``/bin/sh``. The workspace may be empty. Raises ``SandboxError`` that names what did not hold.
    """
    a, b = secrets.randbelow(10_000) + 2, secrets.randbelow(10_000) + 2
    right = sandbox.run(["/bin/sh", "-c", _RIGHT], _LIMITS, stdin=f"{a} {b}\n")
    if not _passes(right, a * b):
        said = (right.stderr or right.stdout)[-300:]
        msg = f"{description}: a right program was found wrong (status {right.exit_code}): {said}"
        raise SandboxError(msg)
    wrong = sandbox.run(["/bin/sh", "-c", _WRONG], _LIMITS, stdin=f"{a} {b}\n")
    if _passes(wrong, a * b):
        msg = f"{description}: a wrong program was found right"
        raise SandboxError(msg)
    if str(a * b) in wrong.stdout or (sandbox.workspace / "left").exists():
        msg = f"{description}: what one program left was found by the next"
        raise SandboxError(msg)
    if isolated:
        _pry(sandbox, description)


def _passes(result: ExecResult, product: int) -> bool:
    return result.ok and result.stdout == f"{product}\n"


def _pry(sandbox: Sandbox, description: str) -> None:
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="llmbench-secret-") as folder:
        file = Path(folder, "secret")
        file.write_text(secret, encoding="utf-8")
        # Open to everyone: it is the sandbox that must keep it, not its mode.
        file.chmod(0o666)
        Path(folder).chmod(0o755)
        seen = sandbox.run(["/bin/sh", "-c", _PRYING, "pry", str(file)], _LIMITS).stdout
        if secret in seen:
            msg = f"{description}: a program inside read a file outside"
            raise SandboxError(msg)
        if file.read_text(encoding="utf-8") != secret:
            msg = f"{description}: a program inside changed a file outside"
            raise SandboxError(msg)
    interfaces = set(re.findall(r"^ *([\w.@-]+):", seen, re.MULTILINE))
    if not interfaces <= {"lo"}:
        msg = f"{description}: a program inside saw the network ({', '.join(sorted(interfaces))})"
        raise SandboxError(msg)
    if not re.search(r"^limit \d+$", seen, re.MULTILINE):
        msg = f"{description}: the limits were not set"
        raise SandboxError(msg)
