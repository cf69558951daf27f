"""The user's models: ``llmbench.toml`` with endpoints and parameters, or the ``preset.ini`` of a llama.cpp router."""

from __future__ import annotations

import configparser
import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import api_root
from pytest_llmbench.llm.discovery.model_names import ServedModel
from pytest_llmbench.llm.discovery.presets import kept_settings, read_presets
from pytest_llmbench.llm.prices import Price
from pytest_llmbench.schema.attempt import Frozen

_OURS = frozenset({"model", "messages", "stream", "stream_options"})
_COUNTS = frozenset({"n", "num_return_sequences", "candidate_count", "num_completions"})
"""Would ask for several answers at once, of which one alone can be graded."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_METADATA = ("size_gb", "quant", "base", "thinking", "labels", "context", "preset")


class _Entry(Frozen):
    """Values are validated strictly: neither ``"4"`` nor infinity is a number."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class PriceEntry(_Entry):
    """USD for a million tokens."""

    input_usd_per_mtok: Annotated[float, Field(ge=0)]
    output_usd_per_mtok: Annotated[float, Field(ge=0)]


class ModelEntry(_Entry):
    """One model of the file; what is not said is looked up, or unknown."""

    litellm: str | None = None
    """A hosted model as litellm calls it, ``PROVIDER/NAME``."""
    base_url: str | None = None
    name: str | None = None
    """The name sent to the server; None: the entry's own."""
    params: dict[str, Any] = Field(default_factory=dict)
    system_prompt: str | None = None
    reasoning_effort: str | None = None
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    slots: Annotated[int, Field(ge=1)] | None = None
    """Requests in flight."""
    context: Annotated[int, Field(ge=1)] | None = None
    """Tokens of prompt and reply together."""
    price: PriceEntry | None = None
    size_gb: Annotated[float, Field(gt=0)] | None = None
    quant: str | None = None
    base: str | None = None
    thinking: bool | None = None
    labels: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)
    preset: dict[str, str] = Field(default_factory=dict)
    """What a preset file sets for it."""

    @property
    def sent_params(self) -> dict[str, Any]:
        """Sampling parameters of every request."""
        effort = {"reasoning_effort": self.reasoning_effort} if self.reasoning_effort is not None else {}
        return {**self.params, **effort}

    @property
    def metadata(self) -> dict[str, Any]:
        """What reports may group and compare by."""
        said = self.model_dump(mode="json", include=set(_METADATA), exclude_none=True)
        return {name: value for name, value in said.items() if value not in ([], {})}

    @property
    def usd(self) -> Price | None:
        """The price for one token."""
        if self.price is None:
            return None
        return Price(self.price.input_usd_per_mtok / 1e6, self.price.output_usd_per_mtok / 1e6)


class ModelsFile:
    """The entries of one file, by name."""

    def __init__(self, path: Path | None, entries: Mapping[str, ModelEntry]) -> None:
        self.path = path
        """None: there is no file."""
        self.entries = entries

    @classmethod
    def read(cls, path: Path | None) -> ModelsFile:
        """Read a file by its ending. Raises ``OptionError`` naming file, model and key."""
        if path is None:
            return cls(None, {})
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise OptionError(f"cannot read models file {path}: {error}. Give another --llm-models-file.") from error
        return cls(path, _presets(path, text) if path.suffix == ".ini" else _toml(path, text))

    @property
    def listed(self) -> list[ServedModel]:
        """The entries as names to choose from."""
        return [ServedModel(name, tuple(entry.aliases)) for name, entry in self.entries.items()]


def _toml(path: Path, text: str) -> dict[str, ModelEntry]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"models file {path} is not valid TOML: {error}. Fix it there.") from error
    tables = content.get("models", {})
    others = content.keys() - {"models"}
    if others or not isinstance(tables, dict):
        wrong = ", ".join(sorted(others)) or "models"
        raise OptionError(
            f'models file {path}: unexpected {wrong}. Write one table per model, such as [models."gpt-oss-20b"].'
        )
    entries = {name: _entry(path, name, table) for name, table in tables.items()}
    keys: dict[str, str | None] = {}
    for name, entry in entries.items():
        place = api_root(entry.base_url) if entry.base_url is not None else None
        if place is not None and keys.setdefault(place, entry.api_key_env) != entry.api_key_env:
            raise OptionError(
                f"models file {path}: {name}: api_key_env: another model at this base_url has a different one. "
                "Use one key per base_url."
            )
    return entries


def _entry(path: Path, name: str, table: Any) -> ModelEntry:
    where = f"models file {path}: model {name!r}"
    if not isinstance(table, dict):
        raise OptionError(f'{where} is not a table. Write [models."{name}"] above its keys.')
    try:
        if "preset" in table:
            raise OptionError(f"{where}: preset: no such key; it is set by a preset.ini. Remove it.")
        entry = ModelEntry.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        last = str(first["loc"][-1])
        known = [*ModelEntry.model_fields, *PriceEntry.model_fields]
        near = difflib.get_close_matches(last, known, n=1)
        hint = f"; did you mean {near[0]}?" if near and first["type"] == "extra_forbidden" else ""
        what = "no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise OptionError(f"{where}: {key}: {what}{hint}.") from None  # its text would show the value
    if entry.base_url is not None:
        try:
            api_root(entry.base_url)
        except OptionError as error:
            raise OptionError(f"{where}: base_url: {error}") from None
    if problem := unsendable(entry.params):
        raise OptionError(f"{where}: params: {problem}")
    if entry.litellm is not None and (entry.base_url is not None or entry.api_key_env is not None):
        raise OptionError(f"{where}: litellm chooses endpoint and key itself. Remove base_url and api_key_env.")
    if entry.api_key_env is not None and not _VARIABLE.fullmatch(entry.api_key_env):
        raise OptionError(f"{where}: api_key_env: give the name of an environment variable, never the key itself.")
    if entry.api_key_env is not None and entry.base_url is None:
        raise OptionError(f"{where}: api_key_env: a key is sent to one server only. Name it with base_url.")
    return entry


def unsendable(params: Mapping[str, Any]) -> str:
    """Why sampling parameters cannot be sent; empty: they can."""
    if ours := sorted(params.keys() & _OURS):
        return f"{ours[0]} is not a sampling parameter: llmbench sets it itself. Remove it."
    if counts := sorted(params.keys() & _COUNTS):
        return f"{counts[0]} is not a sampling parameter: one reply is graded per request. Use --llm-epochs."
    for name, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            return f"{name}={value} cannot be represented in JSON."
    return ""


def _presets(path: Path, text: str) -> dict[str, ModelEntry]:
    try:
        sections = read_presets(text)
    except configparser.Error as error:
        raise OptionError(f"models file {path} is not a valid preset file: {error}. Fix it there.") from error
    entries = {}
    for name, keys in sections.items():
        aliases = [alias.strip() for alias in keys.get("alias", "").split(",") if alias.strip()]
        kept = kept_settings(keys)
        size = kept.get("ctx-size", "")
        context = int(size) if size.isascii() and size.isdigit() and int(size) else None  # 0: the model's own
        entries[name] = ModelEntry(aliases=aliases, context=context, preset=kept)
    return entries
