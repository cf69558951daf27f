"""A stored reply, graded twenty times by turns on a calm and on an overloaded machine, gets the same points each time.

One reply a task, of middling quality: it earns some points and misses others, and both have to stay.
"""

from __future__ import annotations

import pytest
from support.bench import Bench
from support.busy import busy_loops
from support.suite import POINTS, TASKS, data, module

from pytest_llmbench.schema.mutant import take_apart

MIDDLING = {
    "go-middleware": "fixed-window",
    "js-bug-fix": "once-only",
    "js-sse": "decoder-per-chunk",
    "python-top-k": "sorts-the-chosen",
    "rust-cli": "value-enum-missed",
    "ts-refactor": "logger-only",
}
TIMES, SESSIONS, LOOPS = 20, 4, 8


@pytest.mark.parametrize("task", TASKS)
def test_twenty_gradings_give_one_result(bench: Bench, task: str) -> None:
    text = (data(task) / "mutants" / f"{MIDDLING[task]}.md").read_text(encoding="utf-8")
    (bench.root / "replies").mkdir()
    for epoch in range(1, TIMES // SESSIONS + 1):
        (bench.root / f"replies/{task}.{epoch}.md").write_text(take_apart(text)[1], encoding="utf-8")
    seen = []
    for session in range(SESSIONS):
        with busy_loops(LOOPS if session % 2 else 0):
            run = bench.run(
                *("--llm-suite=six", "-k", module(task), "--llm-model=dir:replies", "--tb=short", "-n2"),
                *("--llm-fail-under=0", f"--llm-epochs={TIMES // SESSIONS}"),
                timeout_s=1200,
            )
        if left := run.results["run"]["selection"]["left_out"]:
            pytest.skip(left[0]["reason"])
        for attempt in run.results["attempts"]:
            earned = {point["id"]: point["outcome"] for point in attempt["criteria"]}
            seen.append((attempt["status"], attempt["points"], earned))
    assert len(seen) == TIMES
    first = seen[0][2]
    moved = sorted({(point, now) for _, _, each in seen for point, now in each.items() if now != first.get(point)})
    assert not moved, f"{moved}; the points of each grading: {[points for _, points, _ in seen]}"
    assert all(each == seen[0] for each in seen), [(status, points) for status, points, _ in seen]
    assert 0 < seen[0][1] < POINTS
