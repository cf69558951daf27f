"""Option values, parsed and validated: each error names the spelling that is invalid."""

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.settings import LoadedSuite, ModelSpec, SandboxName

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.registry import Backends

_ON, _OFF = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
_MARK = re.compile(r"\\.|.", re.DOTALL)
"""One character, or an escaped one, of JSON."""

_Choice = TypeVar("_Choice", bound=str)


class Value:
    """A raw value and the spelling it came from, for error messages."""

    def __init__(self, value: Any, source: str, *, from_ini: bool = False) -> None:
        self.value = value
        self.source = source
        self.from_ini = from_ini


def text(values: Mapping[str, Value | None], name: str, *, empty: str | None = None) -> str | None:
    """One text; None when it is not set, ``empty`` when it is empty."""
    raw = values[name]
    return str(raw.value).strip() or empty if raw else None


def names(values: Mapping[str, Value | None], name: str) -> list[str]:
    """A list, written with commas or given several times. Raises ``OptionError`` for an empty name."""
    raw = values[name]
    if raw is None:
        return []
    parts = [part.strip() for text in raw.value for part in str(text).split(",")]
    if not all(parts):
        raise OptionError(f"{raw.source} contains an empty name. Separate names with single commas.")
    return parts


def switch(values: Mapping[str, Value | None], name: str) -> bool:
    """On or off; raises ``OptionError``."""
    raw = values[name]
    if raw is None:
        return False
    text = str(raw.value).strip().lower()
    if text not in (*_ON, *_OFF):
        raise OptionError(f"{raw.source}={raw.value}: use on or off.")
    return text in _ON


def folder(values: Mapping[str, Value | None], name: str, config: pytest.Config) -> Path:
    """The base of a relative path in an option's value: the rootdir in an ini file, otherwise the current folder."""
    raw = values[name]
    return config.rootpath if raw is not None and raw.from_ini else config.invocation_params.dir


def model_spec(text: str, folder: Path) -> ModelSpec:
    """Take ``LABEL=NAME`` apart; a ``dir:`` or ``run:`` path starts at ``folder`` and may contain an ``=``."""
    label, separator, name = text.partition("=")
    if not separator or label.startswith(("dir:", "run:")):
        label = name = text
    elif not label or not name:
        raise OptionError(f"--llm-model={text}: LABEL=NAME needs text on both sides of the '='.")
    kind, colon, path = name.partition(":")
    if colon and kind in ("dir", "run") and folder != Path.cwd():
        name = f"{kind}:{folder / Path(path).expanduser()}"
    return ModelSpec(label=label, name=name)


def suites(
    values: Mapping[str, Value | None], config: pytest.Config
) -> tuple[tuple[str, ...], tuple[LoadedSuite, ...]]:
    """Names of suites, and what ``NAME:PATH`` has loaders read. Raises ``OptionError``."""
    raw, given = values["suite"], names(values, "suite")
    loaded: dict[Path, LoadedSuite] = {}
    for text in given:
        loader, colon, path = text.partition(":")
        if not colon or raw is None:
            continue
        if not loader or not path:
            raise OptionError(f"{raw.source}={text}: NAME:PATH needs text on both sides of the ':'.")
        place = Path(os.path.abspath(folder(values, "suite", config) / Path(path).expanduser()))  # noqa: PTH100  # as pytest
        other = loaded.setdefault(place, LoadedSuite(text, loader, place))
        if other.text != text:
            raise OptionError(f"{raw.source}: {other.text} and {text} are one path. Remove one of them.")
    return tuple(name for name in given if ":" not in name), tuple(loaded.values())


def whole(values: Mapping[str, Value | None], name: str) -> int | None:
    """A whole number of at least 1; raises ``OptionError``."""
    raw = values[name]
    if raw is None:
        return None
    text = str(raw.value)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise OptionError(f"{raw.source}={text}: use a whole number of at least 1.")
    return int(text)


def whole_or(values: Mapping[str, Value | None], name: str, word: _Choice) -> int | _Choice | None:
    """A whole number of at least 1, or the one word; raises ``OptionError``."""
    raw = values[name]
    if raw is not None and str(raw.value).strip() == word:
        return word
    try:
        return whole(values, name)
    except OptionError as error:
        raise OptionError(f"{str(error).rstrip('.')}, or {word}.") from None


def number(values: Mapping[str, Value | None], name: str, *, above: float) -> float | None:
    """A finite number above ``above``; raises ``OptionError``."""
    raw = values[name]
    found = None if raw is None else _read(str(raw.value))
    if raw is not None and (found is None or not above < found < math.inf):
        raise OptionError(f"{raw.source}={raw.value}: use a number above {above:g}.")
    return found


def percentage(values: Mapping[str, Value | None], name: str) -> float | None:
    """A percentage from 0 to 100, with or without its sign; raises ``OptionError``."""
    raw = values[name]
    found = None if raw is None else _read(str(raw.value).removesuffix("%"))
    if raw is not None and (found is None or not 0 <= found <= 100):  # noqa: PLR2004  # a percentage
        raise OptionError(f"{raw.source}={raw.value}: use a percentage from 0 to 100.")
    return found


def _read(text: str) -> float | None:
    """A text as a number; None if it is not one."""
    try:
        return float(text)
    except ValueError:
        return None


def sandbox_name(values: Mapping[str, Value | None], backends: "Callable[[], Backends] | None" = None) -> SandboxName:
    """Name of a sandbox, with its image if it has one; one that is not in ``backends`` raises ``OptionError``."""
    raw = values["sandbox"]
    if raw is None:
        return "auto"
    name = str(raw.value)
    if name != "auto" and backends is not None:
        from pytest_llmbench.sandbox.registry import find_backend

        registered = backends()
        try:
            find_backend(name, registered)
        except OptionError as error:
            raise OptionError(f"{raw.source}={name}: {error}") from error
    return name


def choice(values: Mapping[str, Value | None], name: str, known: tuple[_Choice, ...], default: _Choice) -> _Choice:
    """One of the known words; raises ``OptionError``."""
    raw = values[name]
    if raw is None:
        return default
    for choice in known:
        if raw.value == choice:
            return choice
    raise OptionError(f"{raw.source}={raw.value}: choose one of {', '.join(known)}.")


def path(values: Mapping[str, Value | None], name: str, config: pytest.Config) -> Path | None:
    """A path, relative to the folder that belongs to where it was set."""
    given = text(values, name)
    return folder(values, name, config) / Path(given).expanduser() if given else None


def params(values: Mapping[str, Value | None], name: str) -> dict[str, Any]:
    """``KEY=VALUE`` pairs; a value is JSON if it is valid JSON, otherwise text.

    Commas in JSON separate nothing. Raises ``OptionError``, also for what can only be meant as JSON and is not valid.
    """
    raw = values[name]
    found: dict[str, Any] = {}
    for text in () if raw is None else (pair for each in raw.value for pair in _pairs(str(each))):
        assert raw is not None
        key, separator, value = text.partition("=")
        key = key.strip()
        if not separator or not key:
            raise OptionError(f"{raw.source}={text.strip()}: write KEY=VALUE, such as temperature=0.2.")
        if key in found:
            raise OptionError(f"{raw.source}: {key!r} is given twice. Remove one of them.")
        found[key] = _param_value(value.strip(), f"{raw.source}={key}")
    return found


def _pairs(text: str) -> list[str]:
    """What commas separate, outside of brackets and of double quotes."""
    pieces = [""]
    depth, quoted = 0, False
    for mark in _MARK.findall(text):
        if mark == '"':
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + (mark in ("[", "{")) - (mark in ("]", "}")))
        if mark == "," and not quoted and not depth:
            pieces.append("")
        else:
            pieces[-1] += mark
    if quoted or depth:  # a lone bracket or quote is text: from where it is on, every comma separates
        pieces[-1:] = pieces[-1].split(",")
    return pieces


def _param_value(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.startswith("{") or (text.startswith(("[", '"')) and "," in text):
            raise OptionError(
                f"{where}={text}: this is not valid JSON ({error}). Write the whole option in single quotes, so that "
                "the shell leaves the double quotes in it alone; a text goes in double quotes of its own."
            ) from error
        return text


def percentages(values: Mapping[str, Value | None], name: str) -> tuple[tuple[str, float], ...]:
    """``NAME=PERCENT`` pairs; raises ``OptionError``."""
    raw = values[name]
    found: dict[str, float] = {}
    for text in names(values, name):
        key, separator, value = text.partition("=")
        if not separator or not key.strip() or raw is None:
            raise OptionError(f"{raw.source if raw else name}={text}: write TASK=PERCENT, such as js-sse=60.")
        percent = percentage({name: Value(value, f"{raw.source}={key}", from_ini=raw.from_ini)}, name)
        found[key.strip()] = percent or 0.0
    return tuple(found.items())


def shard(values: Mapping[str, Value | None], name: str) -> tuple[int, int] | None:
    """``I/N`` with 1 <= I <= N; raises ``OptionError``."""
    raw = values[name]
    if raw is None:
        return None
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", str(raw.value).strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise OptionError(f"{raw.source}={raw.value}: write I/N, such as 1/3 for the first of three parts.")
    return int(match[1]), int(match[2])
