"""Rust's test harness, libtest, started by cargo."""

from __future__ import annotations

import re

from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.test_runners.base import Report, Runner, Suite
from pytest_llmbench.schema.execution import Limits

_SCRIPT = """cd / &&
{ cargo clean --quiet "$1" --workspace 2>/dev/null || cargo clean --quiet "$1"; } &&
exec cargo test --no-fail-fast "$@"
"""
"""cargo reads settings, such as another program to start the tests with, in the current folder and those above it. What
an earlier program left in place of the compiled package goes; the crates that it depends on stay, where cargo can."""


class CargoTest(Runner):
    """``cargo test`` of the package in the workspace."""

    toolchain = "cargo"
    names = "TEST"

    def launch(self, host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
        """Started in ``/``, given the manifest by its path."""
        command = ("/bin/sh", "-c", _SCRIPT, "cargo", f"--manifest-path={host.home(bed)}/Cargo.toml", *suite.arguments)
        # With one thread alone libtest writes a test's name before it runs, and what the test writes goes in between.
        return Launch(command, limits, env={"RUST_TEST_THREADS": "2"})

    def read(self, suite: Suite, stdout: str) -> Report:
        """The lines of libtest: ``running 1 test``, ``test name ... ok``, ``test result: ok. 1 passed; ...``."""
        del suite
        report = Report(text=stdout)
        for name, outcome in re.findall(
            r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b", stdout, re.MULTILINE
        ):
            report.add(name, passed=outcome == "ok")
        begun = re.findall(r"^running \d+ tests?$", stdout, re.MULTILINE)
        ended = re.findall(r"^test result: ok\.", stdout, re.MULTILINE)
        report.finished = 0 < len(begun) == len(ended)
        return report
