"""Model resolution: from a model's name as typed to its target.

In this order: solvers that need no model (``builtin/...``, ``dir:PATH``, ``run:RUN``, a plugin's), the models file, a
plugin's provider (``PROVIDER:NAME``), the base URL if there is one, otherwise servers that run on this machine, then
litellm's table of hosted models.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os.path import isdir, isfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import api_root, is_near, is_private
from pytest_llmbench.llm.discovery.llama_server import Props, ask_props, ask_tags
from pytest_llmbench.llm.discovery.made_by import of_tags
from pytest_llmbench.llm.discovery.model_names import ServedModel, match, nearest
from pytest_llmbench.llm.discovery.models_file import ModelEntry, ModelsFile, unsendable
from pytest_llmbench.llm.discovery.presets import identity_of
from pytest_llmbench.llm.discovery.servers import Listing, listing, probe, probed_urls
from pytest_llmbench.llm.http_environment import check_environment
from pytest_llmbench.llm.prices import PriceTable
from pytest_llmbench.llm.protocols import LOOKED_UP, ModelProvider
from pytest_llmbench.llm.targets import LOADING, ModelTarget, OfflineTarget, ServedTarget
from pytest_llmbench.schema.builtin import BUILTINS, PREFIX
from pytest_llmbench.schema.run_files import HEADER
from pytest_llmbench.schema.settings import SLOTS, LLMSettings, ModelSpec

HOSTED_CONCURRENCY = 8

_OLLAMA = "library"
"""Owner of the models in an Ollama's list."""
_LONGEST_LIST = 20
_HOSTED_URL = "https://hosted.example"
"""Stands for any hosted provider: its address is litellm's to know."""


def resolve(
    specs: Sequence[ModelSpec],
    settings: LLMSettings,
    cwd: Path,
    env: Mapping[str, str],
    stored: Sequence[ServedModel] = (),
    *,
    providers: Iterable[ModelProvider] = (),
    offline: Collection[str] = (),
) -> list[ModelTarget]:
    """Look every model up, in the order given; ``dir:`` paths are relative to ``cwd``.

    ``stored`` are the models of which replies are stored; where nothing may be asked, they are looked at first.
    ``providers`` are the registered ones, ``offline`` the names of plugins' solvers that need no model.

    A server that does not answer gives a target with a ``problem``, so that the others can continue. Raises
    ``OptionError`` for a name that is not found or is ambiguous, for a path that is not a directory, and for a variable
    of the environment that breaks every HTTP client.
    """
    by_prefix = {each.name: each for each in providers if each.name not in LOOKED_UP}
    places = _Places(settings, cwd, env, stored, by_prefix, offline)
    return [places.find(spec) for spec in specs]


def own_files(label: str) -> OfflineTarget:
    """The target of ``builtin/reference`` and its kind, and of ``mutant/NAME``: a task's own files."""
    return OfflineTarget(label, "builtin", label.removeprefix(PREFIX))


def describe(target: ModelTarget) -> str:
    """One line on where a model is asked, without credentials."""
    if isinstance(target, OfflineTarget):
        where = {
            "dir": f"files in {target.name}",
            "run": f"replies recorded in {target.name}",
            "builtin": f"each task's {target.name} files",
        }.get(target.solver, f"handed in by the solver {target.solver}, without a model")
        return f"{target.label}: {where}"
    where = (
        f"{target.name} at {target.base_url}" if target.client == "openai" else f"{target.name} through {target.client}"
    )
    return (
        f"{target.label}: {where}: {target.problem}"
        if target.problem
        else (f"{target.label}: {where}, {target.concurrency} at a time{_of_slots(target)}")
    )


def _of_slots(target: ServedTarget) -> str:
    if target.slots is None or target.slots == 1 == target.concurrency:
        return ""
    return f" (the server has {target.slots} slot{'' if target.slots == 1 else 's'})"


@dataclass
class _Places:
    """Where models may be; each server is asked once however many models are looked up."""

    settings: LLMSettings
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    stored: Sequence[ServedModel] = ()
    by_prefix: Mapping[str, ModelProvider] = field(default_factory=dict)
    offline: Collection[str] = ()
    _asked: dict[str, Props] = field(default_factory=dict)
    _lists: dict[str, Listing] = field(default_factory=dict)
    _tags: dict[str, Any] = field(default_factory=dict)
    _checked: set[tuple[str, bool]] = field(default_factory=set)

    def find(self, spec: ModelSpec) -> ModelTarget:
        return self._offline(spec) or self._served(spec)

    def _offline(self, spec: ModelSpec) -> OfflineTarget | None:
        """What asks no model; None: a model's name."""
        if spec.name.startswith(PREFIX):
            return _builtin(spec)
        if spec.name.startswith(("dir:", "run:")):
            return self._folder(spec) if spec.name.startswith("dir:") else self._run(spec)
        solver, _, argument = spec.name.partition(":")
        return OfflineTarget(spec.label, solver, argument) if solver in self.offline else None

    def _served(self, spec: ModelSpec) -> ServedTarget:
        entry = self._entry(spec.name)
        if entry is None:
            return self._with(ModelEntry(), self._look_up(spec))
        if entry.litellm is not None:
            return self._with(entry, self._hosted_target(spec, entry.litellm))
        name = entry.name or self._entry_name(spec.name)
        if entry.base_url is not None:
            return self._with(entry, self._at_its_url(spec, name, api_root(entry.base_url), entry.api_key_env))
        return self._with(entry, self._look_up(spec._replace(name=name)))

    def _look_up(self, spec: ModelSpec) -> ServedTarget:
        prefix, _, name = spec.name.partition(":")
        if name and (provider := self.by_prefix.get(prefix)):
            return _provided(spec.label, provider, name)
        if self.settings.cache == "only" and (known := match(spec.name, self._stored_here)):
            model = _only(spec.name, known)
            assert model is not None
            if "://" in model.base_url:
                return self._openai(spec, model.id, model.base_url)
            return self._hosted_target(spec, model.id)
        return self._at_base_url(spec) if self._base_url else self._somewhere(spec)

    @property
    def _stored_here(self) -> list[ServedModel]:
        """Of the base URL that the user named, if there is one."""
        urls = {self._base_url.rstrip("/"), f"{self._base_url.rstrip('/')}/v1"} if self._base_url else None
        return [model for model in self.stored if urls is None or model.base_url in urls]

    # The models file

    @cached_property
    def _file(self) -> ModelsFile:
        return ModelsFile.read(self.settings.models_file)

    def _entry_name(self, name: str) -> str:
        found = _only(name, match(name, self._file.listed))
        assert found is not None
        return found.id

    def _entry(self, name: str) -> ModelEntry | None:
        found = _only(name, match(name, self._file.listed))
        return self._file.entries[found.id] if found is not None else None

    def _with(self, entry: ModelEntry, target: ServedTarget) -> ServedTarget:
        """What the file says of a model, over what was found; options go over both."""
        if entry.api_key_env and not self.env.get(entry.api_key_env) and self.settings.cache != "only":
            raise OptionError(
                f"model {target.label!r}: the environment variable {entry.api_key_env}, named as api_key_env in the "
                "models file, is not set. Set it, or remove api_key_env."
            )
        key_variable = entry.api_key_env or target.key_variable
        if key_variable and not self.env.get(key_variable) and self.settings.cache != "only":
            raise OptionError(
                f"model {target.label!r}: the environment variable {key_variable}, which holds the key of "
                f"{target.client}, is not set. Set it."
            )
        if problem := unsendable(self.settings.params):
            raise OptionError(f"--llm-param: {problem}")
        self._check_environment(target)
        props = self._props(target, entry)
        made_by = self._made_by(target, entry, props)
        by_slots = props.slots if self.settings.concurrency == SLOTS else None
        concurrency = by_slots or self._in_flight or entry.slots or target.concurrency
        return replace(
            target,
            concurrency=concurrency,
            params={**entry.sent_params, **self.settings.params},
            system_prompt=entry.system_prompt if self.settings.system_prompt is None else self.settings.system_prompt,
            key_variable=key_variable,
            price=entry.usd or target.price,
            context=entry.context or props.context,
            slots=props.slots,
            routes=props.routes or target.routes,
            made_by=made_by,
            metadata={**entry.metadata, **target.metadata, **props.metadata},
        )

    @property
    def _in_flight(self) -> int | None:
        """The number that the user gave; None: none."""
        return self.settings.concurrency if isinstance(self.settings.concurrency, int) else None

    def _made_by(self, target: ServedTarget, entry: ModelEntry, props: Props) -> dict[str, Any] | None:
        """What answers, as the server tells it; where it tells nothing, as its preset file does. None: not asked."""
        if target.client != "openai" or target.base_url is None:
            return {}
        if target.problem or self.settings.cache == "only":
            return None
        if props.loading:
            return LOADING
        told = {**(target.made_by or {}), **props.made_by}
        return told or ({"preset": identity_of(entry.preset)} if entry.preset else {})

    def _check_environment(self, target: ServedTarget) -> None:
        """Refuse a proxy or certificate of the environment that no client of ours can be made with."""
        if target.client not in LOOKED_UP or self.settings.cache == "only":
            return
        url = target.base_url or _HOSTED_URL
        place = (urlsplit(url).scheme, is_near(url))
        if place not in self._checked:
            self._checked.add(place)
            check_environment(url)

    def _props(self, target: ServedTarget, entry: ModelEntry) -> Props:
        """Of a server in a private network that did answer."""
        unasked = target.problem or self.settings.cache == "only"
        if target.base_url is None or unasked or not is_near(target.base_url):
            return Props()
        if target.base_url not in self._asked:
            key = self.env.get(entry.api_key_env or ("OPENAI_API_KEY" if self._base_url and not entry.base_url else ""))
            self._asked[target.base_url] = ask_props(target.base_url, key)
        return self._asked[target.base_url]

    def _folder(self, spec: ModelSpec) -> OfflineTarget:
        path = (self.cwd / Path(spec.name.removeprefix("dir:")).expanduser()).resolve()
        if not isdir(path):
            raise OptionError(
                f"model {spec.name!r}: {path} is not a directory. Give a directory of replies, one per task."
            )
        return OfflineTarget(spec.label, "dir", str(path))

    def _run(self, spec: ModelSpec) -> OfflineTarget:
        path = (self.cwd / Path(spec.name.removeprefix("run:")).expanduser()).resolve()
        if spec.label == spec.name:
            raise OptionError(f"model {spec.name!r}: names no model of that run. Write --llm-model=MODEL={spec.name}")
        if not isfile(path / HEADER):
            raise OptionError(
                f"model {spec.name!r}: {path} is not a run folder. Give one, such as those in .llmbench/runs."
            )
        return OfflineTarget(spec.label, "run", str(path))

    # The base URL of an entry

    def _at_its_url(self, spec: ModelSpec, name: str, base_url: str, key_variable: str | None) -> ServedTarget:
        """The model as it is named; a server nearby is looked at for what it tells of it, and needs no list."""
        if self.settings.cache == "only" or not is_near(base_url):
            return self._openai(spec, name, base_url)
        if base_url not in self._lists:
            self._lists[base_url] = listing(base_url, self.env.get(key_variable) if key_variable else None)
        found = [model for model in self._lists[base_url].models or () if name in model.names]
        return (
            self._known(self._openai(spec, name, base_url), found[0]) if found else self._openai(spec, name, base_url)
        )

    def _known(self, target: ServedTarget, model: ServedModel) -> ServedTarget:
        """The target with what the list tells of its model."""
        told = dict(model.told)
        if model.owner == _OLLAMA and is_near(model.base_url):
            if model.base_url not in self._tags:
                self._tags[model.base_url] = ask_tags(model.base_url)
            told = of_tags(self._tags[model.base_url], model.id)
        metadata = {"preset": dict(model.settings)} if model.settings else {}
        return replace(target, made_by=told, metadata=metadata, routes=bool(model.state), aliases=model.aliases)

    # A base URL that the user named

    @property
    def _base_url(self) -> str | None:
        return self.settings.base_url or self.env.get("OPENAI_BASE_URL")

    @cached_property
    def _listing(self) -> Listing:
        return listing(self._base_url or "", self.env.get("OPENAI_API_KEY"))

    def _at_base_url(self, spec: ModelSpec) -> ServedTarget:
        listing = self._listing
        if listing.problem:
            remedy = listing.remedy or "Start the server, or give another --llm-base-url."
            problem = f"{listing.problem}. {remedy}"
            return self._openai(spec, spec.name, listing.base_url, problem)
        if listing.models is None:
            return self._openai(spec, spec.name, listing.base_url)
        model = _only(spec.name, match(spec.name, listing.models))
        if model is None:
            served = [served.id for served in listing.models]
            raise OptionError(
                f"model {spec.name!r} is not served at {listing.base_url}.{_near(spec.name, served)} {_served(served)} "
                "If the endpoint takes names that it does not list, write a table for this one in llmbench.toml, with "
                "base_url and name."
            )
        return self._known(self._openai(spec, model.id, listing.base_url), model)

    # Without one

    @cached_property
    def _running(self) -> list[Listing]:
        return probe(self.env)

    @cached_property
    def _table(self) -> PriceTable:
        return PriceTable.installed()

    @cached_property
    def _hosted(self) -> dict[str, str]:
        return self._table.providers

    def _somewhere(self, spec: ModelSpec) -> ServedTarget:
        served = [model for listing in self._running for model in listing.models or ()]
        model = _only(spec.name, match(spec.name, served))
        if model is not None:
            target = self._known(self._openai(spec, model.id, model.base_url), model)
            return replace(target, passed_over=self._passed_over)
        if self._provider(spec.name):
            return replace(self._hosted_target(spec, spec.name), passed_over=self._passed_over)
        raise OptionError(self._not_found(spec.name, served))

    @property
    def _passed_over(self) -> tuple[str, ...]:
        return tuple(listing.problem for listing in self._running if listing.problem)

    def _provider(self, name: str) -> str | None:
        """Who answers for a hosted model; None: nobody known."""
        provider, _, rest = name.partition("/")
        return provider if rest and provider in self._hosted.values() else self._hosted.get(name)

    def _hosted_target(self, spec: ModelSpec, name: str) -> ServedTarget:
        provider = self._provider(name)
        if provider is None:
            raise OptionError(
                f"model {spec.name!r}: {name!r} is not in litellm's table of hosted models. Write PROVIDER/NAME."
            )
        return ServedTarget(
            spec.label,
            "litellm",
            name,
            "litellm",
            f"litellm:{name}",
            concurrency=self._in_flight or HOSTED_CONCURRENCY,
            provider=provider,
            price=self._table.price(name),
        )

    @property
    def _stored_names(self) -> str:
        """What could be meant where only stored replies count; empty elsewhere."""
        if self.settings.cache != "only":
            return ""
        names = [str(model) for model in self._stored_here]
        return f" Replies are stored of: {', '.join(names[:_LONGEST_LIST])}." if names else " No replies are stored."

    def _not_found(self, name: str, served: Sequence[ServedModel]) -> str:
        asked = ", ".join(probed_urls(self.env)) or "none"
        running = ", ".join(listing.base_url for listing in self._running if not listing.problem) or "none"
        passed_over = "".join(f" {each}." for each in self._passed_over)
        listed = [model.id for model in self._file.listed]
        known = list(dict.fromkeys([*listed, *(model.id for model in served), *self._hosted, *BUILTINS]))
        file = f"Not in the models file {self._file.path}. " if self._file.path else ""
        return (
            f"model {name!r} was not found. {file}"
            f"Servers asked on this machine: {asked}; answered: {running}.{passed_over} "
            f"Not in litellm's table of hosted models.{_near(name, known)} "
            f"{_served([str(model) for model in served]) if served else ''}{self._stored_names}"
        ).rstrip() + " Start its server, name it with --llm-base-url=URL, or write PROVIDER/NAME for a hosted model."

    def _openai(self, spec: ModelSpec, name: str, base_url: str, problem: str = "") -> ServedTarget:
        concurrency = self._in_flight or (1 if problem or is_private(base_url) else HOSTED_CONCURRENCY)
        return ServedTarget(
            spec.label,
            "openai",
            name,
            base_url,
            base_url,
            base_url,
            concurrency=concurrency,
            problem=problem,
        )


def _provided(label: str, provider: ModelProvider, name: str) -> ServedTarget:
    """The target of ``PROVIDER:NAME``."""
    return ServedTarget(
        label,
        provider.name,
        name,
        provider.name,
        f"{provider.name}:{name}",
        concurrency=provider.concurrency,
        key_variable=provider.key_variable,
    )


def _builtin(spec: ModelSpec) -> OfflineTarget:
    if spec.name not in BUILTINS:
        near = _near(spec.name, BUILTINS)
        raise OptionError(f"model {spec.name!r} is not built in.{near} Choose from: {', '.join(BUILTINS)}.")
    return replace(own_files(spec.name), label=spec.label)


def _only(name: str, found: Sequence[ServedModel]) -> ServedModel | None:
    """The one model found, or None; several are an error."""
    if len(found) > 1:
        raise OptionError(
            f"model {name!r} is ambiguous ({', '.join(map(str, found))}). Use a full name, "
            "and --llm-base-url=URL if several servers have it."
        )
    return found[0] if found else None


def _near(name: str, known: Sequence[str]) -> str:
    close = nearest(name, known)
    return f" Similar names: {', '.join(close)}." if close else ""


def _served(names: Sequence[str]) -> str:
    if not names:
        return "The server has no models."
    rest = len(names) - _LONGEST_LIST
    return f"Served: {', '.join(names[:_LONGEST_LIST])}{f' and {rest} more' if rest > 0 else ''}."
