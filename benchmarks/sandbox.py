"""What the sandbox adds to a command, and how soon it ends a bomb."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import Machine, environment, interleave, say

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.protocol import Sandbox
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox
from pytest_llmbench.schema.execution import Limits

AIM_MS = 10
AIM_RATIO = 2
AIM_LATE_S = 1.0
LIMITS = Limits(wall_s=20, cpu_s=20, memory_mb=256, processes=50)
FORK_BOMB = """
import contextlib, os, time
for _ in range(8):  # 256 processes in all
    with contextlib.suppress(OSError):
        os.fork()
time.sleep(30)
"""
MEMORY_BOMB = """
kept = []
while len(kept) < 3000:
    kept.append(bytearray(b"x") * 1_000_000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    options = parser.parse_args()

    machine = Machine()
    python = toolchains.find("python")
    assert python is not None, toolchains.hint("python")
    choice = choose("auto", own_backends())
    say("sandbox", choice.description)
    with tempfile.TemporaryDirectory(prefix="llmbench-sandbox-") as workspace:
        sandbox = open_sandbox(choice, Path(workspace), [python])
        compare("true", sandbox, ["true"], ["true"], options.pairs)
        code = ["-S", "-c", "pass"]
        compare("python -S -c pass", sandbox, ["python", *code], [str(python.executable), *code], options.pairs)
        explode("fork bomb", sandbox, FORK_BOMB)
        explode("memory bomb", sandbox, MEMORY_BOMB)
    machine.say()


def compare(title: str, sandbox: Sandbox, inside: Sequence[str], bare: Sequence[str], pairs: int) -> None:
    """Print one command's figures."""
    env = environment()

    def run_inside() -> None:
        result = sandbox.run(inside)
        if not result.ok:
            raise SystemExit(f"{title} failed in the sandbox: {result}")

    def run_bare() -> None:
        subprocess.run(bare, cwd=sandbox.workspace, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)

    measured = interleave(run_inside, run_bare, pairs=pairs, warm_up=3)
    say(f"{title}, sandboxed", f"{statistics.median(measured.with_it) * 1000:.1f} ms")
    say(f"{title}, bare", f"{statistics.median(measured.without) * 1000:.1f} ms")
    say(f"{title}, added", f"{measured.difference * 1000:.1f} ms", f"at most {AIM_MS} ms")
    # A ratio says something of a program that does something: `true` itself takes half a millisecond.
    say(f"{title}, ratio", f"{measured.ratio:.2f}", "" if inside == ["true"] else f"at most {AIM_RATIO}")


def explode(title: str, sandbox: Sandbox, source: str) -> None:
    """Print how long a bomb lived, from its start: it reaches its limit a moment after that."""
    results = [sandbox.run(["python", "-S", "-c", source], LIMITS) for _ in range(5)]
    if not all(result.limit_hit for result in results):
        raise SystemExit(f"the {title} was not ended: {[(result.ending, result.limit_hit) for result in results]}")
    worst_s = max(result.wall_s for result in results)
    say(f"{title}, lived, worst of 5", f"{worst_s:.2f} s", f"limit + {AIM_LATE_S:g} s")


if __name__ == "__main__":
    main()
