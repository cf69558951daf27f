"""What the sandbox adds to a command: ``sandbox.run`` against the same command started bare."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import Machine, environment, interleave, say

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.base import Sandbox
from pytest_llmbench.sandbox.select import choose, open_sandbox

AIM_MS = 10
AIM_RATIO = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    options = parser.parse_args()

    machine = Machine()
    python = toolchains.find("python")
    assert python is not None, toolchains.hint("python")
    choice = choose("auto")
    say("sandbox", choice.description)
    with tempfile.TemporaryDirectory(prefix="llmbench-sandbox-") as workspace:
        sandbox = open_sandbox(choice, Path(workspace), [python])
        compare("true", sandbox, ["true"], ["true"], options.pairs)
        code = ["-S", "-c", "pass"]
        compare("python -S -c pass", sandbox, ["python", *code], [str(python.executable), *code], options.pairs)
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


if __name__ == "__main__":
    main()
