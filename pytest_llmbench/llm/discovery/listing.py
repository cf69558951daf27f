"""``--llm-list-models``: what can be asked from here, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import normalized
from pytest_llmbench.llm.discovery.models_file import ModelEntry, ModelsFile
from pytest_llmbench.llm.discovery.servers import Listing, listing, probe, probed_urls
from pytest_llmbench.llm.http_environment import check_environment
from pytest_llmbench.llm.protocols import LOOKED_UP, ModelProvider
from pytest_llmbench.schema.registry import Registry
from pytest_llmbench.schema.settings import LLMSettings


class Source(NamedTuple):
    """One place that models can come from."""

    state: Literal["ok", "none", "failed"]
    """``none``: not there, or not usable, and nobody named it. ``failed``: it was named and cannot be used."""
    lines: tuple[str, ...]
    """What it is, and below it the models that it has."""
    remedy: str = ""


def reachable(settings: LLMSettings, env: Mapping[str, str], providers: Registry[ModelProvider]) -> Iterator[str]:
    """What can be asked from here, line by line. Raises ``OptionError``."""
    for source in sources(settings, env, providers):
        yield from source.lines


def sources(settings: LLMSettings, env: Mapping[str, str], providers: Registry[ModelProvider]) -> Iterator[Source]:
    """The models file, the servers that answer, how hosted models are written, and those of plugins.

    Raises ``OptionError``.
    """
    file = ModelsFile.read(settings.models_file)
    if file.path is not None:
        entries = (f"  {name}{_also(entry.aliases)}: {_place(entry)}" for name, entry in file.entries.items())
        yield Source("ok", (f"models file {file.path}:", *entries))
    else:
        yield Source(
            "none", ("models file: none (create llmbench.toml in the rootdir, or give --llm-models-file=PATH)",)
        )
    base_url = settings.base_url or env.get("OPENAI_BASE_URL")
    servers = [_named(base_url, env.get("OPENAI_API_KEY"))] if base_url else []
    named = {_place_of(server.base_url) for server in servers}
    servers += [server for server in probe(env) if _place_of(server.base_url) not in named]
    yield from (_server(server, named=_place_of(server.base_url) in named) for server in servers)
    if not servers:
        places = ", ".join(probed_urls(env)) or "no place asked"
        yield Source("none", (f"servers: none found (asked: {places}; name another with --llm-base-url=URL)",))
    yield Source("ok", ("hosted models: write PROVIDER/NAME as in litellm, such as anthropic/NAME",))
    for name, (plugin, _) in providers.items():
        if name not in LOOKED_UP:
            yield Source("ok", (f"models of plugin {plugin}: {name}:NAME",))


def _named(base_url: str, api_key: str | None) -> Listing:
    """The list of the base URL; a variable of the environment that keeps it from being asked is its problem."""
    url = normalized(base_url)
    try:
        check_environment(url)
    except OptionError as error:
        return Listing(url, problem=str(error).rstrip("."), remedy="Correct or unset it.")
    return listing(base_url, api_key)


def _server(server: Listing, *, named: bool) -> Source:
    if server.models is None:
        told = f"server {server.base_url}: {server.problem or server.refusal or 'does not list its models'}"
        remedy = server.remedy or "Start it, or name another server."
        return Source("failed", (told,), remedy) if named else Source("none", (told,))
    models = (
        f"  {model.id}{_also(model.aliases)}{f': {model.state}' if model.state else ''}" for model in server.models
    )
    more = (f"  ({server.left_out} more, whose names are too long or not printable)",) if server.left_out else ()
    return Source("ok", (f"server {server.base_url}:", *models, *more))


def _place_of(base_url: str) -> str:
    """A server however it was written: this machine has two names."""
    return base_url.replace("//localhost", "//127.0.0.1", 1).removesuffix("/v1")


def _also(names: Sequence[str]) -> str:
    return f" (also {', '.join(names)})" if names else ""


def _place(entry: ModelEntry) -> str:
    if entry.litellm is not None:
        return f"{entry.litellm} through litellm"
    if entry.base_url is not None:
        try:
            return f"at {normalized(entry.base_url)}"
        except OptionError as error:
            return str(error)
    return "at the server that lists it"
