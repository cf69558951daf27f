"""Hosted models through litellm, which knows every provider's ways. Imported on first use: it takes seconds."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from pytest_llmbench import clock
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.chat_response import Answer
from pytest_llmbench.llm.credentials.environment import api_key as key_of
from pytest_llmbench.llm.credentials.secret_forms import hide, written_forms
from pytest_llmbench.llm.failures.connection import invalid_failure, timeout_failure, transport_failure
from pytest_llmbench.llm.failures.http_errors import http_failure
from pytest_llmbench.llm.failures.pauses import asked_pause_s
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure
from pytest_llmbench.text import one_line

_SECRET_ENDINGS = ("_API_KEY", "_KEY", "_TOKEN", "_SECRET")


class LiteLLMClient:
    """Asks a model by its litellm name, such as ``anthropic/claude-...``.

    Never by stream: litellm ends a stream that broke off with a ``finish_reason`` of its own making.
    """

    def __init__(
        self,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """The first two are for a provider reached at another place than its usual one.

        ``environment``: where keys are found; litellm is given the one that it needs.
        """
        self._environment = environment
        self._target = {
            name: value for name, value in (("api_base", api_base), ("api_key", api_key)) if value is not None
        }
        self._endpoint = (api_base or "litellm").rpartition("@")[2]
        self._loaded: Future[Any] | None = None

    def __repr__(self) -> str:
        return f"LiteLLMClient({self._endpoint!r})"

    def warm_up(self) -> None:
        """Begin to import litellm, ahead of its first use, and return at once."""
        self._load()

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Completion:
        """Send the request once and read the whole answer; raises ``ModelError``. Never retries."""
        litellm = await asyncio.wrap_future(self._load())
        asked = request.model_dump(mode="json", include={"messages", "params"})
        began, started = clock.monotonic(), clock.now().isoformat(timespec="milliseconds")
        try:
            async with asyncio.timeout(timeout_s):
                response = await litellm.acompletion(
                    **asked["params"],
                    **{**self._key(litellm, request.model), **self._target},
                    model=request.model,
                    messages=asked["messages"],
                    timeout=timeout_s,
                    num_retries=0,
                    max_retries=0,
                )
        except TimeoutError as error:
            waited_s = clock.monotonic() - began
            raise ModelError(timeout_failure(self._endpoint, limit_s=timeout_s, waited_s=waited_s)) from error
        except Exception as error:
            waited_s = clock.monotonic() - began
            failure = self._failure(error, request.model, timeout_s, waited_s)
            raise ModelError(failure, retry_after_s=_asked_pause_s(error)) from error
        wall_s = clock.monotonic() - began
        answer = Answer()
        try:
            # Through the same guard as what is read directly: litellm hands on whatever the server said.
            said = json.dumps(response.model_dump(), default=str)
            answer.feed(read_json(said))
        except (ValueError, RecursionError) as error:
            what = f"gave an answer that cannot be read ({type(error).__name__})"
            raise ModelError(invalid_failure(self._endpoint, what, "")) from error
        if not answer.choices:
            raise ModelError(invalid_failure(self._endpoint, "answered without a choice", said))
        return await asyncio.to_thread(
            answer.completion, request, endpoint=self._endpoint, wall_s=wall_s, started=started
        )

    async def aclose(self) -> None:
        """Close the connections that litellm keeps for this event loop."""
        if self._loaded is not None and self._loaded.done():
            await self._loaded.result().close_litellm_async_clients()

    def _load(self) -> Future[Any]:
        """The module, being imported on a daemon thread: a session that ends meanwhile does not wait for it."""
        if self._loaded is None:
            self._loaded = Future()
            self._loaded.set_running_or_notify_cancel()  # from now on a waiter's end does not cancel it
            threading.Thread(target=_fulfil, args=(self._loaded,), name="llmbench-litellm", daemon=True).start()
        return self._loaded

    def _key(self, litellm: Any, model: str) -> dict[str, str]:
        """The key's argument, if there is a key; raises what litellm raises for a model it does not know."""
        provider = litellm.get_llm_provider(model, api_base=self._target.get("api_base"))[1]
        key = key_of(provider, self._environment)
        return {"api_key": key} if key is not None else {}

    def _failure(self, error: Exception, model: str, timeout_s: float, waited_s: float) -> Failure:
        """Classify what litellm raised: mostly openai's exception classes, and whatever slips through."""
        import openai

        said = hide(str(error), written_forms([*self._target.values(), *_secrets(self._environment)]))
        if isinstance(error, openai.APITimeoutError):
            return timeout_failure(self._endpoint, limit_s=timeout_s, waited_s=waited_s)
        # A refused connection is a status 500 in litellm; what lies behind it tells more.
        if failure := transport_failure(error, endpoint=self._endpoint):
            return failure
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.OpenAIError) and isinstance(status, int):
            pause_s = _asked_pause_s(error)
            return http_failure(status, said, endpoint=self._endpoint, model=model, pause_s=pause_s)
        what = f"gave an answer that litellm cannot read ({type(error).__name__}: {one_line(said)})"
        return invalid_failure(self._endpoint, what, said)


def _fulfil(loaded: Future[Any]) -> None:
    """Import litellm for whoever waits."""
    try:
        loaded.set_result(_litellm())
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        loaded.set_exception(error)


def _litellm() -> Any:
    """The module, set up to be silent and never to call home."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # read at import: otherwise it asks the network
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False  # a parameter that a provider does not know is an error, not a different benchmark
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Both load much of themselves at the first request only, and that second would count as the first model's time.
    import openai.resources.chat  # noqa: F401 - for its effect

    litellm.completion(model="openai/none", messages=[{"role": "user", "content": ""}], mock_response="warm")
    return litellm


def _asked_pause_s(error: Exception) -> float | None:
    headers = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", None
    )
    return asked_pause_s(headers or {}, str(error))


def _secrets(environment: Mapping[str, str]) -> list[str]:
    """Values of environment variables that providers' keys are read from."""
    return [value for name, value in environment.items() if name.endswith(_SECRET_ENDINGS)]
