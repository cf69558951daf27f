"""Whole replies that try to get points without earning them, and honest ones in an odd style."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from support.bench import Bench, Run

CHEATS = Path(__file__).parents[1] / "hostile" / "cheats"


@dataclass(frozen=True)
class Cheat:
    """One reply with the score that it is worth."""

    task: str
    name: str
    about: str
    kind: Literal["cheat", "partial", "honest"]
    """Partial: right but for the forbidden part, of which the points alone are compared."""
    points: float
    """Of a cheat: what the solution behind it has without the cheat. Of an honest reply: all points."""
    reply: str
    without: str = "plain-wrong"
    """Of a cheat: the name of the solution behind it without the cheat, which may be right, but reached as the task
    forbids."""


def cheats(task: str) -> Iterator[Cheat]:
    """The replies kept for a task, in order of their names."""
    for path in sorted((CHEATS / task).glob("*.md")):
        _, head, reply = path.read_text(encoding="utf-8").split("+++\n", 2)
        yield Cheat(task, path.stem, reply=reply, **tomllib.loads(head))


def grade(bench: Bench, replies: list[Cheat], *args: str, timeout_s: float = 400, **env: str) -> Run:
    """Run the whole command over some replies to one task, each as a model of its own."""
    (task,) = {reply.task for reply in replies}
    models = []
    for reply in replies:
        bench.file(f"replies/{reply.name}/{task}.md", "").write_text(reply.reply, encoding="utf-8")
        models.append(f"--llm-model={reply.name}=dir:replies/{reply.name}")
    module = f"test_{task.replace('-', '_')}.py"
    return bench.run("--llm-suite=six", "-k", module, *models, *args, timeout_s=timeout_s, **env)
