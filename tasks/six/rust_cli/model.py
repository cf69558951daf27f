"""What is right: the program as it should be: its task file, what commands do to that, and what ``list`` prints."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

DEEPEST = 20
"""Levels of a task file that are read; it has four."""
LARGEST_ID = 2**32 - 1
PRIORITIES = ("low", "medium", "high")


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
