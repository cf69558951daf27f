"""A pytest plugin that turns LLM coding benchmarks into test suites.

What the author of a task types::

    from pytest_llmbench import Limits

and what makes a second task shorter (``Batches``, ``checked``, ``same``, ``seeded``, ``shortened``). Everything else
comes as markers (``llm_task``, ``rubric``) and fixtures (``submission``, ``completion``, ``workspace``, ``sandbox``,
``source``, ...); their types are here for annotations. Imported on first use, so that pytest starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_llmbench.attempts.submission import Submission
    from pytest_llmbench.errors import HarnessError
    from pytest_llmbench.plugin.author.batches import Batches
    from pytest_llmbench.plugin.author.label import Label
    from pytest_llmbench.plugin.author.shapes import Row, checked, fits
    from pytest_llmbench.plugin.author.source import SourceFile, SourceFinder
    from pytest_llmbench.plugin.author.values import same, seeded, shortened
    from pytest_llmbench.sandbox.protocol import Sandbox
    from pytest_llmbench.schema.attempt import Completion
    from pytest_llmbench.schema.execution import CallResult, ExecResult, LimitHit, Limits, TestRun

_HOMES = {
    "Batches": "plugin.author.batches",
    "CallResult": "schema.execution",
    "Completion": "schema.attempt",
    "ExecResult": "schema.execution",
    "HarnessError": "errors",
    "Label": "plugin.author.label",
    "LimitHit": "schema.execution",
    "Limits": "schema.execution",
    "Row": "plugin.author.shapes",
    "Sandbox": "sandbox.protocol",
    "SourceFile": "plugin.author.source",
    "SourceFinder": "plugin.author.source",
    "Submission": "attempts.submission",
    "TestRun": "schema.execution",
    "checked": "plugin.author.shapes",
    "fits": "plugin.author.shapes",
    "same": "plugin.author.values",
    "seeded": "plugin.author.values",
    "shortened": "plugin.author.values",
}

__all__ = [
    "Batches",
    "CallResult",
    "Completion",
    "ExecResult",
    "HarnessError",
    "Label",
    "LimitHit",
    "Limits",
    "Row",
    "Sandbox",
    "SourceFile",
    "SourceFinder",
    "Submission",
    "TestRun",
    "checked",
    "fits",
    "same",
    "seeded",
    "shortened",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"pytest_llmbench.{_HOMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-llmbench")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
