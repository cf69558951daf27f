"""Each task's rubric against its own mutants: whole replies, each of which names the exact points that it loses.

The reference earns everything, the starter its floor, every point is lost by some mutant, and every archetype of a
reply lands in its band.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from support.bench import REPOSITORY, Bench, Run

TASKS = {"python-top-k": 20.0, "js-bug-fix": 20.0}
FLOORS = {"python-top-k": 2.0, "js-bug-fix": 4.0}
CHUNK = 12
"""Replies graded in one session."""

BANDS = {
    "python-top-k": {
        "O(n) bucket sort or O(n log k) heap": (17, 20),
        "sorts everything": (12, 12),
        "sorts inside a bucket or only the k chosen": (16, 19),
        "sorting in disguise": (12, 12),
        "no hints, mutates or prints": (13, 16),
        "wrong output": (5, 8),
        "uses Counter": (2, 2),
        "prose only": (1, 4),
    },
    "js-bug-fix": {
        "heap only": (10, 10),
        "heap + once": (14, 14),
        "all three": (17, 17),
        "all three + the smells": (18, 20),
        "fixes all but breaks another public behaviour or drops a class": (5, 12),
        "any: not the asked file or language, prose only": (1, 4),
    },
}
"""Archetype of a reply -> the band its score must lie in; capped ones at most the cap."""


@dataclass(frozen=True)
class Mutant:
    task: str
    name: str
    loses: frozenset[str]
    score: float
    archetype: str
    reply: str


def mutants(task: str) -> Iterator[Mutant]:
    for path in sorted((REPOSITORY / "fixtures" / task / "mutants").glob("*.md")):
        _, head, reply = path.read_text(encoding="utf-8").split("+++\n", 2)
        said = tomllib.loads(head)
        yield Mutant(task, path.stem, frozenset(said["loses"]), said["score"], said.get("archetype", ""), reply)


def chunks() -> list[Any]:
    """All mutants, cut so that several processes can share the work."""
    found = []
    for task in TASKS:
        every = list(mutants(task))
        found += [
            pytest.param(every[i : i + CHUNK], id=f"{task}-{i // CHUNK + 1}") for i in range(0, len(every), CHUNK)
        ]
    return found


def grade(bench: Bench, *args: str) -> Run:
    """Run the shipped suite from somewhere else; misses are no failures here, errors are."""
    run = bench.run("--llm-suite=six", "--tb=no", "-rN", "--llm-fail-under=0", *args, timeout_s=400)
    assert run.exit == 0, run.out + run.err
    return run


def lost(attempt: dict[str, Any]) -> set[str]:
    return {criterion["id"] for criterion in attempt["criteria"] if criterion["outcome"] != "earned"}


@pytest.mark.parametrize("group", chunks())
def test_every_mutant_loses_exactly_the_points_it_names(bench: Bench, group: list[Mutant]) -> None:
    (task,) = {mutant.task for mutant in group}
    models = []
    for mutant in group:
        bench.file(f"replies/{mutant.name}/{task}.md", "").write_text(mutant.reply, encoding="utf-8")
        models.append(f"--llm-model={mutant.name}=dir:replies/{mutant.name}")
    module = f"test_{task.replace('-', '_')}.py"
    run = grade(bench, *models, "-k", module)
    wrong = []
    for mutant in group:
        attempt = run.attempt(task, mutant.name)
        assert attempt["status"] == "scored", attempt
        if lost(attempt) != mutant.loses or attempt["points"] != mutant.score:
            surplus, lacking = lost(attempt) - mutant.loses, mutant.loses - lost(attempt)
            wrong.append(f"{mutant.name}: {attempt['points']} not {mutant.score}, {surplus=}, {lacking=}")
        if mutant.archetype:
            low, high = BANDS[task][mutant.archetype]
            assert low <= attempt["points"] <= high, f"{mutant.name} ({mutant.archetype}): {attempt['points']}"
    assert not wrong, "\n".join(wrong)


def test_the_reference_earns_everything_and_the_starter_its_floor(bench: Bench) -> None:
    run = grade(bench, "--llm-model=builtin/reference,builtin/starter")
    for task, most in TASKS.items():
        reference = run.attempt(task, "builtin/reference")
        assert (reference["points"], lost(reference)) == (most, set())
        assert run.attempt(task, "builtin/starter")["points"] == FLOORS[task]
    assert run.row("builtin/reference")["total"] == sum(TASKS.values())


@pytest.mark.parametrize("task", TASKS)
def test_the_mutants_cover_the_rubric_and_the_archetypes(bench: Bench, task: str) -> None:
    every = list(mutants(task))
    assert len(every) >= 10
    assert len([mutant for mutant in every if mutant.score >= 17]) >= 3, "sound alternatives are missing"
    assert {mutant.archetype for mutant in every} - {""} == set(BANDS[task])
    run = grade(bench, "--llm-model=builtin/reference")
    points = {criterion["id"] for criterion in run.attempt(task, "builtin/reference")["criteria"]}
    telling = [mutant.loses for mutant in every if mutant.loses < points]
    assert set().union(*telling) == points, f"lost by no mutant: {points - set().union(*telling)}"
