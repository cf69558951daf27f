"""Which client asks which target."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping

from pytest_llmbench.llm.base_url import normalized
from pytest_llmbench.llm.credentials.environment import api_key
from pytest_llmbench.llm.protocols import LLMClient, ModelTarget
from pytest_llmbench.schema.settings import LLMSettings

ClientFactory = Callable[[ModelTarget], LLMClient]
"""Makes the client of one queue when its first request is due; called on the event loop's thread."""


def real_clients(settings: LLMSettings, environment: Mapping[str, str] = os.environ) -> ClientFactory:
    """The clients that ask real endpoints, each imported when it is first needed.

    Keys come from ``environment`` when a client is made, and stay inside it. The factory raises ``OptionError`` for
    a base URL or key that cannot be used.
    """

    @functools.cache
    def hosted() -> LLMClient:
        from pytest_llmbench.llm.clients.litellm_client import LiteLLMClient

        client = LiteLLMClient(environment=environment)
        client.warm_up()
        return client

    def make(target: ModelTarget) -> LLMClient:
        if target.kind == "litellm":
            api_key(target.provider, environment)  # one that cannot be sent is refused before anything is sent
            return hosted()
        from pytest_llmbench.llm.clients.openai_client import OpenAIClient

        return OpenAIClient(
            target.base_url or "",
            _key(target, settings, environment),
            connect_s=settings.connect_s,
            first_byte_s=settings.first_byte_s,
            silence_s=settings.silence_s,
        )

    return make


def _key(target: ModelTarget, settings: LLMSettings, environment: Mapping[str, str]) -> str | None:
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
