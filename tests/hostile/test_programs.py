"""Every program of the hostile corpus is contained, and every honest one runs.

All of it is seen from outside, see support/hostile.py. What a program tries stands at its top.
"""

from __future__ import annotations

import os

import pytest
from support.hostile import LANGUAGES, Program, corpus, run_program

_NO_NETWORK = "wants a network of its own, and is told that there is none"
_NO_PROC = "ends at the first thing that it is denied, before it could try the rest"
_NO_TMP = "finds no /tmp to fill, and sleeps until its time is over"
KNOWN_GAPS: dict[str, dict[str, str]] = {
    "bubblewrap": {},
    "landlock": {
        **dict.fromkeys(("python-connect_tcp_loopback", "python-control_server", "node-control_server"), _NO_NETWORK),
        **dict.fromkeys(("python-gain_rights", "python-read_descriptors", "python-read_environment"), _NO_PROC),
        **dict.fromkeys(("python-read_files", "node-read_environment", "rust-read_files"), _NO_PROC),
        **dict.fromkeys(("python-memory_deleted", "python-memory_tmp"), _NO_TMP),
        "python-special_results": "may not make a socket in the workspace, and ends",
        "python-control": "honest, but its locks between processes need /dev/shm",
    },
}
"""Backend: program: how it is not contained as the corpus asks. None of these gets at anything."""
BACKENDS = os.environ.get("HOSTILE_BACKENDS", "bubblewrap").split()
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


@pytest.mark.slow
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
