"""The prompt of a completion: the job, the files to start from, and how to hand in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from pytest_llmbench.schema.attempt import Message
from pytest_llmbench.schema.task import Task


def opening(task: Task) -> tuple[Message, ...]:
    """What a model is asked with that answers in a reply; whoever works in a folder is told something else."""
    return (Message(role="user", content=f"{full_prompt(task)}{_how_to_hand_in(task.files)}"),)


def full_prompt(task: Task) -> str:
    """The job, then each starter file in a fenced block under its name."""
    parts = [task.prompt.strip()]
    for name, text in task.starter.items():
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        language = PurePosixPath(name).suffix.lstrip(".")
        parts.append(f"### `{name}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}")
    return "\n\n".join(parts) + "\n"


def _how_to_hand_in(files: Sequence[str]) -> str:
    """The part of the prompt that says how the reply's code is found; "" where a reply cannot hand it in."""
    if not files:
        return ""
    if len(files) == 1:
        name = files[0]
        return f"\nHand in `{name}` as a whole, not an excerpt or a diff, in one fenced code block headed `{name}`.\n"
    names = ", ".join(f"`{name}`" for name in files)
    return (
        "\nHand in these files, each as a whole and not as an excerpt or a diff, in a fenced code block of its own "
        f"headed by its name: {names}.\n"
    )
