"""A test runner inside the sandbox: how it is started, away from settings in the workspace, and what it reports.

One module for each, beside this one; ``runners.py`` has their names. ``RunnerName`` in ``schema/execution.py`` names
them for type checkers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.calls.framing import read_frames, without_frames
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.schema.execution import Limits

DRIVERS = Path(__file__).parents[1] / "drivers"


@dataclass(frozen=True, slots=True)
class Suite:
    """What is to be run."""

    expected: tuple[str, ...]
    arguments: tuple[str, ...]
    nonce: str

    @property
    def places(self) -> tuple[str, ...]:
        """Files or packages: what stands before ``::`` in the names of the expected tests, each once."""
        return tuple(dict.fromkeys(name.partition("::")[0] for name in self.expected))


@dataclass(slots=True)
class Report:
    """What a runner said."""

    tests: dict[str, list[bool]] = field(default_factory=dict)
    """Test: True for each time it was reported as passed, False for each other outcome."""
    ready: bool = True
    """False: our part of the runner did not come up."""
    finished: bool = False
    text: str = ""
    """Its output for a reader."""

    def add(self, name: str, *, passed: bool) -> None:
        """Note one reported outcome."""
        self.tests.setdefault(name, []).append(passed)


class Runner(ABC):
    """One test runner."""

    toolchain: str
    names: str
    """How tests are named; must be matched by the names of expected ones."""

    @abstractmethod
    def launch(self, host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
        """The command that runs the suite in its bed."""

    @abstractmethod
    def read(self, suite: Suite, stdout: str) -> Report:
        """The report in the runner's standard output."""


def read_driver(suite: Suite, stdout: str) -> Report:
    """The report of a driver of ours inside the runner, which writes frames."""
    report = Report(ready=False, text=without_frames(stdout, suite.nonce))
    for frame in read_frames(stdout, suite.nonce):
        match frame.value:
            case ["ready"]:
                report.ready = True
            case ["test", str(name), bool(passed)]:
                report.add(name, passed=passed)
            case ["finished"]:
                report.finished = True
    return report
