"""A plugin's client, held to what every client promises: it answers in time, with a completion or a ``ModelError``."""

from __future__ import annotations

import asyncio
from typing import Any

from pytest_llmbench import clock
from pytest_llmbench.errors import HarnessError, ModelError
from pytest_llmbench.llm.protocols import LLMClient
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure
from pytest_llmbench.text import raised


class PluginClient:
    """Asks a plugin's client; what goes wrong in it is a failure of the attempt that names the plugin."""

    def __init__(self, client: LLMClient, where: str) -> None:
        """``where`` names plugin and model."""
        self._client = client
        self._where = where

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
        """Ask once, and measure the time if the client did not. Raises ``ModelError`` or ``HarnessError``."""
        began = clock.monotonic()
        try:
            async with asyncio.timeout(timeout_s) as limit:
                completion: Any = await self._client.complete(request, timeout_s=timeout_s)
        except ModelError:
            raise
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                message = f"{self._where} gave no answer within {timeout_s:g} s"
                raise ModelError(Failure(kind="timeout", message=message, cause=message)) from None
            raise HarnessError(f"{self._where} raised {raised(error)}") from error
        if not isinstance(completion, Completion):
            raise HarnessError(f"{self._where} returned {type(completion).__name__}: a Completion is needed")
        if completion.wall_s is not None:
            return completion
        return completion.model_copy(update={"wall_s": clock.monotonic() - began})

    async def aclose(self) -> None:
        """Close the client's connections."""
        await self._client.aclose()
