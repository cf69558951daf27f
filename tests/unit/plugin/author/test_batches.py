"""Batches: calls share a process, and what died with it is made again alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_llmbench import Batches, CallResult, ExecResult, Limits

ARGS = {"first": [1], "second": [2], "third": [3]}
LIMITS, ALONE = Limits(cpu_s=3), Limits(cpu_s=1)


class Sandbox:
    """Answers with outcomes: of the calls together, in order, and of each that is made alone."""

    def __init__(self, together: Sequence[str], alone: str = "returned", wall_s: float = 4.0) -> None:
        self.together, self.alone = together, alone
        self.execution = ExecResult(("python",), 0, "", "", wall_s=wall_s, cpu_s=0.1, waited_s=1.0)
        self.asked: list[Any] = []

    def calls(self, *args: Any, **options: Any) -> list[CallResult]:
        self.asked.append((args, options))
        return [CallResult(outcome, value="together") for outcome in self.together]

    def call(self, *args: Any, **options: Any) -> CallResult:
        self.asked.append((args, options))
        return CallResult(self.alone, value="alone", execution=self.execution)


def batches(sandbox: Any, **options: Any) -> Batches[str]:
    return Batches(sandbox, "a.py", "f", ARGS, LIMITS, **options)


def test_nothing_runs_before_a_result_is_asked_for_and_then_all_in_one_process() -> None:
    sandbox = Sandbox(["returned", "raised", "returned"])
    found = batches(sandbox, loopback=True)
    assert sandbox.asked == []
    assert [found[name].outcome for name in ARGS] == ["returned", "raised", "returned"]
    assert sandbox.asked == [(("a.py", "f", [[1], [2], [3]], LIMITS), {"loopback": True})]


def test_what_died_is_made_again_alone_and_once() -> None:
    sandbox = Sandbox(["returned", "died", "died"])
    found = batches(sandbox, alone=ALONE)
    assert [found[name].value for name in ("first", "third", "third")] == ["together", "alone", "alone"]
    assert sandbox.asked[1:] == [(("a.py", "f", 3), {"limits": ALONE, "loopback": False})]
    assert found.together["third"].outcome == "died"


def test_alone_a_call_has_the_same_limits_unless_others_are_given() -> None:
    sandbox = Sandbox(["died", "died", "died"], alone="died")
    assert batches(sandbox)["first"].outcome == "died"
    assert sandbox.asked[-1] == (("a.py", "f", 1), {"limits": LIMITS, "loopback": False})


def test_the_time_for_calls_alone_is_limited() -> None:
    """Time spent waiting for a CPU does not count: each of these took 3 s."""
    sandbox = Sandbox(["died", "died", "died"], alone="died")
    found = batches(sandbox, alone_s=6.0)
    assert [found[name].value for name in ARGS] == ["alone", "alone", "together"]


def test_a_dead_canary_means_that_nothing_is_made_again() -> None:
    sandbox = Sandbox(["died", "died", "returned"])
    found = batches(sandbox, canary="first")
    assert [found[name].value for name in ARGS] == ["together"] * 3
    sandbox = Sandbox(["raised", "died", "returned"])
    assert batches(sandbox, canary="first")["second"].value == "alone"
