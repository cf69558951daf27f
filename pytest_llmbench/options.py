"""Options, their environment and ini twins, and the one place that turns them into ``Settings``.

For every option: flag > environment (``LLMBENCH_MODEL`` for ``--llm-model``) > ini (``llm_model``) > default.
"""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from pytest_llmbench import option_values as read
from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.settings import CacheMode, LLMSettings, ModelSpec, Settings


@dataclass(frozen=True, slots=True)
class Option:
    """One setting in its three spellings."""

    name: str
    """``base-url`` is ``--llm-base-url``, ``LLMBENCH_BASE_URL`` and the ini ``llm_base_url``."""
    metavar: str
    help: str
    many: bool = False
    switch: bool = False
    """True: on or off, without a value."""
    bare: str = ""
    """What the option means without a value, where it may stand alone."""

    @property
    def flag(self) -> str:
        """The command line option."""
        return f"--llm-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"LLMBENCH_{self.name.replace('-', '_').upper()}"

    @property
    def dest(self) -> str:
        """Name in pytest's namespace and in the ini file."""
        return f"llm_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("model", "NAME", "model under test; several: again or with commas. LABEL=NAME renames it. "
           "dir:PATH grades replies kept in a folder; builtin/reference and builtin/starter need no model", many=True),
    Option("suite", "NAME", "run the tasks of this suite; several: again or with commas", many=True),
    Option("base-url", "URL", "OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1"),
    Option("epochs", "N", "independent attempts at each task (default: 1)"),
    Option("concurrency", "N", "requests in flight per endpoint (default: 1 for a server on this machine, else 8)"),
    Option("models-file", "PATH", "models with their endpoints and parameters: llmbench.toml, or a llama.cpp "
           "preset.ini (default: llmbench.toml in the rootdir, if there)"),
    Option("list-models", "", "show which models can be reached, and end", switch=True),
    Option("param", "KEY=VALUE", "sampling parameter to send with every request; several: again or with commas "
           "(default: none, so that the server's own presets hold)", many=True),
    Option("system-prompt", "TEXT", "system message before every prompt; empty: none (default: that of the models "
           "file, if there is one)"),
    Option("timeout", "SECONDS", "longest wait for one completion (default: 600)"),
    Option("connect-timeout", "SECONDS", "longest wait for a connection (default: 10)"),
    Option("first-byte-timeout", "SECONDS", "longest wait from sending to the answer's first byte (default: none of "
           "its own)"),
    Option("silence-timeout", "SECONDS", "longest pause inside an answer that has begun (default: none of its own)"),
    Option("max-cost", "USD", "ask nothing more once this much was spent"),
    Option("max-tokens-total", "N", "ask nothing more once so many tokens were used, prompts and replies together"),
    Option("max-minutes", "MINUTES", "ask nothing more once the session has lasted so long"),
    Option("resume", "RUN", "go on with a run that was stopped: its id, its folder, or nothing for the newest",
           bare="latest"),
    Option("retry-errors", "", "with --llm-resume: ask again what ended as an error", switch=True),
    Option("pass-at", "PERCENT", "share of a task's points from which an attempt counts as a pass, for pass@k "
           "(default: 100)"),
    Option("run-dir", "PATH", "folder of runs and stored completions (default: .llmbench in the rootdir)"),
    Option("sandbox", "NAME", "auto, bubblewrap, landlock, podman:IMAGE, docker:IMAGE, or none: no protection at all "
           "(default: auto)"),
    Option("cache", "MODE", "stored completions: use, refresh, only or off (default: use)"),
    Option("selfcheck", "", "grade each task's own reference, starter and mutants, three times each, in place of "
           "models; the exit status is 0 only if each of them loses exactly what it must", switch=True),
    Option("fail-under", "PERCENT", "the exit status is 0 only if every model reaches this share of the points "
           "and nothing is an error or incomplete; missed points alone fail nothing then"),
)  # fmt: skip
SELFCHECKED = ("builtin/reference", "builtin/starter")
"""Graded for every task by ``--llm-selfcheck``, beside the task's mutants."""
SELFCHECK_EPOCHS = 3
_CACHE_MODES: tuple[CacheMode, ...] = ("use", "refresh", "only", "off")


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    group = parser.getgroup("llmbench", "llmbench: benchmarks of code written by models")
    for option in OPTIONS:
        kind: Literal["linelist", "string"] = "linelist" if option.many else "string"
        how: dict[str, Any] = (
            {"action": "store_const", "const": "on"}
            if option.switch
            else {"nargs": "?", "const": option.bare, "metavar": option.metavar}
            if option.bare
            else {"action": "append" if option.many else "store", "metavar": option.metavar}
        )
        group.addoption(option.flag, dest=option.dest, default=None, help=option.help, **how)
        parser.addini(option.dest, f"default for {option.flag}", type=kind)
    parser.addini(
        "llm_taskpaths", "folders of tasks that --llm-model runs when no path is given", type="args", default=[]
    )


def read_settings(config: pytest.Config, namespace: argparse.Namespace) -> Settings:
    """Read everything; raises ``OptionError`` naming the spelling that is wrong.

    ``namespace`` holds the parsed command line: ``config.option``, or ``known_args_namespace`` early on.
    """
    values = {option.name: _raw_value(option, config, namespace, os.environ) for option in OPTIONS}
    run_dir = read.text(values, "run-dir")
    selfcheck = read.switch(values, "selfcheck")
    if selfcheck:
        _refuse_beside_selfcheck(values)
        models = tuple(ModelSpec(label=name, name=name) for name in SELFCHECKED)
    else:
        models = tuple(
            read.model_spec(text, read.folder(values, "model", config)) for text in read.names(values, "model")
        )
    pass_at = read.number(values, "pass-at", above=None)
    if read.switch(values, "retry-errors") and not read.text(values, "resume"):
        raise OptionError("--llm-retry-errors is about a run that is gone on with: give --llm-resume too.")
    labels = [model.label for model in models]
    for label in labels:
        if labels.count(label) > 1:
            raise OptionError(f"--llm-model: {label!r} is given twice. Rename one: --llm-model=OTHER={label}")
    return Settings(
        llm=LLMSettings(
            models=models,
            base_url=read.text(values, "base-url"),
            epochs=read.whole(values, "epochs") or (SELFCHECK_EPOCHS if selfcheck else 1),
            concurrency=read.whole(values, "concurrency"),
            timeout_s=read.number(values, "timeout", above=0.0) or 600.0,
            connect_s=read.number(values, "connect-timeout", above=0.0) or 10.0,
            first_byte_s=read.number(values, "first-byte-timeout", above=0.0),
            silence_s=read.number(values, "silence-timeout", above=0.0),
            params=read.params(values, "param"),
            system_prompt=read.text(values, "system-prompt", empty=""),
            models_file=read.path(values, "models-file", config) or _models_file(config.rootpath),
            max_cost_usd=read.number(values, "max-cost", above=0.0),
            max_tokens=read.whole(values, "max-tokens-total"),
            max_minutes=read.number(values, "max-minutes", above=0.0),
            cache=read.choice(values, "cache", _CACHE_MODES, "use"),
        ),
        rootdir=config.rootpath,
        run_base=read.folder(values, "run-dir", config) / run_dir if run_dir else config.rootpath / ".llmbench",
        suites=tuple(read.names(values, "suite")),
        task_paths=tuple(str(path) for path in config.getini("llm_taskpaths")),
        sandbox=read.sandbox_name(values),
        fail_under=None if selfcheck else read.number(values, "fail-under", above=None),
        selfcheck=selfcheck,
        list_models=read.switch(values, "list-models"),
        resume=read.text(values, "resume"),
        retry_errors=read.switch(values, "retry-errors"),
        pass_at=100.0 if pass_at is None else pass_at,
    )


def _refuse_beside_selfcheck(values: Mapping[str, read.Value | None]) -> None:
    """What asks for models cannot be meant together with what asks for none; lasting settings just do not count."""
    for name in ("model", "fail-under"):
        raw = values[name]
        if raw is not None and raw.source.startswith("--"):
            raise OptionError(
                f"{raw.source} and --llm-selfcheck exclude each other: a self-check grades the tasks' own files, "
                "and its exit status is its own. Take one of them away."
            )


def _models_file(rootdir: Path) -> Path | None:
    """The one that counts when none is named."""
    path = rootdir / "llmbench.toml"
    return path if path.is_file() else None


def _raw_value(
    option: Option, config: pytest.Config, namespace: argparse.Namespace, environment: Mapping[str, str]
) -> read.Value | None:
    flag = getattr(namespace, option.dest, None)
    if flag is not None:
        return read.Value(flag, option.flag)
    if environment.get(option.variable):
        text = environment[option.variable]
        return read.Value([text] if option.many else text, option.variable)
    ini = config.getini(option.dest)
    return read.Value(ini, f"ini {option.dest}", from_ini=True) if ini else None
