"""A stored reply, graded twenty times by turns on a calm and on an overloaded machine, gets the same points each time.

One reply a task, of middling quality: it earns some points and misses others, and both have to stay. The tasks are
graded side by side, so that those that mostly wait cost no time of their own.
"""

from __future__ import annotations

import collections

from support.bench import Bench
from support.busy import busy_loops
from support.suite import POINTS, TASKS, data

from pytest_llmbench.schema.mutant import take_apart

MIDDLING = {
    "go-middleware": "fixed-window",
    "js-bug-fix": "once-only",
    "js-sse": "decoder-per-chunk",
    "python-top-k": "sorts-the-chosen",
    "rust-cli": "value-enum-missed",
    "ts-refactor": "logger-only",
}
TIMES, SESSIONS, PROCESSES, LOOPS = 20, 4, 4, 6
EPOCHS = TIMES // SESSIONS


def test_twenty_gradings_give_one_result(bench: Bench) -> None:
    (bench.root / "replies").mkdir()
    for task in TASKS:
        text = (data(task) / "mutants" / f"{MIDDLING[task]}.md").read_text(encoding="utf-8")
        for epoch in range(1, EPOCHS + 1):
            (bench.root / f"replies/{task}.{epoch}.md").write_text(take_apart(text)[1], encoding="utf-8")
    seen = collections.defaultdict(list)
    for session in range(SESSIONS):
        with busy_loops(LOOPS if session % 2 else 0):
            run = bench.run(
                *("--llm-suite=six", "--llm-model=dir:replies", "--tb=short", "--llm-fail-under=0"),
                *(f"--llm-epochs={EPOCHS}", f"-n{PROCESSES}"),
                timeout_s=1200,
            )
        for attempt in run.results["attempts"]:
            earned = {point["id"]: point["outcome"] for point in attempt["criteria"]}
            seen[attempt["task"]].append((attempt["status"], attempt["points"], earned))
    left = {each["task"] for each in run.results["run"]["selection"]["left_out"]}
    assert seen.keys() == set(TASKS) - left
    moved = []
    for task, gradings in seen.items():
        assert len(gradings) == TIMES, task
        first = gradings[0]
        assert 0 < first[1] < POINTS, task
        points = sorted(
            {(point, now) for *_, each in gradings for point, now in each.items() if now != first[2][point]}
        )
        if points or any(grading != first for grading in gradings):
            moved.append(f"{task}: {points}; each grading: {[(status, points) for status, points, _ in gradings]}")
    assert not moved, "\n".join(moved)
