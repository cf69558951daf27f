"""Many random replies through what reads them, in a process with bounds, and what must hold of each."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from support.bench import REPOSITORY

MOST_CPU_S = 10
MOST_MEMORY_MB = 500


def looked_at(first: int, count: int, longest: int, *, timeout_s: float) -> list[dict[str, Any]]:
    """What became of the replies of so many seeds, up to the last one that the process ended with."""
    command = [sys.executable, "-m", "support.fuzz_replies", *map(str, (first, count, longest))]
    run = subprocess.run(
        command, cwd=REPOSITORY / "tests", capture_output=True, text=True, timeout=timeout_s, check=False
    )
    ended = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, f"after {len(ended)} replies from seed {first}: {run.returncode} {run.stderr[-2000:]}"
    return ended


def check(ended: list[dict[str, Any]], first: int, count: int) -> None:
    """Every reply ended in one state, without a fault of ours, within bounds; and many had something to look into."""
    assert [each["seed"] for each in ended] == list(range(first, first + count))
    assert not [each for each in ended if each["state"] not in ("no code", "looked into")]
    assert not [each for each in ended if each["cpu_s"] > MOST_CPU_S]
    assert not [each for each in ended if each["memory_mb"] > MOST_MEMORY_MB]
    assert sum(each["state"] == "looked into" for each in ended) >= count / 5
