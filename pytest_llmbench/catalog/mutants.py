"""Mutants of a task, read and validated: replies with their expected verdicts, for the self-check."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.mutant import FOLDER, Mutant, take_apart


def read_mutants(data: Path, points: Collection[str]) -> tuple[Mutant, ...]:
    """All ``mutants/*.md`` of a data folder, by name; ``points`` are the names of the task's rubric.

    Raises ``TaskError`` naming the file and the remedy.
    """
    return tuple(_read(path, points) for path in sorted((data / FOLDER).glob("*.md")))


def _read(path: Path, points: Collection[str]) -> Mutant:
    try:
        head, _ = take_apart(path.read_text(encoding="utf-8"))
        said: dict[str, Any] = tomllib.loads(head)
        mutant = Mutant.model_validate({**said, "name": path.stem})
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise TaskError(f"mutant {path}: {what}. Its head states about, loses and score (and archetype).") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"mutant {path} cannot be used: {error}. See the page on writing tasks.") from None
    for name in mutant.loses:
        if name not in points:
            near = difflib.get_close_matches(name, points, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise TaskError(f"mutant {path} loses {name!r}, which is not a rubric point of its task{hint}")
    return mutant
