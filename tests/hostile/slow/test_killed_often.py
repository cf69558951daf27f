"""Sessions killed with -9 at 25 moments of their generation, and gone on with each time."""

from __future__ import annotations

import random
import shutil

import pytest
from support.bench import Bench
from support.killing import TASKS, answer, essence, killed_again_and_again, undisturbed
from support.server import ChatServer

KILLS, LONGEST_S = 13, 0.4
"""In each way of running: 26 in all."""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_killed_and_resumed_ends_as_undisturbed(bench: Bench, workers: str) -> None:
    for name in TASKS:
        bench.task(name)
    whole = undisturbed(bench)
    chance = random.Random(workers)
    killed = 0
    while killed < KILLS:
        pauses = [chance.uniform(0.01, LONGEST_S) for _ in range(3)]
        with ChatServer(answer) as server:
            run, kills = killed_again_and_again(bench, server, pauses, workers)
        killed += kills
        assert essence(run.results) == essence(whole), f"killed after {pauses}"
        shutil.rmtree(bench.root / ".llmbench")
