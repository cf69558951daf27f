"""Options, their environment and ini twins, and the one place that turns them into ``Settings``.

For every option: flag > environment (``LLMBENCH_MODEL`` for ``--llm-model``) > ini (``llm_model``) > default.
"""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.options import replay
from pytest_llmbench.plugin.options import values as read
from pytest_llmbench.plugin.options.table import OPTIONS, Option
from pytest_llmbench.schema.builtin import BUILTINS
from pytest_llmbench.schema.difference import KINDS
from pytest_llmbench.schema.run_files import BASE
from pytest_llmbench.schema.settings import SLOTS, CacheMode, Gates, LLMSettings, ModelSpec, Settings

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.registry import Backends

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
    group.addoption(replay.FLAG, dest=replay.DEST, default=None, help=argparse.SUPPRESS)
    parser.addini(
        "llm_taskpaths", "folders of tasks that --llm-model runs when no path is given", type="args", default=[]
    )


def read_settings(
    config: pytest.Config, namespace: argparse.Namespace, backends: "Callable[[], Backends] | None" = None
) -> Settings:
    """Read all options; raises ``OptionError`` naming the invalid spelling.

    ``namespace`` holds the parsed command line: ``config.option``, or ``known_args_namespace`` early on. ``backends``
    gives the registered sandboxes, once plugins are loaded: the sandbox's name is looked up then, if a model is chosen.
    """
    values = {option.name: _raw_value(option, config, namespace, os.environ) for option in OPTIONS}
    run_dir = read.text(values, "run-dir")
    selfcheck = read.switch(values, "selfcheck")
    if selfcheck:
        _refuse_beside_selfcheck(values)
        models = tuple(ModelSpec(label=name, name=name) for name in BUILTINS)
    else:
        models = tuple(
            read.model_spec(text, read.folder(values, "model", config)) for text in read.names(values, "model")
        )
    pass_at = read.percentage(values, "pass-at")
    if read.switch(values, "retry-errors") and not read.text(values, "resume"):
        raise OptionError("--llm-retry-errors requires --llm-resume.")
    labels = [model.label for model in models]
    for label in labels:
        if labels.count(label) > 1:
            raise OptionError(f"--llm-model: {label!r} is given twice. Rename one: --llm-model=OTHER={label}")
    suites, loaded = read.suites(values, config)
    settings = Settings(
        llm=LLMSettings(
            models=models,
            base_url=read.text(values, "base-url"),
            epochs=read.whole(values, "epochs") or (SELFCHECK_EPOCHS if selfcheck else 1),
            concurrency=read.whole_or(values, "concurrency", SLOTS),
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
        run_base=read.folder(values, "run-dir", config) / run_dir if run_dir else config.rootpath / BASE,
        suites=suites,
        loaded=loaded,
        task_paths=tuple(str(path) for path in config.getini("llm_taskpaths")),
        sandbox=read.sandbox_name(values, backends if models else None),
        gates=Gates() if selfcheck else _gates(values, config),
        html=read.path(values, "html", config),
        shard=read.shard(values, "shard"),
        selfcheck=selfcheck,
        list_models=read.switch(values, "list-models"),
        resume=read.text(values, "resume"),
        retry_errors=read.switch(values, "retry-errors"),
        pass_at=100.0 if pass_at is None else pass_at,
        solver=read.text(values, "solver") or "auto",
    )
    order = getattr(namespace, replay.DEST, None)
    return settings if order is None else replay.applied(settings, order, paths=bool(namespace.file_or_dir))


def _gates(values: Mapping[str, read.Value | None], config: pytest.Config) -> Gates:
    baseline = read.path(values, "baseline", config)
    allow = read.names(values, "baseline-allow")
    for word in allow:
        if word not in (*KINDS, "all"):
            raise OptionError(f"--llm-baseline-allow={word}: choose one of {', '.join(KINDS)}, all.")
    if allow and baseline is None:
        raise OptionError("--llm-baseline-allow requires --llm-baseline.")
    return Gates(
        fail_under=read.percentage(values, "fail-under"),
        fail_under_task=read.percentages(values, "fail-under-task"),
        min_coverage=read.percentage(values, "min-coverage"),
        min_tps=read.number(values, "min-tps", above=0.0),
        baseline=baseline,
        baseline_allow=frozenset(KINDS) if "all" in allow else frozenset(allow),
    )


def _refuse_beside_selfcheck(values: Mapping[str, read.Value | None]) -> None:
    """Refuse options about models beside ``--llm-selfcheck``; those of the environment and the ini are ignored."""
    for name in ("model", "fail-under"):
        raw = values[name]
        if raw is not None and raw.source.startswith("--"):
            raise OptionError(
                f"{raw.source} cannot be combined with --llm-selfcheck, which grades the tasks' own files and decides "
                "the exit status itself. Remove one of them."
            )


def _models_file(rootdir: Path) -> Path | None:
    """The default models file, if it exists."""
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
