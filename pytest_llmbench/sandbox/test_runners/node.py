"""Node's own test runner."""

from __future__ import annotations

import json

from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.test_runners.base import DRIVERS, Report, Runner, Suite, read_driver
from pytest_llmbench.schema.execution import Limits


class NodeTest(Runner):
    """``node --test`` with a reporter of ours."""

    toolchain = "node"
    names = "FILE::TITLE > TITLE"

    def launch(self, host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
        """Given the files by their paths."""
        reporter = DRIVERS / "node_report.mjs"
        mounts = {reporter: f"/driver/{reporter.name}"}
        command = (
            *("node", "--test", f"--test-reporter={host.seen_at(reporter, mounts[reporter])}"),
            *("--test-reporter-destination=stdout", *suite.arguments),
            *(f"{host.home(bed)}/{name}" for name in suite.places),
        )
        request = {"nonce": suite.nonce, "workspace": host.home(bed)}
        return Launch(command, limits, stdin=json.dumps(request).encode(), mounts=mounts)

    def read(self, suite: Suite, stdout: str) -> Report:
        """The reporter's frames."""
        return read_driver(suite, stdout)
