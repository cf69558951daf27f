"""Settings of a model as llama.cpp writes them in a preset, in a file or in a router's list of models. Pure."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from typing import Any

_KEPT_TEXT = """
    ctx-size n-predict temperature top-k top-p min-p typical top-nsigma xtc-probability xtc-threshold repeat-last-n
    repeat-penalty presence-penalty frequency-penalty dry-multiplier dry-base dry-allowed-length mirostat mirostat-lr
    mirostat-ent seed samplers cache-type-k cache-type-v jinja reasoning-format reasoning-budget parallel flash-attn
    rope-scaling rope-scale swa-full
"""
_KEPT = frozenset(_KEPT_TEXT.split())
"""What shapes replies. Everything else, paths and keys among it, is not kept."""
_FILES = frozenset({"model", "hf-repo", "hf-file", "chat-template", "chat-template-file", "lora", "mmproj"})
"""What shapes replies too, and is told by the end of its path."""
_NO_IDENTITY = frozenset({"parallel", "slots"})
_SHORT = {
    "c": "ctx-size",
    "n": "n-predict",
    "predict": "n-predict",
    "temp": "temperature",
    "ctk": "cache-type-k",
    "ctv": "cache-type-v",
    "np": "parallel",
    "fa": "flash-attn",
    "m": "model",
    "hf": "hf-repo",
    "hfr": "hf-repo",
    "hff": "hf-file",
}
"""Other names that llama.cpp has for some of them."""
_VALUE_CHARS = 200


def read_presets(text: str) -> dict[str, dict[str, str]]:
    """The sections of a preset file, the keys of ``[*]`` in each of them. Raises ``configparser.Error``."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), default_section="\n")
    parser.read_string(f"[ ]\n{text}")  # lines before the first section belong to none
    shared = _named_alike(parser["*"]) if "*" in parser else {}
    names = (name for name in parser.sections() if name.strip() not in ("", "*"))
    return {name: shared | _named_alike(parser[name]) for name in names}


def kept_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """What reports keep of a section."""
    return {name: value for name, value in settings.items() if name in _KEPT}


def told_settings(preset: object) -> dict[str, str]:
    """What a router's ``status.preset`` says of one model; empty: nothing that can be read."""
    if not isinstance(preset, str):
        return {}
    try:
        sections = list(read_presets(preset).values())
    except configparser.Error:
        return {}
    return sections[0] if len(sections) == 1 else {}


def identity_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The part of a section that says what answers: the same wherever the files lie and however many are asked."""
    files = {name: _end(value) for name, value in settings.items() if name in _FILES}
    kept = {name: value[:_VALUE_CHARS] for name, value in without_slots(kept_settings(settings)).items()}
    return dict(sorted({**kept, **files}.items()))


def without_slots(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that change no reply: how many requests are answered side by side."""
    return {name: value for name, value in settings.items() if name not in _NO_IDENTITY}


def _end(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2][:_VALUE_CHARS]


def _named_alike(section: Mapping[str, str]) -> dict[str, str]:
    """The settings of a section, each by its one name; of one that stands there twice the later counts."""
    return {_SHORT.get(key, key): value for key, value in section.items()}
