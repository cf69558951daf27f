"""Each task's rubric against its own files, by the self-check that every author of a task has.

It proves that the reference earns everything, the starter its floor, each mutant loses exactly the points that it
names, every time, and every point is lost by some mutant. Here it is proven besides that every archetype of a reply
lands in its band.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from support.bench import Bench
from support.suite import POINTS, TASKS, bands, module

GRADINGS = int(os.environ.get("LLMBENCH_TEST_GRADINGS", "1"))
"""Of each reply, always with the same result."""
FEWEST_MUTANTS, FEWEST_SOUND = 10, 3
PROCESSES = {"go-middleware": ("-n3",)}
"""For tasks whose attempts run in real time and mostly wait."""


def mutants_of(run: Any, task: str) -> list[dict[str, Any]]:
    """What the run's plan says of the task's mutants."""
    (card,) = run.plan["tasks"]
    assert card["id"] == task
    return card["mutants"]


@pytest.mark.parametrize("task", TASKS)
def test_the_rubric_holds(bench: Bench, task: str) -> None:
    run = bench.run(
        "--llm-suite=six", "-k", module(task), "--llm-selfcheck", f"--llm-epochs={GRADINGS}", "--tb=short",
        *PROCESSES.get(task, ()), timeout_s=2400,
    )  # fmt: skip
    if left := run.results["run"]["selection"]["left_out"]:
        pytest.skip(left[0]["reason"])
    assert run.exit == 0, run.out + run.err
    (check,) = run.results["selfcheck"]["tasks"]
    assert (check["task"], check["gradings"], check["complete"]) == (task, GRADINGS, True)
    assert (check["reference"], check["max_points"], check["starter"]) == (POINTS, POINTS, check["floor"])

    mutants = mutants_of(run, task)
    assert len(mutants) == check["mutants_as_stated"] >= FEWEST_MUTANTS
    assert check["sound"] >= FEWEST_SOUND
    expected = bands(task)
    assert {mutant["archetype"] for mutant in mutants} - {""} == set(expected)
    outside = []
    for mutant in mutants:
        low, high = expected.get(mutant["archetype"], (0.0, POINTS))
        for epoch in range(1, GRADINGS + 1):
            points = run.attempt(task, f"mutant/{mutant['name']}", epoch)["points"]
            if not low <= points <= high:
                outside.append(f"{mutant['name']} #{epoch} ({mutant['archetype']}): {points}, band {low} to {high}")
    assert not outside, "\n".join(outside)
