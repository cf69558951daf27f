"""What is tried: scripts of commands in batches, and names in them that are others for every reply."""

from __future__ import annotations

import runpy
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from pytest_llmbench import seeded

MODEL = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("model.py"))))
Command, Script, Task = MODEL.Command, MODEL.Script, MODEL.Task
PRIORITIES = MODEL.PRIORITIES

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
"""The batch that is the same for every reply."""


def batches_for(text: str) -> dict[str, list[Script]]:
    """The scripts by the name of their batch, with names of the reply's own; those of the interface need none."""
    names = Names.drawn_by(text)
    renamed = {name: [names.script(script) for script in scripts] for name, scripts in BATCHES.items() if name != PLAIN}
    return BATCHES | renamed
