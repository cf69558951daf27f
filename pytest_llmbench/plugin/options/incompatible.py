"""Ways of running that would give wrong figures, most of them options of other plugins: refused by name."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from pytest_llmbench.errors import OptionError

_AGAIN = "would keep the best of several gradings"
_EPOCHS = "--llm-epochs=N makes independent attempts."
_AWAY = "would grade in a process that is thrown away with what it found"
_WORKERS = "-n N grades in several processes."


class Refused(NamedTuple):
    """An option of another plugin, and its ini key, if it has one."""

    name: str
    """In pytest's namespace, and in the ini file."""
    why: str
    instead: str

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.name.replace('_', '-')}"


REFUSED = (
    Refused("reruns", _AGAIN, _EPOCHS),  # pytest-rerunfailures
    Refused("force_reruns", _AGAIN, _EPOCHS),
    Refused("retries", _AGAIN, _EPOCHS),  # pytest-retry
    Refused("force_flaky", _AGAIN, _EPOCHS),  # flaky
    Refused("forked", _AWAY, _WORKERS),  # pytest-forked
    Refused("boxed", _AWAY, _WORKERS),
)
REFUSED_MARKS = {
    "flaky": f"a rerun {_AGAIN}. Take the marker away; {_EPOCHS}",
    "forked": f"it {_AWAY}. Take the marker away; {_WORKERS}",
}


def refuse_incompatible(config: pytest.Config) -> None:
    """Raises ``OptionError`` for the first of them."""
    if sys.flags.optimize:
        raise OptionError("python -O drops assert statements: points would be given for nothing. Run without it.")
    for spec in config.getoption("tx", None) or []:
        if not spec.partition("*")[2].startswith("popen") and not spec.startswith("popen"):
            raise OptionError(
                f"--tx {spec}: llmbench grades on this machine only, remote workers cannot reach the process that "
                f"asks the models. Use -n N instead."
            )
    if config.getoption("dist", "no") == "each":
        raise OptionError("--dist each would grade every attempt once per worker. Use -n N, or --llm-epochs=N.")
    for option in REFUSED:
        if _is_on(config.getoption(option.name, None)) or _is_on(_ini(config, option.name)):
            raise OptionError(
                f"{option.name} {option.why}. Take {option.flag}, or the ini {option.name}, away; {option.instead}"
            )


def refused_mark(marks: Iterable[pytest.Mark], function: object) -> tuple[str, str] | None:
    """The first marker of a rubric test that does not go with grading, and what to do. flaky's decorator is one."""
    names = [mark.name for mark in marks]
    if any(name.startswith("_flaky_") for name in getattr(function, "__dict__", ())):
        names.append("flaky")
    return next(((name, REFUSED_MARKS[name]) for name in names if name in REFUSED_MARKS), None)


def _is_on(value: Any) -> bool:
    """False for what stands for no time at all: in an ini file these are texts."""
    return str(value or "").strip().lower() not in ("", "0", "false", "no", "off")


def _ini(config: pytest.Config, name: str) -> object:
    """The value of another plugin's ini key; None where that plugin is not there."""
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return None
