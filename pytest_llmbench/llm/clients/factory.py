"""Which client asks which target: ours, and those that plugins add, by the provider that the target names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pytest_llmbench.errors import LLMBenchError, OptionError
from pytest_llmbench.llm.base_url import normalized
from pytest_llmbench.llm.clients.plugin_client import PluginClient
from pytest_llmbench.llm.credentials.environment import api_key
from pytest_llmbench.llm.protocols import RESERVED_PREFIXES, ClientContext, LLMClient, ModelProvider
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.registry import OURS, Registered, Registry, make_registry
from pytest_llmbench.schema.settings import LLMSettings

ClientFactory = Callable[[ServedTarget], LLMClient]
"""Makes the client of one queue when its first request is due; called on the event loop's thread."""
Providers = Registry[ModelProvider]
_METHODS = ("complete", "aclose")


def own_providers() -> tuple[ModelProvider, ...]:
    """Endpoints that speak OpenAI's protocol, and litellm; their models are looked up and need no prefix."""
    return ModelProvider("openai", _openai), ModelProvider("litellm", _LiteLLM())


def provider_registry(entries: Iterable[tuple[str, Any]]) -> Providers:
    """The registry of providers, from (plugin, value) pairs. Raises ``OptionError``."""
    return make_registry("model provider", entries, _problem_of, reserved=RESERVED_PREFIXES)


def own_registry() -> Providers:
    """The registry of those that come with this package."""
    return provider_registry((OURS, each) for each in own_providers())


def real_clients(
    settings: LLMSettings, providers: Providers | None = None, environment: Mapping[str, str] = os.environ
) -> ClientFactory:
    """The clients that ask real endpoints, each imported when it is first needed.

    ``providers``: the registered ones, or ours alone. Keys come from ``environment`` when a client is made, and stay
    inside it. The factory raises ``OptionError`` for a base URL or key that cannot be used, and for a plugin's client
    that cannot be made or is none.
    """
    known = own_registry() if providers is None else providers
    context = ClientContext(settings, environment)
    return lambda target: _made(known[target.client], target, context)


def _made(provider: Registered[ModelProvider], target: ServedTarget, context: ClientContext) -> LLMClient:
    where = f"plugin {provider.plugin}: the client of {target.label!r}"
    try:
        client = provider.value.client(target, context)
    except LLMBenchError:
        raise
    except Exception as error:
        raise OptionError(f"{where} cannot be made: {type(error).__name__}: {error}.") from error
    missing = [name for name in _METHODS if not callable(getattr(client, name, None))]
    if missing:
        raise OptionError(f"{where} lacks {', '.join(missing)}.")
    return client if provider.plugin == OURS else PluginClient(client, where)


def _problem_of(value: Any) -> str:
    """Why a plugin's value is not a provider; empty: it is."""
    if not isinstance(value, ModelProvider):
        return "give a ModelProvider"
    if not callable(value.client):
        return "its client cannot be called"
    concurrency: Any = value.concurrency
    if not isinstance(concurrency, int) or concurrency < 1:
        return "its concurrency must be a whole number of at least 1"
    key_variable: Any = value.key_variable
    if key_variable is not None and not isinstance(key_variable, str):
        return "its key_variable must be the name of an environment variable, or None"
    return ""


def _openai(target: ServedTarget, context: ClientContext) -> LLMClient:
    from pytest_llmbench.llm.clients.openai_client import OpenAIClient

    settings = context.settings
    return OpenAIClient(
        target.base_url or "",
        _key(target, settings, context.environment),
        connect_s=settings.connect_s,
        first_byte_s=settings.first_byte_s,
        silence_s=settings.silence_s,
    )


class _LiteLLM:
    """One client for all hosted models of a session."""

    def __init__(self) -> None:
        self._client: LLMClient | None = None

    def __call__(self, target: ServedTarget, context: ClientContext) -> LLMClient:
        api_key(target.provider, context.environment)  # one that cannot be sent is refused before anything is sent
        if self._client is None:
            from pytest_llmbench.llm.clients.litellm_client import LiteLLMClient

            client = LiteLLMClient(environment=context.environment)
            client.warm_up()
            self._client = client
        return self._client


def _key(target: ServedTarget, settings: LLMSettings, environment: Mapping[str, str]) -> str | None:
    """The models file's key of an endpoint; else ``OPENAI_API_KEY``, for the endpoint that the user named alone.

    A server that was found on a port of this machine, or that the models file names, gets no key meant for another.
    """
    if target.key_variable is not None:
        return environment.get(target.key_variable)
    named = settings.base_url or environment.get("OPENAI_BASE_URL")
    if not named:
        return None
    url = normalized(named)
    return environment.get("OPENAI_API_KEY") if target.base_url in (url, f"{url}/v1") else None
