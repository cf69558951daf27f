"""What a loader makes of a foreign file or folder: tasks and their points, without Python modules. Standard library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Protocol

from pytest_llmbench.schema.task import DEFAULT_BUDGET_S


@dataclass(frozen=True, slots=True)
class LoadedPoint:
    """One entry of a rubric: what the marker ``rubric`` holds, and the function that takes the test's place.

    Exactly one of ``points``, ``bonus``, ``cap`` and ``penalty`` is given.
    """

    id: str
    check: Callable[..., None]
    """A plain function that asserts. Its parameters name fixtures, as those of a test do: ``submission``, ``sandbox``,
    ``workspace``, ...; one with a default is its own."""
    _: KW_ONLY
    points: float | None = None
    bonus: float | None = None
    cap: float | None = None
    penalty: float | None = None
    dimension: str = ""
    all_cases: bool = False
    title: str = ""
    """Empty: the first line of the function's docstring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTask:
    """What the marker ``llm_task`` holds, under the same names, and the rubric. Its points are those of the rubric."""

    id: str
    prompt_text: str
    files: Sequence[str]
    rubric: Sequence[LoadedPoint]
    fingerprint: str
    """Text of everything that verdicts depend on beside prompt, starter and the functions' source files: inputs and
    expected values, as a rule the text that the task was read from. With another one it is another task, whose results
    are not compared."""
    suite: str = ""
    """Empty: the loader's name."""
    floor: float = 0
    starter: Mapping[str, str] = field(default_factory=dict)
    """Name -> text. Empty: the files in the data folder's ``starter``."""
    toolchains: Sequence[str] = ()
    data: Path | None = None
    """The data folder; a relative path starts at the folder that was loaded, or that the loaded file is in."""
    turns: int = 1
    feedback: Callable[..., object] | None = None
    budget_s: float = DEFAULT_BUDGET_S


class Loader(Protocol):
    """Reads one format: ``--llm-suite=NAME:PATH``."""

    @property
    def name(self) -> str:
        """Before the colon."""
        ...

    def load(self, path: Path) -> Iterable[LoadedTask]:
        """The tasks of a file or folder that exists, the same ones in the same order in every process.

        Whatever it raises is an error of collection, that names the loader and the path.
        """
        ...
