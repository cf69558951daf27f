"""Reads random replies and looks into them as the graders do: ``python -m support.fuzz_replies FIRST COUNT LONGEST``.

Started in the folder ``tests``. One line of JSON for each reply: its seed, the CPU seconds it took, the memory that
this process has had at most (MB), and the state it ended in: ``no code``, ``looked into`` or ``fault``, with why points
were missed or what was raised.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.bench import REPOSITORY
from support.grammar import random_reply

from pytest_llmbench.attempts.submission import from_reply
from pytest_llmbench.llm.clients.reasoning import separate
from pytest_llmbench.plugin.author.source import SourceFile
from pytest_llmbench.plugin.runtest.cpu_budget import OverBudget
from pytest_llmbench.reporting.html.diff import file_changes
from pytest_llmbench.schema.attempt import Completion
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.task import DEFAULT_BUDGET_S, Task
from pytest_llmbench.untrusted.cpu_time import cpu_limit

MEMORY_MB = 4000
"""Of address space: a reply that takes the machine's memory ends this process."""


def _module(task: str) -> ModuleType:
    name = task.replace("-", "_")
    path = REPOSITORY / "tasks/six" / name / f"test_{name}.py"
    if path.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[path.stem]


def _looks(task: str, file: SourceFile) -> Iterator[Callable[[], object]]:
    """What the task's tests do with the file's text and its trees, without any program."""
    module: Any = _module(task)
    match task:
        case "js-sse":
            yield lambda: module.LABELS.decoder(file, works=False)
            yield lambda: module.LABELS.parser(file)
        case "js-bug-fix":
            yield lambda: [node.text() for node in file.find_all("$A == $B")]
        case "go-middleware":
            told = "".join(f"./main.go:{line}:2: declared and not used: x\n" for line in range(1, 400))
            yield lambda: module._kind(None, file.text.lower())
            yield lambda: module.BUILDING.repaired(file.text, told, lambda text: SourceFile(file.name, text).root)
        case "rust-cli":
            yield lambda: module.approach_of(file, module.Build())
            starter = (REPOSITORY / "fixtures/rust-cli/starter" / file.name).read_text(encoding="utf-8")
            yield lambda: list(module.REPAIR.variants(file.text, starter))
        case "python-top-k":
            yield lambda: module.READING.method(file.python)
            yield lambda: list(module.READING.counter_mentions(file.python))
            yield lambda: module._definition(file.python)
        case _:
            yield lambda: [node.text() for node in file.find_all(kind="call_expression")]


def look(seed: int, longest: int) -> tuple[str, str]:
    """The state that the reply of a seed ends in, and why."""
    reply = random_reply(seed, longest)
    task = Task(reply.task, "six", 1, 0, "", (reply.file,), Path("test_it.py"), ())
    parted = separate(reply.text)
    submission = from_reply(AttemptKey(reply.task, "fuzz", 1), task, Completion(text=parted.answer))
    if submission.no_code:
        return "no code", submission.notes[0] if submission.notes else ""
    text = submission.files[reply.file]
    file_changes({reply.file: "x\n" * 500}, submission.files, (reply.file,))
    misses: list[str] = []
    for each in _looks(reply.task, SourceFile(reply.file, text)):
        with _missed(misses), cpu_limit(DEFAULT_BUDGET_S, lambda: OverBudget("CPU")):
            each()
    return "looked into", "; ".join(misses)


@contextlib.contextmanager
def _missed(misses: list[str]) -> Iterator[None]:
    try:
        yield
    except (AssertionError, pytest.fail.Exception) as error:
        misses.append(str(error)[:200])


def main(first: int, count: int, longest: int) -> None:
    """Look at the replies of so many seeds."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20,) * 2)
    for seed in range(first, first + count):
        began = time.process_time()
        try:
            state, why = look(seed, longest)
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            state, why = "fault", traceback.format_exc(limit=-3)[-800:]
        cpu_s = time.process_time() - began
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(
            json.dumps({"seed": seed, "cpu_s": cpu_s, "memory_mb": memory_mb, "state": state, "why": why}), flush=True
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
