"""``--llm-list-models``: what can be asked from here, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.models_file import ModelEntry, ModelsFile
from pytest_llmbench.llm.servers import listing, normalized, probe, probed_urls
from pytest_llmbench.schema.settings import LLMSettings


def reachable(settings: LLMSettings, env: Mapping[str, str]) -> Iterator[str]:
    """The models file, the servers that answer, and how hosted models are written. Raises ``OptionError``."""
    file = ModelsFile.read(settings.models_file)
    if file.path is not None:
        yield f"models file {file.path}:"
        for name, entry in file.entries.items():
            yield f"  {name}{_also(entry.aliases)}: {_place(entry)}"
    else:
        yield "models file: none (llmbench.toml in the rootdir, or --llm-models-file=PATH)"
    base_url = settings.base_url or env.get("OPENAI_BASE_URL")
    servers = [listing(base_url, env.get("OPENAI_API_KEY"))] if base_url else []
    named = {_place_of(server.base_url) for server in servers}
    servers += [server for server in probe(env) if _place_of(server.base_url) not in named]
    for server in servers:
        if server.models is None:
            yield f"server {server.base_url}: {server.problem or 'gives no list of its models'}"
            continue
        yield f"server {server.base_url}:"
        for model in server.models:
            yield f"  {model.id}{_also(model.aliases)}{f': {model.state}' if model.state else ''}"
        if server.left_out:
            yield f"  ({server.left_out} more, with names that nobody can type)"
    if not servers:
        places = ", ".join(probed_urls(env)) or "any place asked"
        yield f"servers: none answers at {places} (--llm-base-url=URL names one)"
    yield "hosted models: PROVIDER/NAME as litellm writes them, such as anthropic/NAME"


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
