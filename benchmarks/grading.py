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

from pytest_llmbench import Limits

AIMS_S = {"cargo": 6.0, "go": 3.0, "node": 1.5, "python": 1.5}
"""At most, by toolchain: of a task's several the first one here counts."""
TYPE_CHECKED_S = 3.0
"""Of a task that type-checks what it is given."""
BARE = {
    "cargo": ["cargo", "build", "--offline"],
    "go": ["go", "build", "-o", "/tmp/program", "."],
    "tsc": ["tsc", "--noEmit", "--strict", "--target", "es2022", "pipeline.ts"],
    "node": ["node", "-e", "0"],
    "python": ["python", "-S", "-c", "pass"],
}
"""What has to be run at the very least, by toolchain."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="six")
    parser.add_argument("--task", default="", help="only tasks with this in their name (as pytest's -k)")
    parser.add_argument("--epochs", type=int, default=4, help="attempts at each task, the cold one included")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs: 2 at least, for the first attempt does not count")

    machine = Machine()
    clock = CPUClock(options.epochs)
    # It must hold for pytest in this process too.
    inside = environment()
    os.environ.clear()
    os.environ.update(inside)
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
        say(f"{task}, median of {len(warm)} warm attempts", f"{statistics.median(warm):.2f} s", clock.aim(task))
        say(f"{task}, {clock.bare_command(task)}, bare", f"{clock.bare_s[task]:.2f} s")
    machine.say()


class CPUClock:
    """A pytest plugin: CPU seconds by task and attempt."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self._next: pytest.Function | None = None
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.toolchains: dict[str, set[str]] = {}
        self.files: dict[str, list[str]] = {}

        self.bare_s: dict[str, float] = {}
        """What compiling, or starting the interpreter, takes alone: no grading can cost less."""

    def aim(self, task: str) -> str:
        """The most that an attempt may take."""
        return f"at most {TYPE_CHECKED_S if self._typed(task) else AIMS_S[self._main(task)]:g} s"

    def bare_command(self, task: str) -> str:
        """What a bare compile, or start, is called."""
        return " ".join(BARE["tsc" if self._typed(task) else self._main(task)])

    def measure_bare(self, item: pytest.Function, task: str) -> None:
        """Compile once more what was handed in, changed by a comment so that no compiler knows it."""
        request = item._request  # noqa: SLF001 - what a test could ask for, asked for it
        sandbox, workspace = (request.getfixturevalue(name) for name in ("sandbox", "workspace"))
        source = workspace / self.files[task][0]
        source.write_text(source.read_text() + ("\n# again\n" if source.suffix == ".py" else "\n// again\n"))
        before = own_cpu_s()
        result = sandbox.run(self.bare_command(task).split(), Limits(cpu_s=60, wall_s=60, memory_mb=4096))
        self.bare_s[task] = own_cpu_s() - before
        if not result.ok:
            raise SystemExit(f"wrong run: {task}: {self.bare_command(task)} {result.ending}\n{result.stderr}")

    def _typed(self, task: str) -> bool:
        return any(name.endswith(".ts") for name in self.files[task])

    def _main(self, task: str) -> str:
        return next(chain for chain in AIMS_S if chain in self.toolchains[task])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Function) -> Generator[None, object, object]:
        """Behind the last test of a task's last attempt, whose workspace is still there."""
        result = yield
        key = item.callspec.params["llm_attempt"]
        following = self._next.callspec.params["llm_attempt"] if self._next is not None else None
        if following != key and key.epoch == self.epochs:
            before = own_cpu_s()
            self.measure_bare(item, key.task)
            self.seconds[key.task][str(key)] -= own_cpu_s() - before
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Function, nextitem: pytest.Function | None
    ) -> Generator[None, object, object]:
        """Everything that one test takes: reading the reply, the workspace, fixtures, the test, its record."""
        task = item.get_closest_marker("llm_task")
        self._next = nextitem
        before = own_cpu_s()
        result = yield
        if task is not None:
            name = task.kwargs["id"]
            attempt = str(item.callspec.params["llm_attempt"])
            self.seconds[name][attempt] += own_cpu_s() - before
            self.toolchains[name] = set(task.kwargs.get("toolchains", ()))
            self.files[name] = list(task.kwargs["files"])
        return result


if __name__ == "__main__":
    main()
