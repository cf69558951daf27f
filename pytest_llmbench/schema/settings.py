"""What the user asked for, read once. Standard library only: pytest loads it at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CacheMode = Literal["use", "refresh", "only", "off"]
SandboxName = str
"""``auto``, ``bubblewrap``, ``landlock``, ``none``, ``podman:IMAGE`` or ``docker:IMAGE``."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One value of ``--llm-model``, taken apart but not yet looked up."""

    label: str
    """How the model is called in test ids, records and reports; unique in a run."""
    name: str
    """What to look up: a model name, ``dir:PATH``, or ``builtin/reference``."""


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """How models are asked."""

    models: tuple[ModelSpec, ...] = ()
    base_url: str | None = None
    """An OpenAI-compatible endpoint, asked before any other server."""
    epochs: int = 1
    """Independent attempts at each task."""
    concurrency: int | None = None
    """Requests in flight per endpoint; None: one for a server on this machine, else eight."""
    timeout_s: float = 600.0
    """Longest wait for one completion, from sending to the last byte."""
    cache: CacheMode = "use"
    """Whether a stored reply to the same request is used again."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that options, environment and ini say, frozen."""

    llm: LLMSettings
    rootdir: Path
    run_base: Path
    """Folder of runs and cached completions; ``.llmbench`` in the rootdir by default."""
    suites: tuple[str, ...] = ()
    task_paths: tuple[str, ...] = ()
    sandbox: SandboxName = "auto"
    fail_under: float | None = None
    """Percentage of all points asked for that decides the exit status."""
    selfcheck: bool = False
    """Grade each task's own files in place of models: reference, starter and mutants."""

    @property
    def active(self) -> bool:
        """True when a model was chosen: only then does the plugin do anything."""
        return bool(self.llm.models)
