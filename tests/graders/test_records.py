"""What the tasks of the suite `six` give for the same replies stays the same, word for word.

``records/TASK.json`` holds how each attempt ended: of the reference, of the starter, and of some replies, most of them
mutants of the task, chosen so that every kind of outcome occurs. A change to a grader that is not meant to change a
verdict leaves them as they are. After one that is, they are written anew, and the difference is read before it is
committed::

    LLMBENCH_TEST_WRITE_RECORDS=1 pytest tests/graders/test_records.py
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import REPOSITORY, Bench
from support.suite import TASKS, data, module

from pytest_llmbench.schema.mutant import take_apart

RECORDS = Path(__file__).with_name("records")
WRITE = "LLMBENCH_TEST_WRITE_RECORDS"
CUT, FILES, EMPTY = " cut short", " as files", "empty"
"""Replies that are no mutant as it is: one that breaks off half-way, one handed in as files, one without a word."""
REPLIES = {
    "go-middleware": (
        "gcra",
        "fixed-window",
        "ticker-one-a-second",
        "shutdown-only-on-interrupt",
        "imports-missing",
        "log-without-result",
        "calls-what-is-not-there",
    ),
    "js-bug-fix": (
        "timeout-by-timer-promises",
        "once-only",
        "emit-one-argument",
        "elided-classes",
        "clear-loops-forever",
        "ids-converted",
        "another-language",
    ),
    "js-sse": (
        "pipes",
        "half-an-interface",
        "no-rest-between-chunks",
        "close-sets-a-flag",
        "started-by-hand",
        "splits-bytes",
        "line-by-line" + CUT,
    ),
    "python-top-k": (
        "second-name",
        "inverted-heap",
        "counter-by-dict",
        "no-hints",
        "prints-in-a-call",
        "syntax-error",
        "empties-its-input" + FILES,
        EMPTY,
    ),
    "rust-cli": (
        "value-parser-rewrite",
        "compiles-only",
        "drops-stats",
        "value-enum-missed-and-edit-broken",
        "prose-only",
    ),
    "ts-refactor": (
        "generated-methods",
        "syntax-error",
        "grown-longer",
        "three-any",
        "two-areas-changed",
        "plain-javascript",
        "long-names" + CUT,
    ),
}
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARYING = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "DATE"),
        (r"\d+ got through in [\d.]+ s, [\d.]+ may", "N got through in T s, M may"),
        (r"\[[\d., ]+\] KB", "[N, N] KB"),
        (r"cpu_s limit hit: [\d.]+ of", "cpu_s limit hit: T of"),
        (r"(error\[E\d+\]): .*", r"\1"),
    )
]
"""What a message holds that was measured or belongs to the day, and what rustc says, in another way in each version."""
_LONGEST = 240


@pytest.mark.parametrize("task", TASKS)
def test_attempts_end_as_recorded(bench: Bench, task: str) -> None:
    models = ["builtin/reference", "builtin/starter", *(put(bench.root, task, name) for name in REPLIES[task])]
    run = bench.run(
        *("--llm-suite=six", "-k", module(task), f"--llm-model={','.join(models)}", "--llm-fail-under=0"),
        *(("-n3",) if task == "go-middleware" else ()),  # in real time, most of which it waits
        timeout_s=600,
    )
    if left := run.results["run"]["selection"]["left_out"]:
        pytest.skip(left[0]["reason"])
    found = {attempt["model"]: ended(attempt, str(bench.root)) for attempt in run.results["attempts"]}
    file = RECORDS / f"{task}.json"
    if os.environ.get(WRITE):
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    recorded = json.loads(file.read_text(encoding="utf-8"))
    differences = list(different(recorded, found))
    assert not differences, "\n".join([f"{file.relative_to(REPOSITORY)}, what it says and what came:", *differences])


def test_the_records_hold_every_kind_of_outcome() -> None:
    kinds = set()
    for task in TASKS:
        recorded = json.loads((RECORDS / f"{task}.json").read_text(encoding="utf-8"))
        attempts = recorded.values()
        assert recorded.keys() - {"builtin/reference", "builtin/starter"} == set(map(label, REPLIES[task]))
        points = {each["points"] for each in attempts}
        assert len(points) > 3, f"{task}: {points}"
        missed = {
            point
            for each in attempts
            for point, text in each["criteria"].items()
            if text.startswith(("missed", "bonus"))
        }
        assert missed == set(recorded["builtin/reference"]["criteria"]), f"{task}: points that no reply misses"
        kinds |= {each["error"].partition(":")[0] or each["status"] for each in attempts}
        kinds |= {found for each in attempts for found in each["labels"] if ":" not in found}
        kinds |= {"capped" for each in attempts if each["caps"]}
    assert kinds >= {"scored", "empty_content", "no_code", "capped"}


def label(name: str) -> str:
    """The name of the model that hands in this reply."""
    return name.replace(" ", "-")


def put(root: Path, task: str, name: str) -> str:
    """Put a reply where ``dir:`` finds it; what to call the model, and the place."""
    folder = root / "replies" / label(name)
    folder.mkdir(parents=True)
    mutant = data(task) / "mutants" / f"{name.removesuffix(CUT).removesuffix(FILES)}.md"
    text = "" if name == EMPTY else take_apart(mutant.read_text(encoding="utf-8"))[1]
    if name.endswith(FILES):
        (file,) = [path.relative_to(data(task) / "reference") for path in (data(task) / "reference").rglob("*.*")]
        (block,) = _BLOCK.findall(text)
        place = folder / task / file
        place.parent.mkdir(parents=True)
        place.write_text(block, encoding="utf-8")
    else:
        kept = text[: len(text) // 2] if name.endswith(CUT) else text
        (folder / f"{task}.md").write_text(kept, encoding="utf-8")
    return f"{label(name)}=dir:replies/{label(name)}"


def ended(attempt: dict[str, Any], root: str) -> dict[str, Any]:
    """What is recorded of an attempt: all that graders decide, and nothing that another session has otherwise."""
    error = attempt["error"]
    return {
        "status": attempt["status"],
        "error": f"{error['kind']}: {said(error['message'], root)}" if error else "",
        "points": attempt["points"],
        "max_points": attempt["max_points"],
        "caps": attempt["caps"],
        "labels": attempt["labels"],
        "dimensions": {name: [each["points"], each["max_points"]] for name, each in attempt["dimensions"].items()},
        "criteria": {
            each[
                "id"
            ]: f"{each['outcome']} {each['points']:g}/{each['max_points']:g} {said(each['message'], root)}".strip()
            for each in attempt["criteria"]
        },
    }


def said(message: str, root: str) -> str:
    """The first line of a message: what the author of the test says. What follows is pytest's explanation of it."""
    line = message.replace(root, "PROJECT").partition("\n")[0]
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line[:_LONGEST]


def different(recorded: dict[str, Any], found: dict[str, Any], where: str = "") -> Iterator[str]:
    """Every place where two records differ, the order of their entries included."""
    if list(recorded) != list(found):
        yield f"{where or 'attempts'}\n  {list(recorded)}\n  {list(found)}"
    for key in recorded.keys() & found.keys():
        one, other, place = recorded[key], found[key], f"{where} {key}".strip()
        if isinstance(one, dict) and isinstance(other, dict):
            yield from different(one, other, place)
        elif one != other:
            yield f"{place}\n  {one}\n  {other}"
