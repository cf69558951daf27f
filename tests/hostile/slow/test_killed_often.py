"""Killed with -9 at 25 moments spread over a session's life, and gone on with each time."""

from __future__ import annotations

import random
import shutil

import pytest
from support.bench import Bench
from support.killing import ATTEMPTS, IN_FLIGHT, TASKS, answer, essence, killed_and_resumed, undisturbed
from support.server import ChatServer

KILLS, LONGEST_S = 25, 2.5


@pytest.mark.parametrize("share", range(5))
def test_killed_and_resumed_ends_as_undisturbed(bench: Bench, share: int) -> None:
    for name in TASKS:
        bench.task(name)
    whole = undisturbed(bench)
    chance = random.Random(share)
    moments = [chance.uniform(0.2, LONGEST_S) for _ in range(KILLS // 5)]
    for number, moment in enumerate(moments):
        with ChatServer(answer) as server:
            results = killed_and_resumed(bench, server, moment, *(("-n2",) if number % 2 else ("-n0",)))
            assert server.chat_count <= ATTEMPTS + IN_FLIGHT
        assert essence(results) == essence(whole), f"killed after {moment:.2f} s"
        shutil.rmtree(bench.root / ".llmbench")
