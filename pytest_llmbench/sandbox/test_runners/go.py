"""Go's own test runner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.sandbox.test_runners.base import Report, Runner, Suite
from pytest_llmbench.schema.execution import Limits


class GoTest(Runner):
    """``go test``, which reports in JSON."""

    toolchain = "go"
    names = "PACKAGE::TEST"

    def launch(self, host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
        """No result of an earlier run, no settings and no go.work of the workspace."""
        del host, bed
        command = ("go", "test", "-json", "-count=1", *suite.arguments, *suite.places)
        return Launch(command, limits, env={"GOWORK": "off", "GOENV": "off"})

    def read(self, suite: Suite, stdout: str) -> Report:
        """The events of https://pkg.go.dev/cmd/test2json."""
        report = Report()
        done = set()
        for event in map(_event, stdout.splitlines()):
            match event:
                case {"Action": "output", "Output": str(text)}:
                    report.text += text
                case {"Action": "pass" | "fail" | "skip" as action, "Package": str(package), "Test": str(test)}:
                    report.add(f"{package}::{test}", passed=action == "pass")
                case {"Action": "pass", "Package": str(package)}:
                    done.add(package)
        report.finished = done.issuperset(suite.places)
        return report


def _event(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"Action": "output", "Output": f"{line}\n"}
