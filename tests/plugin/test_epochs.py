"""Several epochs: what the results and the terminal make of them."""

from __future__ import annotations

from typing import Any

import pytest
from support.bench import ADD_REPLY, WRONG_REPLY, Bench


@pytest.fixture
def replies(bench: Bench) -> Bench:
    """Four epochs of two tasks: right, wrong, right, and an empty reply; the other task is always right."""
    for name in ("changing", "steady"):
        bench.task(name)
    for epoch, text in enumerate((ADD_REPLY, WRONG_REPLY, ADD_REPLY, ""), 1):
        bench.file(f"replies/changing.{epoch}.md", text)
        bench.file(f"replies/steady.{epoch}.md", ADD_REPLY)
    return bench


def row(results: dict[str, Any], task: str | None) -> dict[str, Any]:
    (found,) = [each for each in results["reduced"] if each["task"] == task]
    return found


def test_reduced(replies: Bench) -> None:
    run = replies.run("--llm-model=m=dir:replies", "--llm-epochs=4", "-n2")
    changing = row(run.results, "changing")
    assert (changing["n"], changing["passes"], changing["mean"], changing["best"]) == (3, 2, 3.0, 4.0)
    assert changing["pass_at_k"] == {"1": 0.666667, "2": 1.0, "4": None}
    assert changing["pass_hat_k"] == {"1": 0.666667, "2": 0.333333, "4": None}
    assert row(run.results, "steady")["pass_hat_k"] == {"1": 1.0, "2": 1.0, "4": 1.0}
    whole = row(run.results, None)
    assert (whole["n"], whole["passes"], whole["mean"], whole["best"]) == (3, 6, 7.0, 8.0)
    assert whole["pass_at_k"] == {"1": 0.833333, "2": 1.0, "4": None}
    (line,) = [line for line in run.out.splitlines() if line.split()[:2] == ["m", "changing"]]
    assert line.split()[2:] == ["3", "2", "3.00", "4.00", "67%", "100%", "-", "33%", "-"]


def test_a_floor_is_no_pass_but_where_nothing_is_asked_for(replies: Bench) -> None:
    for bar, passes in (("25", 2), ("0", 3)):
        run = replies.run("--llm-model=m=dir:replies", "--llm-epochs=4", f"--llm-pass-at={bar}")
        assert row(run.results, "changing")["passes"] == passes


def test_one_epoch_says_nothing_of_it(replies: Bench) -> None:
    run = replies.run("--llm-model=m=dir:replies")
    assert run.results["reduced"] == []
    assert "pass@" not in run.out
