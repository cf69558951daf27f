"""Replies to js-sse and js-bug-fix that try to cost much: what they cost is bounded, and told as theirs."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from support.bench import REPOSITORY

from pytest_llmbench.plugin.author.source import SourceFile
from pytest_llmbench.plugin.runtest.cpu_budget import OverBudget
from pytest_llmbench.schema.execution import CallResult

SIZE = 99_000
"""Characters, which a file may have that is looked into."""
BOMBS = {
    "calls in a row": "x" + ".split(a)" * (SIZE // 9),
    "a sum": "a" + "+a" * (SIZE // 2),
    "arguments": "a.split(" + "'a'," * (SIZE // 4) + ")",
    "cases": "switch(a){" + "case 1:" * (SIZE // 7) + "}",
    "decoders in decoders": "x=" + "new TextDecoder(" * (SIZE // 16),
    "pairs in pairs": "x=" + "{stream:" * (SIZE // 8),
    "one text": "'" + "\\n" * (SIZE // 2) + "'",
}


def task(name: str) -> ModuleType:
    """A task's module, imported as any other."""
    path = REPOSITORY / "tasks" / "six" / name / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"costly_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_labels_are_linear(text: str) -> None:
    sse = task("js_sse")
    costs = []
    for part in (text[: SIZE // 4], text):
        start = time.process_time()
        file = SourceFile(sse.FILE, part)
        for label in (sse.LABELS.parser, lambda each: sse.LABELS.decoder(each, works=False)):
            with contextlib.suppress(OverBudget):  # what is nested too deep is refused, at the same cost
                label(file)
        costs.append(time.process_time() - start)
    assert costs[1] < 12 * costs[0] + 0.5, "four times the text: linear is 4, quadratic 16"
    assert costs[1] < 5


@pytest.mark.parametrize(("name", "maker"), [("js_sse", "seen"), ("js_bug_fix", "play")])
def test_a_module_that_does_not_load_is_asked_once(name: str, maker: str) -> None:
    """Each further question would cost as much as the first."""
    module = task(name)
    asked = []

    def calls(
        _file: object, _function: str, requests: list[Any], *_limits: object, **_more: object
    ) -> list[CallResult]:
        asked.append(len(requests))
        return [CallResult("died", message="wall_s limit hit: 10 of 10 allowed")] * len(requests)

    fixture = getattr(module, maker)._get_wrapped_function()(SimpleNamespace(calls=calls))
    questions = [(group,) for group in module.GROUPS] if name == "js_sse" else [
        (subject, batch) for subject, batches in module.BATCHES.items() for batch in batches
    ]  # fmt: skip
    for question in questions:
        with pytest.raises(pytest.fail.Exception, match="wall_s limit hit"):
            fixture(*question)
    assert len(asked) == 1
