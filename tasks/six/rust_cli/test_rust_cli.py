"""A task manager in Rust with four bugs to fix, two of which the compiler finds, and a subcommand to add.

The program is built once and judged by what its commands do to the task file; ``probe.py`` plays scripts of them. Each
bug is judged on its own: no script for one bug meets another, as it begins with a file of its own. A reply that does
not compile is repaired with as few changes as it takes: a seeded defect is mended, a function restored, the new
subcommand left out. What was repaired is missed, and the rest is judged. What is right comes from the model of the
program in this file.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench import (
    Batches,
    ExecResult,
    Label,
    Limits,
    Row,
    Sandbox,
    SourceFile,
    SourceFinder,
    checked,
    seeded,
)

pytestmark = pytest.mark.llm_task(
    id="rust-cli", suite="six", points=20, floor=2, files=["src/main.rs"], toolchains=["cargo", "python"]
)

FILE = "src/main.rs"
PROBE = Path(__file__).with_name("probe.py")
BUILD = ["cargo", "build", "--offline", "--quiet", "--message-format=short"]
BUILD_LIMITS = Limits(wall_s=60, cpu_s=30, memory_mb=4000, processes=500, output_bytes=5_000_000)
"""About twenty times what the reference needs."""
PLAY_LIMITS = Limits(wall_s=10, cpu_s=5)
"""About ten times what the reference needs for all scripts."""
BUILDS_CPU_S, PLAYS_WALL_S = 60.0, 30.0
"""For all builds of one reply together, and for all batches that are played a second time, alone."""
LONGEST, LONGEST_LINE = 100_000, 1_000
"""Characters of a file that is repaired, and of its lines: many times those of the reference."""
DEEPEST = 20
"""Levels of a task file that are read; it has four."""
PANIC = 101
LARGEST_ID = 2**32 - 1
PRIORITIES = ("low", "medium", "high")


# -- The model of the program ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One task of a file."""

    id: int | None
    """None: not known yet, the program chooses it."""
    title: str
    priority: str = "medium"
    tags: tuple[str, ...] = ()
    done: bool = False

    def __str__(self) -> str:
        words = [self.title, *(f"#{tag}" for tag in self.tags)]
        return f"{self.id:>4} [{'x' if self.done else ' '}] {self.priority:<6} {' '.join(words)}"


Book = dict[int | None, Task]
"""The tasks by their ids."""
Command = list[str]
"""Arguments as one types them; options with a value are written ``--name=value``."""


@dataclass(frozen=True)
class Script:
    """Commands, and the tasks that are in the file before; None: there is no file."""

    commands: list[Command]
    tasks: list[Task] | None = None
    damaged: str = ""
    """The text of the file when it is no task file."""

    def for_probe(self, *, spaced: bool) -> dict[str, Any]:
        """The script as the probe takes it; ``spaced``: with options as ``--name value``."""
        return {
            "state": self.damaged or (None if self.tasks is None else state_of(self.tasks)),
            "commands": [
                [part for word in command for part in (word.split("=", 1) if spaced and word[:2] == "--" else [word])]
                for command in self.commands
            ],
        }


def state_of(tasks: list[Task]) -> str:
    """The text of a task file. Its next id is the one that the program would have there."""
    return json.dumps(
        {
            "next_id": max((task.id for task in tasks), default=-1) + 1,
            "tasks": [{**vars(task), "tags": list(task.tags)} for task in tasks],
        }
    )


def tasks_in(text: str | None) -> list[Task]:
    """The tasks of a file's text; a miss when it is not in the format."""
    if text is None:
        return []
    levels = itertools.accumulate((character in "[{") - (character in "]}") for character in text)
    if max(levels, default=0) <= DEEPEST:
        try:
            match json.loads(text):
                case {"tasks": list(entries)}:
                    return [_task(entry) for entry in entries]
        except ValueError:
            pass
    pytest.fail(f"no task file as before: {text[:300]!r}")


def _task(entry: object) -> Task:
    match entry:
        case {"id": int(number), "title": str(title), "priority": str(priority), "done": bool(done), **rest}:
            tags = rest.get("tags", [])
            known = type(number) is int and 0 <= number <= LARGEST_ID and priority in PRIORITIES
            if known and isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
                return Task(number, title, priority, tuple(tags), done)
    raise ValueError(entry)


def parsed(command: Command) -> tuple[list[str], dict[str, list[str]]]:
    """What stands free in a command, and the values of its options."""
    free = [word for word in command if not word.startswith("--")]
    options: dict[str, list[str]] = {}
    for word in command:
        if word.startswith("--"):
            name, _, value = word.removeprefix("--").partition("=")
            options.setdefault(name, []).append(value)
    return free, options


def after(book: Book, command: Command) -> Book | None:
    """The tasks after a command; None when it has to be refused."""
    (name, *free), options = parsed(command)
    title, priority = (options.get(option, [None])[0] for option in ("title", "priority"))
    if name == "add":
        title = free[0]
    if (title is not None and not title.strip()) or (priority is not None and priority not in PRIORITIES):
        return None
    if name == "add":
        return {**book, None: Task(None, title.strip(), priority or "medium", tuple(options.get("tag", [])))}
    if name in ("done", "remove", "edit"):
        task = _meant(book, free[0])
        if task is None or (name == "edit" and not options):
            return None
        changes = {"done": True} if name == "done" else {"title": title and title.strip(), "priority": priority}
        changed = replace(task, **{key: value for key, value in changes.items() if value is not None})
        rest = {number: one for number, one in book.items() if one is not task}
        return rest if name == "remove" else {**rest, task.id: changed}
    return book


def _meant(book: Book, word: str) -> Task | None:
    if word.startswith("@"):
        return next((task for task in book.values() if task.title == word[1:]), None)
    return book.get(int(word))


def shown(tasks: Iterable[Task], command: Command) -> list[str]:
    """The lines that ``list`` prints."""
    _, options = parsed(command)
    lines = [
        str(task)
        for task in sorted(tasks, key=lambda task: (-PRIORITIES.index(task.priority), task.id))
        if not ("pending" in options and task.done)
        and options.get("priority", [task.priority]) == [task.priority]
        and set(options.get("tag", [])) <= set(task.tags)
    ]
    return lines or ["No tasks"]


def follow(scripts: list[Script], logs: list[list[Any]]) -> None:
    """Every command is accepted or refused, and leaves the file, as the model has it."""
    for script, log in zip(scripts, logs, strict=True):
        book: Book = {task.id: task for task in script.tasks or []}
        for command, (status, _, errors, text) in zip(script.commands, log, strict=True):
            told = f"taskman {' '.join(command)}, with {sorted(map(str, book.values()))}"
            wanted = after(book, command)
            seen = tasks_in(text)
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


# -- The scripts -----------------------------------------------------------------------------------------------------

SOME = [
    Task(3, "Water the plants", "low", ("home",)),
    Task(7, "Pay the rent", "high", ("home", "money"), done=True),
    Task(8, "Call Jürgen"),
    Task(12, "Book a flight", "high", ("travel",)),
    Task(13, "File the taxes", "medium", ("money",), done=True),
]
UNKNOWN = "5"


def session(seed: int) -> Script:
    """An everyday mixture of commands that begins without a file."""
    rng = seeded(seed)
    commands, titles, pending = [], [], []
    for number, kind in enumerate(["add", "add", *rng.choices(("add", "add", "done", "remove", "edit", "list"), k=16)]):
        title, priority = f"task {number}", f"--priority={rng.choice(PRIORITIES)}"
        if kind == "add":
            commands.append(["add", title, priority, *rng.choice(([], ["--tag=a"], ["--tag=b"]))])
            titles.append(title)
            pending.append(title)
        elif kind == "edit" and titles:
            old = rng.choice(titles)
            if rng.random() < 0.5:
                commands.append(["edit", f"@{old}", priority])
            else:
                commands.append(["edit", f"@{old}", f"--title={title}"])
                titles, pending = ([title if one == old else one for one in names] for names in (titles, pending))
        elif kind == "done" and pending:
            commands.append(["done", f"@{pending.pop(rng.randrange(len(pending)))}"])
        elif kind == "remove" and titles:
            gone = titles.pop(rng.randrange(len(titles)))
            commands.append(["remove", f"@{gone}"])
            pending = [one for one in pending if one != gone]
        else:
            commands.append(["list"])
    return Script(commands)


def each(*commands: Command, tasks: list[Task] | None = None) -> list[Script]:
    """A script of its own for every command."""
    return [Script([command], tasks) for command in commands]


@dataclass(frozen=True)
class Names:
    """Other titles, tags and ids for every reply, so that no answer can be known beforehand."""

    word: str
    """Stands at the end of every title and tag."""
    more: int
    """Is added to every id of a script whose first one is not 0."""

    @classmethod
    def drawn_by(cls, text: str) -> Names:
        """Always the same ones for the same reply."""
        rng = seeded(text)
        return cls("".join(rng.choices("bcdfghklmnprstvw", k=4)), rng.randint(1, 60))

    def script(self, script: Script) -> Script:
        """The same script with these names."""
        more = 0 if any(task.id == 0 for task in script.tasks or []) else self.more
        tasks = script.tasks and [
            replace(task, id=task.id + more, title=self._title(task.title), tags=tuple(map(self._tag, task.tags)))
            for task in script.tasks
        ]
        commands = [[name, *(self._argument(name, word, more) for word in rest)] for name, *rest in script.commands]
        return replace(script, commands=commands, tasks=tasks)

    def _argument(self, name: str, word: str, more: int) -> str:
        option, _, value = word.partition("=")
        if option in ("--title", "--tag"):
            return f"{option}={self._title(value) if option == '--title' else self._tag(value)}"
        if word.startswith("--"):
            return word
        if word.startswith("@"):
            return f"@{self._title(word[1:])}"
        return self._title(word) if name == "add" else str(int(word) + more)

    def _title(self, title: str) -> str:
        """A title that is empty but for blanks stays so, and blanks around one stay, too."""
        core = title.strip()
        return title.replace(core, f"{core} {self.word}") if core else title

    def _tag(self, tag: str) -> str:
        return f"{tag}-{self.word}"


TITLES = (["--title=Another title"], ["--title=Übung macht Meister", "--priority=high"], ["--priority=low"])
LISTS = [
    ["list"],
    ["list", "--pending"],
    *(["list", f"--priority={priority}"] for priority in PRIORITIES),
    ["list", "--tag=money"],
    ["list", "--pending", "--priority=low", "--tag=travel"],
]
BATCHES = {
    "priorities": [
        *each(["add", "One"], *(["add", "One", f"--priority={one}"] for one in (*PRIORITIES, "urgent"))),
        *each(["add", "One"], *(["add", "One", f"--priority={one}"] for one in (*PRIORITIES, "urgent")), tasks=SOME),
        *each(*(["list", f"--priority={one}"] for one in (*PRIORITIES, "urgent")), tasks=SOME),
    ],
    "done": [
        *each(*(["done", str(task.id)] for task in SOME if not task.done), ["done", UNKNOWN], tasks=SOME),
        Script([["done", "12"], ["done", "3"]], SOME),
    ],
    "ids": [
        Script([["add", f"number {n}"] for n in range(5)]),
        Script([["add", f"number {n}"] for n in range(4)], [Task(0, "a"), Task(2, "b"), Task(3, "c")]),
        Script([["add", f"number {n}"] for n in range(4)], SOME),
    ],
    "remove": [
        *each(*(["remove", str(task.id)] for task in SOME), ["remove", UNKNOWN], tasks=SOME),
        Script([["remove", str(number)] for number in (8, 13, 8, 3, 12, 7, 7)], SOME),
    ],
    "edit": [
        *each(*(["edit", str(task.id), *options] for task in SOME for options in TITLES), tasks=SOME),
        Script([["edit", "3", "--title=Pay the rent"], ["edit", "7", "--title=x"], ["edit", "3", "--title=y"]], SOME),
    ],
    "edit rules": each(
        ["edit", "3", "--title=  Water the roses "],
        ["edit", "3", "--title= "],
        ["edit", "3", "--title="],
        ["edit", "3", "--title=", "--priority=high"],
        ["edit", "3", "--title=Another title", "--priority=urgent"],
        ["edit", "3"],
        ["edit", UNKNOWN, "--title=Another title"],
        ["edit", UNKNOWN, "--priority=high"],
        tasks=SOME,
    ),
    "output": [
        Script([*LISTS, ["stats"]], SOME),
        Script([["list"], ["stats"], ["add", "One", "--tag=a", "--tag=b"], ["list"], ["stats"]]),
        *each(["done", "3"], ["done", "7"], ["remove", "3"], ["add", "One"], tasks=SOME),
    ],
    "errors": [
        *each(["add", ""], ["add", "  "], ["add", "One", "--priority=urgent"], ["done", UNKNOWN], tasks=SOME),
        *each(["add", " "], ["done", UNKNOWN], ["remove", UNKNOWN]),
    ],
    "damaged": [Script([["list"], ["add", "One"]], damaged='{"next_id": 2, "tasks": [{"id": 1, "title": "O')],
    "interface": [
        *each(*([name, "--help"] for name in ("add", "list", "done", "remove", "stats")), ["--version"], tasks=SOME),
        *each(["add", "-p", "high", "-t", "a", "-t", "b", "One"], ["list", "-p", "low", "-t", "home"], tasks=SOME),
        *each(["list", "--file", "tasks.json"], ["--file", "tasks.json", "stats"], tasks=SOME),
    ],
    "sessions": [session(seed) for seed in range(4)],
}


PLAIN = "interface"


# -- The program, repaired where it has to be --------------------------------------------------------------------------


def with_value_enum(text: str) -> str | None:
    """The source with a derived ``ValueEnum`` for ``Priority``; None when it has one, or no such enum."""
    file = SourceFile(FILE, text)
    found = [(enum, attributes) for enum, attributes in enums(file) if name_of(enum) == "Priority"]
    if not found or implements(file, "ValueEnum"):
        return None
    enum, attributes = found[0]
    names = [word for attribute in attributes for word in words(attribute) if word.text() == "ValueEnum"]
    if not names:
        return changed(file, {enum: f"#[derive(clap::ValueEnum)]\n{enum.text()}"})
    if "clap" not in [word.text() for word in words(names[0].parent())]:  # derived, and perhaps not imported
        return changed(file, {names[0]: "clap::ValueEnum"})
    return None


def with_mutable_done(text: str) -> str | None:
    """The source with a ``mark_done`` that borrows mutably; None when it does, or there is none."""
    file = SourceFile(FILE, text)
    for function in file.find_all(kind="function_item"):
        if name_of(function) == "mark_done" and (parameters := function.field("parameters")):
            for this in parameters.children():
                if this.kind() == "self_parameter" and this.text() == "&self":
                    return changed(file, {this: "&mut self"})
    return None


def with_old(name: str, text: str, starter: str) -> str | None:
    """The source with a function as the starter has it; None when it is as there, or there is none."""
    file = SourceFile(FILE, text)
    new, old = function_of(file, name), function_of(SourceFile(FILE, starter), name)
    return changed(file, {new: old.text()}) if new and old and new.text() != old.text() else None


def function_of(file: SourceFile, name: str) -> Any:
    """The first function of that name; None when there is none."""
    return next((one for one in file.find_all(kind="function_item") if name_of(one) == name), None)


def repairs(starter: str) -> dict[str, Callable[[str], str | None]]:
    """What mends a source, by the point that is missed then; None of them: nothing to mend.

    A function whose new text does not compile is replaced by the old one.
    """
    return {
        "value-enum": with_value_enum,
        "mark-done": with_mutable_done,
        "unique-ids": lambda text: with_old("add", text, starter),
        "remove": lambda text: with_old("remove", text, starter),
    }


def without_edit(text: str) -> str | None:
    """The source with an ``edit`` that does nothing; None when there is none."""
    file = SourceFile(FILE, text)
    stubs = {
        function.field("body"): "{ unimplemented!() }"
        for function in file.find_all(kind="function_item")
        if "edit" in name_of(function).lower() and function.field("body")
    }
    file = SourceFile(FILE, changed(file, stubs))
    stubs = {one: "Edit" for one in file.find_all(kind="enum_variant") if name_of(one) == "Edit"}
    for arm in file.find_all(kind="match_arm"):
        pattern = arm.field("pattern") and arm.field("pattern").child(0)
        path = pattern and (pattern.field("type") or pattern)
        if path and path.text().split("::")[-1] == "Edit":
            stubs[arm] = f"{path.text()} => unimplemented!(),"
    return changed(file, stubs) if stubs else None


def enums(file: SourceFile) -> Iterator[tuple[Any, list[Any]]]:
    """Every enum, with the attributes right before it. Asking each node for those before it would be quadratic."""
    waiting = [file.root]
    while waiting:
        children = waiting.pop().children()
        attributes: list[Any] = []
        for child in children:
            match child.kind():
                case "attribute_item":
                    attributes.append(child)
                case "line_comment":
                    pass
                case kind:
                    if kind == "enum_item":
                        yield child, attributes
                    attributes = []
        waiting += reversed(children)


def words(node: Any) -> list[Any]:
    return node.find_all(kind="identifier")


def implements(file: SourceFile, trait: str) -> bool:
    """Whether a trait is implemented by hand, for whatever type."""
    found = [node.field("trait") for node in file.find_all(kind="impl_item")]
    return any(one.text().split("::")[-1] == trait for one in found if one)


def name_of(item: Any) -> str:
    """The name of an item; empty where the parser had to guess that there is one."""
    name = item.field("name")
    return name.text() if name else ""


def changed(file: SourceFile, texts: dict[Any, str]) -> str:
    """The source with other texts in place of some nodes; nothing is changed inside of what is replaced."""
    edits, end = [], 0
    for node in sorted(texts, key=lambda node: node.range().start.index):
        if node.range().start.index >= end:
            edits.append(node.replace(texts[node]))
            end = node.range().end.index
    return file.root.commit_edits(edits)


def variants(text: str, starter: str) -> Iterator[tuple[str, frozenset[str], bool]]:
    """The source as it is, then with one repair, then with two, and which they are; at last without ``edit``."""
    if len(text) > LONGEST or max(map(len, text.split("\n"))) > LONGEST_LINE:
        yield text, frozenset(), True  # nothing of such a length is repaired
        return
    mends = repairs(starter)
    for whole, base in ((True, text), (False, without_edit(text))):
        for count in range(3 if base else 0):
            for names in itertools.combinations(mends, count):
                repaired = base
                for name in names:
                    repaired = repaired and mends[name](repaired)
                if repaired:
                    yield repaired, frozenset(names), whole


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
    for text, repaired, whole in variants(source(FILE).text, starter[FILE]):
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
    """The scripts by the name of their batch, with names of the reply's own; those of the interface need none."""
    names = Names.drawn_by(source(FILE).text)
    renamed = {name: [names.script(script) for script in scripts] for name, scripts in BATCHES.items() if name != PLAIN}
    return BATCHES | renamed


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


@pytest.fixture(scope="module", autouse=True)
def approach(label: Label, build: Build, source: SourceFinder) -> None:
    """Tell how ``Priority`` became a value of the command line."""
    label("value-enum", approach_of(source(FILE), build))


def approach_of(file: SourceFile, build: Build) -> str:
    """The first that fits; worth no points."""
    derived = [word for _, attributes in enums(file) for one in attributes for word in words(one)]
    options = [word for one in file.find_all(kind="attribute_item") for word in words(one)]
    kinds = {
        "missing": "value-enum" in build.repaired,
        "derived": "ValueEnum" in [word.text() for word in derived],
        "manual-impl": implements(file, "ValueEnum"),
        "from-str": implements(file, "FromStr"),
        "value-parser": "value_parser" in [word.text() for word in options],
        "other": True,
    }
    return next(kind for kind, found in kinds.items() if found)


# -- Rubric: the bugs ------------------------------------------------------------------------------------------------


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


# -- Rubric: the new subcommand --------------------------------------------------------------------------------------


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


# -- Rubric: everything together -------------------------------------------------------------------------------------


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
                tasks = tasks_in(text)
                wanted = [f"Added task {task.id}" for task in tasks if task.id not in old]
            elif command[0] == "list":
                wanted = shown(tasks, command)
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


def check_messages(scripts: list[Script], logs: list[list[Any]]) -> None:
    """What went wrong is told on standard error, and not by a panic or a signal."""
    for script, log in zip(scripts, logs, strict=True):
        for command, [status, _, errors, _] in zip(script.commands, log, strict=True):
            assert 0 <= status < PANIC, f"taskman {' '.join(command)}: status {status}, {errors[-300:]}"
            assert status == 0 or errors.strip(), f"taskman {' '.join(command)}: an error without a message"


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
