"""What a server tells of what answers: the part that shapes replies and is the same after a restart. Pure.

Left out is whatever changes while the same model runs with the same settings: whether it is loaded, slots and their
states, times, ports, where files lie. Values are bounded: they become a part of every stored request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pytest_llmbench.llm.discovery.presets import identity_of, told_settings
from pytest_llmbench.llm.guarded_json import short
from pytest_llmbench.schema.numbers import MOST, count

_CHARS = 200
_MOST_SETTINGS = 100
_MOST_IN_LIST = 50
_DIGITS = 6
_TEMPLATE_DIGITS = 16
_OF_THE_ASKING = frozenset(
    {"stream", "n_probs", "timings_per_token", "post_sampling_probs", "return_tokens", "id_slot"}
)
"""Defaults of a request that change its answer's form and not what is said."""


def of_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """From one entry of ``/v1/models``.

    A router tells sizes only while the model is loaded, and its preset always: the preset alone counts there.
    """
    status, meta = entry.get("status"), entry.get("meta")
    if isinstance(status, Mapping):
        told = told_settings(status.get("preset"))
        return {"preset": identity_of(told)} if told else {}
    if not isinstance(meta, Mapping):
        return {}
    numbers = {name: count(meta.get(name)) for name in ("size", "n_params")}
    return _filled({**numbers, "ftype": short(meta.get("ftype"), _CHARS)})


def of_props(said: Mapping[str, Any]) -> dict[str, Any]:
    """From the ``/props`` of a server with one model."""
    defaults = said.get("default_generation_settings")
    defaults = defaults if isinstance(defaults, Mapping) else {}
    template = said.get("chat_template")
    path = said.get("model_path")
    return _filled(
        {
            "file": short(path.replace("\\", "/").rpartition("/")[2], _CHARS) if isinstance(path, str) else "",
            "sampling": sampling_of(defaults),
            "context": count(defaults.get("n_ctx")),
            "template": _digest(template) if isinstance(template, str) else "",
            "build": short(said.get("build_info"), _CHARS),
        }
    )


def sampling_of(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The server's own defaults for a request, as far as they can be kept."""
    params = defaults.get("params")
    found = {} if not isinstance(params, Mapping) else params
    kept = {
        name: plain
        for name, value in sorted(found.items(), key=lambda item: str(item[0]))
        if short(name, _CHARS) and name not in _OF_THE_ASKING and (plain := _plain(value)) is not None
    }
    return dict(list(kept.items())[:_MOST_SETTINGS])


def of_tags(said: Any, model: str) -> dict[str, Any]:
    """From Ollama's ``/api/tags``: the digest of weights, template and parameters together."""
    models = said.get("models") if isinstance(said, Mapping) else None
    for each in models if isinstance(models, list) else ():
        if isinstance(each, Mapping) and model in (each.get("name"), each.get("model")):
            return _filled({"digest": short(each.get("digest"), _CHARS)})
    return {}


def _plain(value: Any) -> Any:
    """A setting that can be kept and compared; None: none. Floats have 32 bits there: 0.6 is 0.6000000238418579."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if -MOST <= value <= MOST else None
    if isinstance(value, int):
        return value if -MOST <= value <= MOST else None
    if isinstance(value, str):
        return value if short(value, _CHARS) else (_digest(value) if value else None)
    if isinstance(value, list) and len(value) <= _MOST_IN_LIST:
        plain = [_plain(each) for each in value if isinstance(each, str | int | float)]
        return plain if plain and len(plain) == len(value) else None
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_TEMPLATE_DIGITS]


def _filled(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value}
