"""A stored reply, graded again and again on a calm and on an overloaded machine, gets the same points each time.

One reply a task, of middling quality, is graded twenty times by turns: it earns some points and misses others, and both
have to stay. Two mutants a task, other ones with each commit, are graded three times. The tasks are graded side by
side, so that those that mostly wait cost no time of their own.
"""

from __future__ import annotations

import itertools
import subprocess
from collections import defaultdict
from collections.abc import Mapping

from support.bench import REPOSITORY, Bench
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
SAMPLE, SAMPLE_TIMES = 2, 3

Grading = tuple[str, float, dict[str, str]]
"""State, points, and how each point ended."""


def test_twenty_gradings_give_one_result(bench: Bench) -> None:
    seen: defaultdict[str, list[Grading]] = defaultdict(list)
    for session in range(SESSIONS):
        for reply, gradings in graded(bench, MIDDLING, TIMES // SESSIONS, loops=LOOPS if session % 2 else 0).items():
            seen[reply] += gradings
    assert all(0 < gradings[0][1] < POINTS for gradings in seen.values()), "some points are earned and some missed"
    assert_one_result(seen, TIMES)


def test_a_sample_of_the_mutants_is_graded_thrice_with_one_result(bench: Bench) -> None:
    for number in range(SAMPLE):
        sample = {task: sampled(task, number) for task in TASKS}
        assert_one_result(graded(bench, sample, SAMPLE_TIMES, loops=LOOPS), SAMPLE_TIMES)


def sampled(task: str, number: int) -> str:
    """The name of one of a task's mutants: others with each commit, the first ones where git knows of none."""
    names = sorted(path.stem for path in (data(task) / "mutants").glob("*.md"))
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return names[(int(head.stdout.strip() or "0", 16) * SAMPLE + number) % len(names)]


def graded(bench: Bench, mutants: Mapping[str, str], times: int, *, loops: int) -> dict[str, list[Grading]]:
    """Grade one mutant of each task in one session, beside busy loops; task and mutant -> its gradings."""
    (bench.root / "replies").mkdir(exist_ok=True)
    for task, epoch in itertools.product(TASKS, range(1, times + 1)):
        text = (data(task) / "mutants" / f"{mutants[task]}.md").read_text(encoding="utf-8")
        (bench.root / f"replies/{task}.{epoch}.md").write_text(take_apart(text)[1], encoding="utf-8")
    with busy_loops(loops):
        run = bench.run(
            *("--llm-suite=six", "--llm-model=dir:replies", "--tb=short", "--llm-fail-under=0"),
            *(f"--llm-epochs={times}", f"-n{PROCESSES}"),
            timeout_s=1200,
        )
    seen: defaultdict[str, list[Grading]] = defaultdict(list)
    for attempt in run.results["attempts"]:
        ended = {point["id"]: point["outcome"] for point in attempt["criteria"]}
        seen[f"{attempt['task']} {mutants[attempt['task']]}"].append((attempt["status"], attempt["points"], ended))
    left_out = {each["task"] for each in run.results["run"]["selection"]["left_out"]}
    assert seen.keys() == {f"{task} {mutants[task]}" for task in set(TASKS) - left_out}
    return seen


def assert_one_result(seen: Mapping[str, list[Grading]], times: int) -> None:
    """Each reply was graded so often, and each time alike."""
    moved = []
    for reply, gradings in seen.items():
        assert len(gradings) == times, reply
        first = gradings[0]
        points = sorted(
            {(point, now) for *_, each in gradings for point, now in each.items() if now != first[2][point]}
        )
        if points or any(grading != first for grading in gradings):
            moved.append(f"{reply}: {points}; each grading: {[(status, points) for status, points, _ in gradings]}")
    assert not moved, "\n".join(moved)
