"""What it costs to grade one attempt of each shipped task, in seconds of CPU time.

The reference solutions are graded several times in one session. The CPU time of this process and of every program that
the sandbox ran is noted for each attempt; the first attempt of a task finds everything cold and does not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest
from measure import Machine, environment, own_cpu_s, say

AIM_S = 1.5
AIMED_AT = {"python", "node"}
"""Interpreters. A task that compiles has no aim: its compiler's time is not ours."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="six")
    parser.add_argument("--task", default="", help="only tasks with this in their name (as pytest's -k)")
    parser.add_argument("--epochs", type=int, default=4, help="attempts at each task, the cold one included")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs: 2 at least, for the first attempt does not count")

    machine = Machine()
    clock = CPUClock()
    # It must hold for pytest in this process too.
    os.environ.clear()
    os.environ.update(environment())
    words = [
        *(f"--llm-suite={options.suite}", "--llm-model=builtin/reference", f"--llm-epochs={options.epochs}"),
        *("-q", "-n0", "-p", "no:cacheprovider", "-k", options.task),
    ]
    with tempfile.TemporaryDirectory(prefix="llmbench-grading-") as name, contextlib.chdir(name):
        Path("pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = pytest.main(words, plugins=[clock])
    if status != pytest.ExitCode.OK or not clock.seconds:
        raise SystemExit(f"wrong run: pytest ended with {status!r}\n{output.getvalue()}")
    for task, attempts in sorted(clock.seconds.items()):
        warm = list(attempts.values())[1:]
        aim = f"at most {AIM_S} s" if clock.toolchains[task] <= AIMED_AT else ""
        say(f"{task}, median of {len(warm)} warm attempts", f"{statistics.median(warm):.2f} s", aim)
    machine.say()


class CPUClock:
    """A pytest plugin: CPU seconds by task and attempt."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.toolchains: dict[str, set[str]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Generator[None, object, object]:
        """Everything that one test takes: reading the reply, the workspace, fixtures, the test, its record."""
        task = item.get_closest_marker("llm_task")
        before = own_cpu_s()
        result = yield
        if task is not None:
            name = task.kwargs["id"]
            attempt = str(item.callspec.params["llm_attempt"])
            self.seconds[name][attempt] += own_cpu_s() - before
            self.toolchains[name] = set(task.kwargs.get("toolchains", ()))
        return result


if __name__ == "__main__":
    main()
