"""Options, their environment and ini twins, and the one place that turns them into ``Settings``.

For every option: flag > environment (``LLMBENCH_MODEL`` for ``--llm-model``) > ini (``llm_model``) > default.
"""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.settings import CacheMode, LLMSettings, ModelSpec, SandboxName, Settings


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
    Option("timeout", "SECONDS", "longest wait for one completion (default: 600)"),
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
_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
_SANDBOXES = ("auto", "bubblewrap", "landlock", "none")
_CONTAINER = re.compile(r"(podman|docker):[\w][\w.:/@-]*", re.ASCII)

_Choice = TypeVar("_Choice", bound=str)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    group = parser.getgroup("llmbench", "llmbench: benchmarks of code written by models")
    for option in OPTIONS:
        kind: Literal["linelist", "string"] = "linelist" if option.many else "string"
        how: dict[str, Any] = (
            {"action": "store_const", "const": "on"}
            if option.switch
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
    values = {option.name: _raw(option, config, namespace, os.environ) for option in OPTIONS}
    run_dir = _text(values, "run-dir")
    selfcheck = _switch(values, "selfcheck")
    if selfcheck:
        _refuse_beside_selfcheck(values)
        models = tuple(ModelSpec(label=name, name=name) for name in SELFCHECKED)
    else:
        models = tuple(_model(text, _folder(values, "model", config)) for text in _list(values, "model"))
    labels = [model.label for model in models]
    for label in labels:
        if labels.count(label) > 1:
            raise OptionError(f"--llm-model: {label!r} is given twice. Rename one: --llm-model=OTHER={label}")
    return Settings(
        llm=LLMSettings(
            models=models,
            base_url=_text(values, "base-url"),
            epochs=_whole(values, "epochs") or (SELFCHECK_EPOCHS if selfcheck else 1),
            concurrency=_whole(values, "concurrency"),
            timeout_s=_number(values, "timeout", above=0.0) or 600.0,
            cache=_choice(values, "cache", _CACHE_MODES, "use"),
        ),
        rootdir=config.rootpath,
        run_base=_folder(values, "run-dir", config) / run_dir if run_dir else config.rootpath / ".llmbench",
        suites=tuple(_list(values, "suite")),
        task_paths=tuple(str(path) for path in config.getini("llm_taskpaths")),
        sandbox=_sandbox(values),
        fail_under=None if selfcheck else _number(values, "fail-under", above=None),
        selfcheck=selfcheck,
    )


class _Value:
    """A raw value and the spelling it came from, for error messages."""

    def __init__(self, value: Any, source: str, *, from_ini: bool = False) -> None:
        self.value = value
        self.source = source
        self.from_ini = from_ini


def _raw(
    option: Option, config: pytest.Config, namespace: argparse.Namespace, environment: Mapping[str, str]
) -> _Value | None:
    flag = getattr(namespace, option.dest, None)
    if flag is not None:
        return _Value(flag, option.flag)
    if environment.get(option.variable):
        text = environment[option.variable]
        return _Value([text] if option.many else text, option.variable)
    ini = config.getini(option.dest)
    return _Value(ini, f"ini {option.dest}", from_ini=True) if ini else None


def _text(values: Mapping[str, _Value | None], name: str) -> str | None:
    raw = values[name]
    return str(raw.value).strip() or None if raw else None


def _list(values: Mapping[str, _Value | None], name: str) -> list[str]:
    raw = values[name]
    if raw is None:
        return []
    parts = [part.strip() for text in raw.value for part in str(text).split(",")]
    if not all(parts):
        raise OptionError(f"{raw.source} has an empty name. Write names with single commas between them.")
    return parts


def _switch(values: Mapping[str, _Value | None], name: str) -> bool:
    raw = values[name]
    if raw is None:
        return False
    text = str(raw.value).strip().lower()
    if text not in (*_ON, *_OFF):
        raise OptionError(f"{raw.source}={raw.value}: on or off is needed.")
    return text in _ON


def _refuse_beside_selfcheck(values: Mapping[str, _Value | None]) -> None:
    """What asks for models cannot be meant together with what asks for none; lasting settings just do not count."""
    for name in ("model", "fail-under"):
        raw = values[name]
        if raw is not None and raw.source.startswith("--"):
            raise OptionError(
                f"{raw.source} and --llm-selfcheck exclude each other: a self-check grades the tasks' own files, "
                "and its exit status is its own. Take one of them away."
            )


def _folder(values: Mapping[str, _Value | None], name: str, config: pytest.Config) -> Path:
    """Where a relative path in an option's value starts: in an ini file at the rootdir, else in the current folder."""
    raw = values[name]
    return config.rootpath if raw is not None and raw.from_ini else config.invocation_params.dir


def _model(text: str, folder: Path) -> ModelSpec:
    """Take ``LABEL=NAME`` apart; a ``dir:`` path starts at ``folder`` and may hold an ``=`` of its own."""
    label, separator, name = text.partition("=")
    if not separator or label.startswith("dir:"):
        label = name = text
    elif not label or not name:
        raise OptionError(f"--llm-model={text}: LABEL=NAME needs both sides of the '='.")
    if name.startswith("dir:") and folder != Path.cwd():
        name = f"dir:{folder / Path(name.removeprefix('dir:')).expanduser()}"
    return ModelSpec(label=label, name=name)


def _whole(values: Mapping[str, _Value | None], name: str) -> int | None:
    raw = values[name]
    if raw is None:
        return None
    text = str(raw.value)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise OptionError(f"{raw.source}={text}: a whole number of at least 1 is needed.")
    return int(text)


def _number(values: Mapping[str, _Value | None], name: str, *, above: float | None) -> float | None:
    raw = values[name]
    if raw is None:
        return None
    try:
        number = float(str(raw.value).removesuffix("%"))
    except ValueError:
        number = float("nan")
    if above is None and not 0 <= number <= 100:  # noqa: PLR2004  # a percentage
        raise OptionError(f"{raw.source}={raw.value}: a percentage from 0 to 100 is needed.")
    if above is not None and not above < number < float("inf"):
        raise OptionError(f"{raw.source}={raw.value}: a number of seconds above {above:g} is needed.")
    return number


def _sandbox(values: Mapping[str, _Value | None]) -> SandboxName:
    raw = values["sandbox"]
    if raw is None:
        return "auto"
    name = str(raw.value)
    if name in _SANDBOXES or _CONTAINER.fullmatch(name):
        return name
    raise OptionError(
        f"{raw.source}={name}: choose one of {', '.join(_SANDBOXES)}, podman:IMAGE or docker:IMAGE, "
        "where IMAGE is one that the runtime has already."
    )


def _choice(values: Mapping[str, _Value | None], name: str, known: tuple[_Choice, ...], default: _Choice) -> _Choice:
    raw = values[name]
    if raw is None:
        return default
    for choice in known:
        if raw.value == choice:
            return choice
    raise OptionError(f"{raw.source}={raw.value}: choose one of {', '.join(known)}.")
