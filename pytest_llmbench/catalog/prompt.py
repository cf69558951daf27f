"""The prompt that a model is sent."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pytest_llmbench.schema.task import Task


def full_prompt(task: Task) -> str:
    """The text that the model gets: the prompt, then each starter file in a fenced block under its name."""
    parts = [task.prompt.strip()]
    for name, text in task.starter.items():
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        language = PurePosixPath(name).suffix.lstrip(".")
        parts.append(f"### `{name}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}")
    return "\n\n".join(parts) + "\n"
