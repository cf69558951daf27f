"""What the user asked for, read once. pytest loads it at start: standard library, no dataclasses (slow to make)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

CacheMode = Literal["use", "refresh", "only", "off"]
SLOTS: Literal["slots"] = "slots"
"""In place of a number of requests in flight: as many as the server works on side by side."""
SandboxName = str
"""``auto``, ``bubblewrap``, ``landlock``, ``none``, ``podman:IMAGE``, ``docker:IMAGE``, or a plugin's."""


class ModelSpec(NamedTuple):
    """One value of ``--llm-model``, taken apart but not yet looked up."""

    label: str
    """How the model is called in test ids, records and reports; unique in a run."""
    name: str
    """What to look up: a model name, ``dir:PATH``, ``run:PATH``, or ``builtin/reference``."""


class LLMSettings(NamedTuple):
    """How models are asked."""

    models: tuple[ModelSpec, ...] = ()
    base_url: str | None = None
    """An OpenAI-compatible endpoint, asked before any other server."""
    epochs: int = 1
    """Independent attempts at each task."""
    concurrency: int | Literal["slots"] | None = None
    """Requests in flight per endpoint; None: one for a server on this machine, else eight."""
    timeout_s: float = 600.0
    """Longest wait for one completion, from sending to the last byte."""
    connect_s: float = 10.0
    """Longest wait for a connection."""
    first_byte_s: float | None = None
    """Longest wait from sending to the answer's first byte; None: only ``timeout_s`` counts."""
    silence_s: float | None = None
    """Longest pause between two parts of an answer; None: only ``timeout_s`` counts."""
    params: Mapping[str, Any] = MappingProxyType({})
    """Sampling parameters to send with every request; empty: the server's own presets hold."""
    system_prompt: str | None = None
    """System message before every prompt; None: that of the models file, empty: none."""
    models_file: Path | None = None
    """None: ``llmbench.toml`` in the rootdir, if it is there."""
    max_cost_usd: float | None = None
    """Nothing more is asked once this much was spent in the session."""
    max_tokens: int | None = None
    """Nothing more is asked once so many tokens were used, prompts and replies together."""
    max_minutes: float | None = None
    """Nothing more is asked once the session has lasted so long."""
    cache: CacheMode = "use"
    """Whether a stored reply to the same request is used again."""


class Gates(NamedTuple):
    """What the exit status depends on; with none set it is pytest's own."""

    fail_under: float | None = None
    """Percentage of all points asked for that every model must reach."""
    fail_under_task: tuple[tuple[str, float], ...] = ()
    """The same for single tasks: task and percentage."""
    min_coverage: float | None = None
    """Percentage of every model's attempts that must have a score."""
    min_tps: float | None = None
    """Tokens per second that every model must generate on average."""
    baseline: Path | None = None
    """Results that no model may be worse than."""
    baseline_allow: frozenset[str] = frozenset()
    """Kinds of differences from the baseline that do not matter."""

    @property
    def any(self) -> bool:
        """True when the exit status is handed to them."""
        return self != Gates()


class LoadedSuite(NamedTuple):
    """What ``--llm-suite=NAME:PATH`` says: a foreign file or folder, and which loader reads it."""

    text: str
    """As the user wrote it."""
    loader: str
    path: Path
    """Absolute; links are not followed."""


class Settings(NamedTuple):
    """Everything that options, environment and ini say, frozen."""

    llm: LLMSettings
    rootdir: Path
    run_base: Path
    """Folder of runs and cached completions; ``.llmbench`` in the rootdir by default."""
    run_id: str | None = None
    """Name of the new run's folder; None: a fresh one."""
    suites: tuple[str, ...] = ()
    loaded: tuple[LoadedSuite, ...] = ()
    """Suites that loaders read; no two of the same path."""
    task_paths: tuple[str, ...] = ()
    sandbox: SandboxName = "auto"
    gates: Gates = Gates()
    html: Path | None = None
    """Where an HTML report is to be written."""
    shard: tuple[int, int] | None = None
    """Which part of the attempts, of how many; counted from 1."""
    list_models: bool = False
    """Show what can be reached, and end."""
    resume: str | None = None
    """The run to go on with: its id, its folder, or ``latest``."""
    retry_errors: bool = False
    """Of a resumed run: ask again what ended as an error."""
    pass_at: float = 100.0
    """Percentage of a task's points from which an attempt counts as a pass."""
    selfcheck: bool = False
    """Grade each task's own files in place of models: reference, starter and mutants."""

    solver: str = "auto"
    """How models do tasks: ``completion``, ``conversation``, a plugin's solver, or what suits the task."""

    @property
    def active(self) -> bool:
        """True when a model was chosen: only then does the plugin do anything."""
        return bool(self.llm.models)
