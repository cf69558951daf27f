"""Model names as people type them against model names as servers list them. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model that a server lists."""

    id: str
    aliases: tuple[str, ...] = ()
    base_url: str = ""
    """The server that lists it."""
    state: str = field(default="", compare=False)
    """As the server tells it: ``loaded``, ``unloaded``, ``loading``...; empty: it does not."""

    told: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What answers, as its list tells it (``made_by.py``)."""
    settings: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Its preset, as a router's list tells it, as far as reports keep it."""
    owner: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.base_url}/{self.id}" if self.base_url else self.id

    @property
    def names(self) -> tuple[str, ...]:
        """Everything the server answers to for it."""
        return (self.id, *self.aliases)


def fold(name: str) -> str:
    """A name without what servers and hubs add: owner or path (Windows too), file ending, shard number, ``:latest``."""
    folded = name.lower().replace("\\", "/").rstrip("/").rpartition("/")[2]
    folded = _SHARD.sub("", folded.removesuffix(".gguf")).removesuffix(":latest")
    return folded.replace(":", "-").replace("_", "-")


def match(name: str, served: Sequence[ServedModel]) -> list[ServedModel]:
    """Models meant by ``name``: the exact ones, else those equal when folded, else those that it begins.

    A beginning counts up to a dash only: ``gpt-oss-20b`` means ``gpt-oss-20b-q8``, ``gpt-4`` never ``gpt-4o``.
    Several: the name is ambiguous.
    """
    folded = fold(name)
    exact = [model for model in served if name == model.id] or [model for model in served if name in model.names]
    equal = exact or [model for model in served if folded in map(fold, model.names)]
    return equal or [model for model in served if any(fold(n).startswith(f"{folded}-") for n in model.names)]


def nearest(name: str, known: Iterable[str], count: int = 5) -> list[str]:
    """Known names that look like ``name``, the most alike first."""
    by_fold: dict[str, list[str]] = {}
    for candidate in known:
        by_fold.setdefault(fold(candidate), []).append(candidate)
    close = difflib.get_close_matches(fold(name), by_fold, n=count)
    return list(dict.fromkeys(candidate for key in close for candidate in by_fold[key]))[:count]
