"""Check what grading needs on this machine: sandbox, toolchains, caches and servers; say how to fix each problem."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_llmbench import toolchains
from pytest_llmbench.cli import output
from pytest_llmbench.errors import OptionError, SandboxError
from pytest_llmbench.schema.registry import OURS

if TYPE_CHECKING:
    from pytest_llmbench.llm.clients.factory import Providers
    from pytest_llmbench.sandbox.registry import Backends
    from pytest_llmbench.sandbox.selection import SandboxChoice

NAME, HELP = "doctor", "check sandbox, toolchains and servers, and say how to fix problems"


State = Literal["ok", "missing", "weak", "none"]


class Finding(NamedTuple):
    """The result of one check."""

    what: str
    state: State
    """``none``: not there, and not needed."""
    detail: str
    remedy: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    output.add_json(parser)
    parser.add_argument(
        "--models-file", type=Path, metavar="PATH", help="models file (default: llmbench.toml, if it exists)"
    )
    parser.add_argument("--base-url", metavar="URL", help="an endpoint to check, as with --llm-base-url")


def run(options: argparse.Namespace) -> int:
    """Check and report; returns 1 if something needed is missing, otherwise 0."""
    findings = [_python(), *_with_plugins(options)]
    if options.json:
        output.print_json([finding._asdict() for finding in findings])
    else:
        output.print_table(("what", "state", "detail", "remedy"), findings)
    return int(any(finding.state == "missing" for finding in findings))


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _with_plugins(options: argparse.Namespace) -> Iterator[Finding]:
    from pytest_llmbench.llm.clients.factory import own_registry
    from pytest_llmbench.plugin.extensions import Extensions, extensions_here
    from pytest_llmbench.sandbox.registry import own_backends
    from pytest_llmbench.solvers.registry import own_solver_registry

    try:
        extensions = extensions_here()
    except OptionError as error:
        yield Finding("plugins", "missing", "cannot be used", str(error))
        extensions = Extensions(own_backends(), own_registry(), own_solver_registry(), {})
    yield from _sandbox(extensions.sandboxes)
    yield from _toolchains()
    yield from _servers(options, extensions.providers)


def _sandbox(backends: Backends) -> Iterator[Finding]:
    from pytest_llmbench.sandbox.selection import choose

    try:
        choice = choose("auto", backends)
    except SandboxError as error:
        yield Finding("sandbox", "missing", "none works here", str(error))
    else:
        yield from _of_choice(choice)
    for name, (plugin, value) in backends.items():
        if plugin == OURS:
            continue
        if not isinstance(value, type):
            yield Finding("sandbox", "ok", f"--llm-sandbox={name}:IMAGE of plugin {plugin}, tried when it is chosen")
            continue
        try:
            yield from _of_choice(choose(name, backends))
        except SandboxError as error:
            yield Finding("sandbox", "none", f"--llm-sandbox={name} of plugin {plugin} does not work here", str(error))


def _of_choice(choice: SandboxChoice) -> Iterator[Finding]:
    of = "" if choice.plugin == OURS else f" (--llm-sandbox={choice.name} of plugin {choice.plugin})"
    yield Finding("sandbox", "ok", f"{choice.description}{of} (self-test passed)")
    for reason in choice.passed_over:
        yield Finding("sandbox", "weak", "a stronger sandbox does not work here", reason)
    for gap in choice.gaps:
        yield Finding("sandbox", "weak", f"{choice.name} does not stop: {gap}")


def _toolchains() -> Iterator[Finding]:
    for name in toolchains.names():
        found = toolchains.find(name)
        if found is None:
            yield Finding(name, "missing", "its tasks are skipped", toolchains.hint(name))
        else:
            yield Finding(name, "ok", f"{found.version} at {found.executable}")


def _servers(options: argparse.Namespace, providers: Providers) -> Iterator[Finding]:
    from pytest_llmbench.llm.discovery.listing import sources
    from pytest_llmbench.schema.settings import LLMSettings

    default = Path("llmbench.toml")
    file = options.models_file or (default if default.is_file() else None)
    try:
        found = list(sources(LLMSettings(base_url=options.base_url, models_file=file), os.environ, providers))
    except OptionError as error:
        yield Finding("models", "missing", "cannot be read", str(error))
        return
    for source in found:
        state: State = "missing" if source.state == "failed" else source.state
        yield from (Finding("models", state, line, source.remedy) for line in source.lines)
