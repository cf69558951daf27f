"""A task manager in Rust with four bugs to fix, two of which the compiler finds, and a subcommand to add.

The program is built once and judged by what its commands do to the task file; ``probe.py`` plays scripts of them. Each
bug is judged on its own: no script for one bug meets another, as it begins with a file of its own. A reply that does
not compile is repaired with as few changes as it takes: a seeded defect is mended, a function restored, the new
subcommand left out. What was repaired is missed, and the rest is judged. What is right comes from the model of the
program in ``model.py``.

The scripts are in ``scripts.py``, the repairs in ``repair.py``. Here are the points.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmbench import Batches, ExecResult, Label, Limits, Row, Sandbox, SourceFile, SourceFinder, checked

pytestmark = pytest.mark.llm_task(
    id="rust-cli", suite="six", points=20, floor=2, files=["src/main.rs"], toolchains=["cargo", "python"]
)

HERE = Path(__file__).parent
SCRIPTS, REPAIR = (SimpleNamespace(**runpy.run_path(str(HERE / name))) for name in ("scripts.py", "repair.py"))
MODEL = SCRIPTS.MODEL
FILE = REPAIR.FILE
PROBE = HERE / "probe.py"
BUILD = ["cargo", "build", "--offline", "--quiet", "--message-format=short"]
BUILD_LIMITS = Limits(wall_s=60, cpu_s=30, memory_mb=4000, processes=500, output_bytes=5_000_000)
"""About twenty times what the reference needs."""
PLAY_LIMITS = Limits(wall_s=10, cpu_s=5)
"""About ten times what the reference needs for all scripts."""
BUILDS_CPU_S, PLAYS_WALL_S = 60.0, 30.0
"""For all builds of one reply together, and for all batches that are played a second time, alone."""
PANIC = 101

Book, Script, Task = MODEL.Book, MODEL.Script, MODEL.Task


# -- the program, repaired where it has to be, and what its commands do ------------------------------------------------


@dataclass(frozen=True)
class Build:
    """What could be built of the reply."""

    repaired: frozenset[str] = frozenset()
    whole: bool = True
    """False: without the new subcommand."""
    errors: str = ""
    """What the compiler said of the file as handed in."""
    runs: bool = True


@pytest.fixture(scope="module")
def build(sandbox: Sandbox, workspace: Path, source: SourceFinder, starter: Mapping[str, str]) -> Build:
    """Build the program, with as few repairs as it takes. Nothing of the reply has run before."""
    errors, left_s = "", BUILDS_CPU_S
    for text, repaired, whole in REPAIR.variants(source(FILE).text, starter[FILE]):
        (workspace / FILE).write_text(text, encoding="utf-8")
        result = cargo_build(sandbox, replace(BUILD_LIMITS, cpu_s=min(BUILD_LIMITS.cpu_s, left_s)))
        errors = errors or f"cargo build {result.ending}: {result.stderr[:1500]}"
        left_s -= result.cpu_s
        if result.ok:
            return Build(repaired, whole, errors)
        if result.limit_hit or left_s <= 0:
            errors = f"over budget: {errors}"
            break
    return Build(errors=errors, runs=False)


def cargo_build(sandbox: Sandbox, limits: Limits) -> ExecResult:
    """Build what is in the workspace; the one place where a command makes something that later ones need."""
    return sandbox.run(BUILD, limits, env={"CARGO_INCREMENTAL": "0"}, keep=["target/debug/taskman"])


@pytest.fixture(scope="module")
def batches(source: SourceFinder) -> dict[str, list[Script]]:
    """The scripts by the name of their batch."""
    return SCRIPTS.batches_for(source(FILE).text)


Log = list[Row[tuple[int, str, str, str | None]]]
"""For each command of a script: status, standard output, standard error, and the text of the task file after it."""


@pytest.fixture(scope="module")
def play(sandbox: Sandbox, build: Build, batches: dict[str, list[Script]]) -> Callable[[str], list[Log]]:
    """Logs of a batch of scripts by its name. The batches share a process while it lives."""
    scripts = {
        name: [[script.for_probe(spaced=number % 2 == 1) for number, script in enumerate(batch)]]
        for name, batch in batches.items()
    }
    results = Batches(sandbox, PROBE, "play", scripts, PLAY_LIMITS, alone_s=PLAYS_WALL_S)

    def logs(name: str) -> list[Log]:
        if not build.runs:
            pytest.fail(build.errors)
        result = results[name]
        if result.outcome != "returned":
            pytest.fail(f"the commands could not be played to their end: {result.outcome}: {result.message}")
        value = checked(result.value, list[Log], f"{name}: no logs of the probe")
        assert list(map(len, value)) == [len(script.commands) for script in batches[name]], "not a log of each command"
        return value

    return logs


# -- rubric: the bugs ------------------------------------------------------------------------------------------------


@pytest.mark.rubric("value-enum", points=3.5)
def test_priority_is_a_value_of_the_command_line(build, play, batches):
    """Priorities are read from the command line: the three of them, medium by default, and no other."""
    logs = play("priorities")
    assert "value-enum" not in build.repaired, build.errors
    follow(batches["priorities"], logs)
    for script, [[status, output, *_]] in zip(batches["priorities"], logs, strict=True):
        if script.commands[0][0] == "list" and status == 0:
            tasks = script.tasks or []
            listed = {task.title for task in tasks if task.title in output}
            assert listed == {task.title for task in tasks if f"--priority={task.priority}" in script.commands[0]}


@pytest.mark.rubric("mark-done", points=3.5)
def test_done_marks_the_task(build, play, batches):
    """A task that is done is marked so in the file, and no other."""
    logs = play("done")
    assert "mark-done" not in build.repaired, build.errors
    follow(batches["done"], logs)


@pytest.mark.rubric("unique-ids", points=3.5)
def test_every_task_has_an_id_of_its_own(build, play, batches):
    """Each new task gets an id that no other task has."""
    logs = play("ids")
    assert "unique-ids" not in build.repaired, build.errors
    follow(batches["ids"], logs)


@pytest.mark.rubric("remove", points=3.5)
def test_remove_deletes_the_task(build, play, batches):
    """The task that was named is deleted, and the others stay."""
    logs = play("remove")
    assert "remove" not in build.repaired, build.errors
    follow(batches["remove"], logs)


# -- rubric: the new subcommand --------------------------------------------------------------------------------------


@pytest.mark.rubric("edit-changes", points=1)
def test_edit_changes_what_is_given(play, batches):
    """The title, the priority or both are changed, and nothing else."""
    follow(batches["edit"], play("edit"))


@pytest.mark.rubric("edit-rules", points=0.5)
def test_edit_keeps_the_rules(play, batches):
    """Titles are trimmed; empty ones, unknown ids, unknown priorities and a call without options change nothing."""
    logs = play("edit rules")
    follow(batches["edit rules"], logs)
    check_messages(batches["edit rules"], logs)


@pytest.mark.rubric("edit-says", points=0.5)
def test_edit_says_what_it_did(play, batches):
    """It prints the sentence that was asked for."""
    for script, log in zip(batches["edit"], play("edit"), strict=True):
        for command, [status, output, *_] in zip(script.commands, log, strict=True):
            assert (status, output.strip()) == (0, f"Edited task {command[1]}"), f"taskman {' '.join(command)}"


# -- rubric: everything together -------------------------------------------------------------------------------------


@pytest.mark.rubric("session", points=2)
def test_whole_sessions(build, play, batches):
    """The program as handed in serves for everything, from the first task on."""
    logs = play("sessions")
    assert build.whole, build.errors
    assert not build.repaired, build.errors
    follow(batches["sessions"], logs)


@pytest.mark.rubric("keeps-output", points=1)
def test_keeps_output(play, batches):
    """What the commands print is as before."""
    for script, log in zip(batches["output"], play("output"), strict=True):
        tasks = script.tasks or []
        for command, [status, output, _, text] in zip(script.commands, log, strict=True):
            if command[0] == "add":
                old = {task.id for task in tasks}
                tasks = MODEL.tasks_in(text)
                wanted = [f"Added task {task.id}" for task in tasks if task.id not in old]
            elif command[0] == "list":
                wanted = MODEL.shown(tasks, command)
            elif command[0] == "stats":
                wanted = [f"{len(tasks)} tasks, {sum(task.done for task in tasks)} done"]
            else:
                wanted = [f"{'Completed' if command[0] == 'done' else 'Removed'} task {command[1]}"]
            lines = [line.rstrip() for line in output.rstrip().splitlines()]
            assert (status, lines) == (0, wanted), f"taskman {' '.join(command)}"


@pytest.mark.rubric("keeps-errors", points=1)
def test_keeps_errors(play, batches):
    """What cannot be done is refused with a message and leaves the file as it is, a damaged one too."""
    logs = play("errors")
    follow(batches["errors"], logs)
    check_messages(batches["errors"], logs)
    logs = play("damaged")
    check_messages(batches["damaged"], logs)
    for script, log in zip(batches["damaged"], logs, strict=True):
        for command, [status, _, _, text] in zip(script.commands, log, strict=True):
            assert status != 0, f"taskman {' '.join(command)} of a damaged file: status 0"
            assert text == script.damaged, f"taskman {' '.join(command)} has changed a damaged file"


@pytest.mark.rubric("keeps-commands", cap=12)
def test_keeps_commands(play, batches):
    """All commands and options are still there."""
    for script, [[status, *_]] in zip(batches["interface"], play("interface"), strict=True):
        assert status == 0, f"taskman {' '.join(script.commands[0])}: status {status}"


@pytest.mark.rubric("compiles", cap=12)
def test_compiles(build):
    """It compiles, but for a seeded defect that was left or mended badly."""
    assert build.runs, build.errors
    assert build.whole, f"its edit does not compile: {build.errors}"


# -- how logs are compared with the model ----------------------------------------------------------------------------


def follow(scripts: list[Script], logs: list[list[Any]]) -> None:
    """Every command is accepted or refused, and leaves the file, as the model has it."""
    for script, log in zip(scripts, logs, strict=True):
        book: Book = {task.id: task for task in script.tasks or []}
        for command, (status, _, errors, text) in zip(script.commands, log, strict=True):
            told = f"taskman {' '.join(command)}, with {sorted(map(str, book.values()))}"
            wanted = MODEL.after(book, command)
            seen = MODEL.tasks_in(text)
            if wanted is None:
                assert status != 0, f"{told}: status 0, but this is an error"
            else:
                assert status == 0, f"{told}: status {status}, {errors[-300:]}"
                book = adopted(wanted, seen, told)
            ids = [task.id for task in seen]
            assert len(set(ids)) == len(ids), f"{told}: ids {ids}"
            assert {task.id: task for task in seen} == book, f"{told}: the file has {sorted(map(str, seen))}"


def adopted(book: Book, seen: list[Task], told: str) -> Book:
    """The book in which a new task has the id that the program has given to it."""
    if None not in book:
        return book
    ids = [task.id for task in seen if task.id not in book]
    assert len(ids) == 1, f"{told}: no new id, the file has {sorted(map(str, seen))}"
    known = {number: task for number, task in book.items() if number is not None}
    return {**known, ids[0]: replace(book[None], id=ids[0])}


def check_messages(scripts: list[Script], logs: list[list[Any]]) -> None:
    """What went wrong is told on standard error, and not by a panic or a signal."""
    for script, log in zip(scripts, logs, strict=True):
        for command, [status, _, errors, _] in zip(script.commands, log, strict=True):
            assert 0 <= status < PANIC, f"taskman {' '.join(command)}: status {status}, {errors[-300:]}"
            assert status == 0 or errors.strip(), f"taskman {' '.join(command)}: an error without a message"


# -- how Priority became a value of the command line, for reports ------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def approach(label: Label, build: Build, source: SourceFinder) -> None:
    """Tell how ``Priority`` became a value of the command line."""
    label("value-enum", approach_of(source(FILE), build))


def approach_of(file: SourceFile, build: Build) -> str:
    """The first that fits; worth no points."""
    derived = [word for _, attributes in REPAIR.enums(file) for one in attributes for word in REPAIR.words(one)]
    options = [word for one in file.find_all(kind="attribute_item") for word in REPAIR.words(one)]
    kinds = {
        "missing": "value-enum" in build.repaired,
        "derived": "ValueEnum" in [word.text() for word in derived],
        "manual-impl": REPAIR.implements(file, "ValueEnum"),
        "from-str": REPAIR.implements(file, "FromStr"),
        "value-parser": "value_parser" in [word.text() for word in options],
        "other": True,
    }
    return next(kind for kind, found in kinds.items() if found)
