"""The models that a server lists, read out of its answer: names that somebody could type, and no more of them than fit.

Left out is a name that holds control characters or others that show as nothing, or is longer than ``MAX_NAME_CHARS``,
and whatever comes after ``MAX_MODELS``. Equal names are one model. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pytest_llmbench.llm.discovery.made_by import of_entry
from pytest_llmbench.llm.discovery.model_names import ServedModel
from pytest_llmbench.llm.discovery.presets import kept_settings, told_settings
from pytest_llmbench.llm.guarded_json import short
from pytest_llmbench.text import printable

MAX_MODELS = 5_000
MAX_NAME_CHARS = 200
_MAX_ALIASES = 20
_STATE_CHARS = 60


class ModelList(NamedTuple):
    """What a list holds."""

    models: tuple[ServedModel, ...]
    left_out: int = 0
    """Entries without a usable name, and those too many."""


def read_list(answer: Any, base_url: str) -> ModelList | None:
    """The models of a well-formed list; None for anything else, also where not one entry has a usable name."""
    if not isinstance(answer, Mapping) or "data" not in answer:
        return None
    entries = answer["data"]
    if not isinstance(entries, list | None):
        return None
    found = [_served(entry, base_url) for entry in (entries or [])[:MAX_MODELS]]
    usable = [model for model in found if model is not None]
    unique: dict[str, ServedModel] = {}
    for model in usable:  # one with several deployments is listed as often
        earlier = unique.get(model.id)
        aliases = (*earlier.aliases, *model.aliases) if earlier else model.aliases
        unique[model.id] = replace(earlier or model, aliases=tuple(dict.fromkeys(aliases)))
    models = tuple(unique.values())
    return ModelList(models, len(entries or ()) - len(usable)) if models or not entries else None


def _served(entry: Any, base_url: str) -> ServedModel | None:
    if not isinstance(entry, Mapping) or not (name := short(entry.get("id"), MAX_NAME_CHARS)):
        return None
    meta = entry.get("meta")
    swap = meta.get("llamaswap") if isinstance(meta, Mapping) else None
    lists = [entry.get("aliases"), swap.get("aliases") if isinstance(swap, Mapping) else None]
    told = [each for aliases in lists if isinstance(aliases, list) for each in aliases[:_MAX_ALIASES]]
    names = tuple(dict.fromkeys(alias for each in told if (alias := short(each, MAX_NAME_CHARS)) and alias != name))
    status = entry.get("status")
    preset = status.get("preset") if isinstance(status, Mapping) else None
    return ServedModel(
        name,
        names,
        base_url,
        _state(status),
        of_entry(entry),
        kept_settings(told_settings(preset)),
        short(entry.get("owned_by"), MAX_NAME_CHARS),
    )


def _state(status: Any) -> str:
    """Of a model in the list of a llama-server that routes: loaded or not; empty: not told."""
    if not isinstance(status, Mapping) or not isinstance(value := status.get("value"), str):
        return ""
    told = printable(value[:_STATE_CHARS])
    return f"{told}, its last load failed" if status.get("failed") is True else told
