"""Every program of the hostile corpus is contained, and every honest one runs.

All of it is seen from outside, see support/hostile.py. What a program tries stands at its top.
"""

from __future__ import annotations

import os

import pytest
from support.hostile import LANGUAGES, Program, corpus, run_program

KNOWN_GAPS: dict[str, dict[str, str]] = {"bubblewrap": {}}
"""Backend: program: why it is not contained."""
BACKENDS = os.environ.get("HOSTILE_BACKENDS", " ".join(KNOWN_GAPS)).split()
CORPUS = corpus()


def _cases() -> list[pytest.ParameterSet]:
    return [
        pytest.param(
            backend,
            program,
            id=f"{backend}-{program.id}",
            marks=[pytest.mark.xfail(reason=gaps[program.id], strict=True)] if program.id in gaps else [],
        )
        for backend in BACKENDS
        for gaps in [KNOWN_GAPS.get(backend, {})]
        for program in CORPUS
    ]


@pytest.mark.parametrize(("backend", "program"), _cases())
@pytest.mark.usefixtures("within_reach")
def test_contained(backend, program: Program, canaries, prepare):
    ran, found = run_program(program, prepare(program, backend), canaries)
    assert not found, (
        f"{program.id} is not contained:\n" + "\n".join(found) + f"\n{ran.result.limit_hit}, {ran.peak.tasks} tasks, "
        f"{ran.peak.memory_mb} MB, {ran.took_s:.2f} s"
    )


def test_the_corpus_is_wide_enough():
    hostile = [program for program in CORPUS if "prints" not in program.says]
    count = {language: sum(program.language == language for program in hostile) for language in LANGUAGES}
    assert count["python"] >= 20
    assert count["node"] >= 12
    assert count["rust"] >= 5
    assert count["go"] >= 5
    assert sum(count.values()) >= 44
    assert {program.language for program in CORPUS if "prints" in program.says} == set(LANGUAGES)
