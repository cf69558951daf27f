"""Test runners inside the sandbox: how each is started, away from settings in the workspace, and what it reports."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.calls.client import DriverHost
from pytest_llmbench.sandbox.calls.framing import read_frames, without_frames
from pytest_llmbench.sandbox.command import Launch
from pytest_llmbench.sandbox.files.bed import Bed
from pytest_llmbench.schema.execution import Limits

_DRIVERS = Path(__file__).parents[1] / "drivers"
_PYTEST_PACKAGES = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
"""pytest, as it is installed where this runs, and what it imports; nothing else of ``site-packages`` is shown."""
_CARGO = """cd / &&
{ cargo clean --quiet "$1" --workspace 2>/dev/null || cargo clean --quiet "$1"; } &&
exec cargo test --no-fail-fast "$@"
"""
"""cargo reads settings, such as another program to start the tests with, in the current folder and those above it. What
an earlier program left in place of the compiled package goes; the crates that it depends on stay, where cargo can."""


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


@dataclass(frozen=True, slots=True)
class Runner:
    """One test runner."""

    toolchain: str
    launch: Callable[[DriverHost, Bed, Suite, Limits], Launch]
    read: Callable[[Suite, str], Report]
    """From its standard output."""
    names: str
    """How tests are named; must be matched by the names of expected ones."""


def _launch_pytest(host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
    driver = _DRIVERS / "pytest_report.py"
    mounts = {driver: f"/driver/{driver.name}"}
    folders = {}
    for name in _PYTEST_PACKAGES:
        if (place := _installed(name)) is not None:
            mounts[place] = f"/driver/packages/{place.name}"
            folders[name] = host.seen_at(place, mounts[place]).rpartition("/")[0]
    if "pytest" not in folders:
        raise SandboxError("run_tests('pytest') needs pytest as a folder on the disk, and it is not installed so")
    request = {
        "nonce": suite.nonce,
        "workspace": host.home(bed),
        "packages": folders,
        "files": suite.places,
        "arguments": suite.arguments,
    }
    command = ("python", "-P", "-s", "-S", "-B", host.seen_at(driver, mounts[driver]))
    return Launch(command, limits, stdin=json.dumps(request).encode(), mounts=mounts)


def _launch_node(host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
    reporter = _DRIVERS / "node_report.mjs"
    mounts = {reporter: f"/driver/{reporter.name}"}
    command = (
        *("node", "--test", f"--test-reporter={host.seen_at(reporter, mounts[reporter])}"),
        *("--test-reporter-destination=stdout", *suite.arguments),
        *(f"{host.home(bed)}/{name}" for name in suite.places),
    )
    request = {"nonce": suite.nonce, "workspace": host.home(bed)}
    return Launch(command, limits, stdin=json.dumps(request).encode(), mounts=mounts)


def _launch_go(_host: DriverHost, _bed: Bed, suite: Suite, limits: Limits) -> Launch:
    # No result of an earlier run, no settings and no go.work of the workspace.
    command = ("go", "test", "-json", "-count=1", *suite.arguments, *suite.places)
    return Launch(command, limits, env={"GOWORK": "off", "GOENV": "off"})


def _launch_cargo(host: DriverHost, bed: Bed, suite: Suite, limits: Limits) -> Launch:
    command = ("/bin/sh", "-c", _CARGO, "cargo", f"--manifest-path={host.home(bed)}/Cargo.toml", *suite.arguments)
    # With one thread alone libtest writes a test's name before it runs, and what the test writes goes in between.
    return Launch(command, limits, env={"RUST_TEST_THREADS": "2"})


def _installed(name: str) -> Path | None:
    """The folder or file of a package of the interpreter that runs this."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)


def _read_frames(suite: Suite, stdout: str) -> Report:
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


def _read_go(suite: Suite, stdout: str) -> Report:
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


def _read_cargo(_suite: Suite, stdout: str) -> Report:
    """The lines of libtest: ``running 1 test``, ``test name ... ok``, ``test result: ok. 1 passed; ...``."""
    report = Report(text=stdout)
    for name, outcome in re.findall(
        r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b", stdout, re.MULTILINE
    ):
        report.add(name, passed=outcome == "ok")
    begun = re.findall(r"^running \d+ tests?$", stdout, re.MULTILINE)
    ended = re.findall(r"^test result: ok\.", stdout, re.MULTILINE)
    report.finished = 0 < len(begun) == len(ended)
    return report


RUNNERS = {
    "pytest": Runner("python", _launch_pytest, _read_frames, "FILE::TEST"),
    "node": Runner("node", _launch_node, _read_frames, "FILE::TITLE > TITLE"),
    "go": Runner("go", _launch_go, _read_go, "PACKAGE::TEST"),
    "cargo": Runner("cargo", _launch_cargo, _read_cargo, "TEST"),
}
