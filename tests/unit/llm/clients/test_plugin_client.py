"""What a plugin's client is held to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pytest_llmbench.errors import HarnessError, ModelError, OptionError
from pytest_llmbench.llm.clients.factory import OURS, own_providers, provider_registry, real_clients
from pytest_llmbench.llm.clients.plugin_client import PluginClient
from pytest_llmbench.llm.protocols import ModelProvider
from pytest_llmbench.llm.targets import ServedTarget
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure
from pytest_llmbench.schema.settings import LLMSettings

REQUEST = CompletionRequest(model="one", endpoint="echo", messages=(), epoch=1)
TARGET = ServedTarget("echo:one", "echo", "one", "echo")


class Client:
    """Answers with a given thing, or raises it."""

    def __init__(self, answer: Any, pause_s: float = 0.0) -> None:
        self.answer, self.pause_s, self.closed = answer, pause_s, False

    async def complete(self, request: CompletionRequest, *, timeout_s: float) -> Any:
        await asyncio.sleep(self.pause_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


def ask(client: Client, timeout_s: float = 10.0) -> Completion:
    return asyncio.run(PluginClient(client, "plugin p: the client").complete(REQUEST, timeout_s=timeout_s))


def test_a_completion_gets_the_time_that_its_client_did_not_measure() -> None:
    assert ask(Client(Completion(text="a"), 0.02)).wall_s >= 0.02
    assert ask(Client(Completion(text="a", wall_s=7.0))).wall_s == 7.0


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    with pytest.raises(ModelError, match=r"plugin p: the client gave no answer within 0\.01 s") as raised:
        ask(Client(Completion(text="a"), 5.0), timeout_s=0.01)
    assert raised.value.failure.kind == "timeout"


def test_a_failure_of_the_model_stays_one() -> None:
    failure = Failure(kind="rate_limited", message="later")
    with pytest.raises(ModelError) as raised:
        ask(Client(ModelError(failure)))
    assert raised.value.failure is failure


@pytest.mark.parametrize("answer", [ValueError("x"), TimeoutError("x"), "text", None], ids=repr)
def test_whatever_else_is_a_fault_that_names_the_plugin(answer: Any) -> None:
    with pytest.raises(HarnessError, match=r"plugin p: the client (raised|returned) "):
        ask(Client(answer))


def test_the_factory_holds_plugins_to_it_and_leaves_ours_alone() -> None:
    made = Client(Completion(text="a"))
    entries = [(OURS, each) for each in own_providers()] + [("p", ModelProvider("echo", lambda target, context: made))]
    make = real_clients(LLMSettings(), provider_registry(entries), {})
    client = make(TARGET)
    assert isinstance(client, PluginClient)
    asyncio.run(client.aclose())
    assert made.closed
    url = "http://127.0.0.1:1/v1"
    assert not isinstance(make(ServedTarget("m", "openai", "m", url, url, url)), PluginClient)


@pytest.mark.parametrize(
    ("more", "said"),
    [({"concurrency": 0}, "concurrency"), ({"concurrency": "2"}, "concurrency"), ({"key_variable": 1}, "key_variable")],
)
def test_a_provider_with_a_wrong_value_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=f"plugin p: .* is not a model provider: its {said}"):
        provider_registry([("p", ModelProvider("echo", Client, **more))])
