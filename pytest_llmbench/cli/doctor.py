"""Look at what grading needs on this machine: sandbox, toolchains, caches, servers; each with its remedy."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pytest_llmbench import toolchains
from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError, SandboxError

NAME, HELP = "doctor", "look at sandbox, toolchains and servers, each with its remedy"


State = Literal["ok", "missing", "weak", "none"]


class Finding(NamedTuple):
    """One thing looked at."""

    what: str
    state: State
    """``none``: not there, and not needed."""
    detail: str
    remedy: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    output.add_json(parser)
    parser.add_argument("--models-file", type=Path, metavar="PATH", help="models file (llmbench.toml, if it is there)")
    parser.add_argument("--base-url", metavar="URL", help="an endpoint to ask, as with --llm-base-url")


def run(options: argparse.Namespace) -> int:
    """Look and tell; returns 1 when something needed is missing, else 0."""
    findings = [_python(), *_sandbox(), *_toolchains(), *_servers(options)]
    if options.json:
        output.print_json([finding._asdict() for finding in findings])
    else:
        output.print_table(("what", "state", "detail", "remedy"), findings)
    return int(any(finding.state == "missing" for finding in findings))


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _sandbox() -> Iterator[Finding]:
    from pytest_llmbench.sandbox.selection import choose

    try:
        choice = choose("auto")
    except SandboxError as error:
        yield Finding("sandbox", "missing", "none works here", str(error))
        return
    yield Finding("sandbox", "ok", f"{choice.description}, tried with a right and a wrong program")
    for reason in choice.passed_over:
        yield Finding("sandbox", "weak", "a stronger one does not work here", reason)
    for gap in choice.gaps:
        yield Finding("sandbox", "weak", f"{choice.name} does not stop: {gap}")


def _toolchains() -> Iterator[Finding]:
    for name in toolchains.names():
        found = toolchains.find(name)
        if found is None:
            yield Finding(name, "missing", "its tasks are skipped", toolchains.hint(name))
        else:
            yield Finding(name, "ok", f"{found.version} at {found.executable}")


def _servers(options: argparse.Namespace) -> Iterator[Finding]:
    from pytest_llmbench.llm.discovery.listing import sources
    from pytest_llmbench.schema.settings import LLMSettings

    default = Path("llmbench.toml")
    file = options.models_file or (default if default.is_file() else None)
    try:
        found = list(sources(LLMSettings(base_url=options.base_url, models_file=file), os.environ))
    except OptionError as error:
        yield Finding("models", "missing", "cannot be read", str(error))
        return
    for source in found:
        state: State = "missing" if source.state == "failed" else source.state
        yield from (Finding("models", state, line, source.remedy) for line in source.lines)
