"""Runs the whole pytest command, as a user types it, in a project of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from support import zygote

REPOSITORY = Path(__file__).resolve().parents[2]

ADD_REPLY = "Here you are:\n\n```python\ndef add(a, b):\n    return a + b\n```\n"
WRONG_REPLY = "```python\ndef add(a, b):\n    return a - b\n```\n"
NO_CODE_REPLY = "I would rather talk about the weather."

TASK = '''\
import pytest

pytestmark = pytest.mark.llm_task(
    id="{id}", suite="tests", points=4, floor=1, files=["add.py"], prompt_text="Write add(a, b), please. Task {id}."
)


def load(submission):
    space = {{}}
    exec(submission.files["add.py"], space)
    return space["add"]


@pytest.mark.rubric("adds", points=2)
def test_adds(submission):
    """Adds small numbers."""
    assert load(submission)(1, 2) == 3


@pytest.mark.rubric("commutes", points=2)
@pytest.mark.parametrize("a, b", [(1, 2), (5, 3)])
def test_commutes(submission, a, b):
    add = load(submission)
    assert add(a, b) == add(b, a)
'''
"""A task whose points need no sandbox: quick, and graded in the test process, which real tasks must never do."""


@dataclass(frozen=True)
class Run:
    """A finished pytest command."""

    exit: int
    out: str
    err: str
    project: Path
    folder: Path = field(init=False)
    """The run's own, which later runs leave alone: the newest one when the command ended."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", (self.project / ".llmbench/latest").resolve())

    @cached_property
    def results(self) -> dict[str, Any]:
        """The run's ``results.json``."""
        return json.loads((self.folder / "results.json").read_text())

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The run's ``plan.json``."""
        return json.loads((self.folder / "plan.json").read_text())

    def attempt(self, task: str, model: str, epoch: int = 1) -> dict[str, Any]:
        """One attempt of the results."""
        (found,) = [a for a in self.results["attempts"] if (a["task"], a["model"], a["epoch"]) == (task, model, epoch)]
        return found

    def row(self, model: str) -> dict[str, Any]:
        """A model's row, ranked or incomplete."""
        (found,) = [r for r in [*self.results["leaderboard"], *self.results["incomplete"]] if r["model"] == model]
        return found

    def counts(self) -> dict[str, int]:
        """pytest's own closing counts: ``{"passed": 3, "failed": 1}``."""
        last = [line for line in self.out.splitlines() if re.search(r" in \d+\.\d+s", line)][-1]
        return {word: int(number) for number, word in re.findall(r"(\d+) (not reached|[a-z]+)", last.split(" in ")[0])}


_WITHOUT = "-p no:hypothesispytest -p no:anyio"
"""Plugins that came along with the tests' own tools: they import more than pytest and we do together."""


class Bench:
    """A project folder with tasks, and the command that runs them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cold = False
        """Whether sessions are started as a user's shell starts them, for what only that shows: what is imported when,
        the environment of a process as others see it."""
        (root / "pyproject.toml").write_text(
            '[tool.pytest.ini_options]\ntestpaths = ["tests"]\nllm_taskpaths = ["tasks"]\n'
        )
        self.temporary = root.with_name("pytest-temporary")
        """Where sessions have their ``tmp_path``: at its end, a session removes the old ones of all that share it."""
        self.temporary.mkdir(exist_ok=True)
        (root / "tests").mkdir()
        (root / "tasks").mkdir()

    def task(self, name: str = "add", text: str = TASK) -> Path:
        """Write a task module; ``{id}`` in the text becomes its name."""
        path = self.root / "tasks" / f"test_{name.replace('-', '_')}.py"
        path.write_text(text.replace("{id}", name).replace("{{", "{").replace("}}", "}"))
        return path

    def file(self, name: str, text: str) -> Path:
        """Write any file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def environment(self, **more: str) -> dict[str, str]:
        """This one without what could choose or pay a model, or move pytest's cache; no local server is looked for."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LLMBENCH_", "PYTEST_", "TOX_", "OPENAI_", "OLLAMA_")) and name != "CI"
        }
        ours = {"LLMBENCH_PROBE_PORTS": "1", "COLUMNS": "200", "PYTEST_ADDOPTS": _WITHOUT}
        return {**kept, **ours, "PYTEST_DEBUG_TEMPROOT": str(self.temporary), **more}

    def command(self, *args: object) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "pytest", *map(str, args)]

    def run(self, *args: object, timeout_s: float = 300.0, cwd: Path | None = None, **env: str) -> Run:
        """Run pytest to its end."""
        with self.start(*args, cwd=cwd, **env) as process:
            try:
                out, err = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                raise AssertionError(f"pytest did not end within {timeout_s} s:\n{out}\n{err}") from None
        return Run(process.returncode, out, err, self.root)

    def start(self, *args: object, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        """Start pytest in a process group of its own: forked from one that has pytest imported, unless ``cold``."""
        where, environment = cwd or self.root, self.environment(**env)
        if not self.cold and not zygote.read_at_start(environment):
            return zygote.start([*map(str, args)], cwd=where, env=environment)
        return subprocess.Popen(
            self.command(*args),
            cwd=where,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
