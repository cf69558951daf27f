"""What stands before the first test."""

from pathlib import Path
from types import SimpleNamespace

from pytest_llmbench.plugin.controller.controller import Controller
from pytest_llmbench.plugin.extensions import Extensions
from pytest_llmbench.sandbox.selection import SandboxChoice
from pytest_llmbench.sandbox.unsandboxed import Local


def test_what_the_sandbox_cannot_hold_on_this_machine_is_told():
    choice = SandboxChoice("box", "box 1.0", (), ("always", "here alone"), missing_here=("here alone",), backend=Local)
    settings = SimpleNamespace(selfcheck=False, shard=None)
    session = SimpleNamespace(
        _extensions=Extensions({}, {}, {}, {}),
        targets=[],
        settings=settings,
        sandbox=choice,
        run=SimpleNamespace(path=Path("run")),
        _notes=[],
        _shown=str,
    )
    told = [line for line in Controller.header_lines(session) if "sandbox" in line]
    assert told == [
        "llmbench: sandbox: box 1.0 (self-test passed)",
        "llmbench: sandbox: not enforced on this machine: here alone",
    ]
