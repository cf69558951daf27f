"""litellm against a real server. Each scenario is a process of its own, as the import takes seconds and much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from support.server import BAD_KEY, CONTEXT_OVERFLOW, ChatServer, Reply

KEY = "sk-very-secret-key-0123456789"

ASK_ALL = """
import asyncio, json, sys
from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.litellm_client import LiteLLMClient
from pytest_llmbench.schema.attempt import CompletionRequest, Message

async def ask(client, model):
    message = Message(role="user", content="hi")
    params = {"temperature": 0.5} if model.endswith("fine") else {}
    request = CompletionRequest(model=model, endpoint="litellm", messages=(message,), epoch=1, params=params)
    try:
        completion = await client.complete(request, timeout_s=1 if model.endswith("hang") else 30)
    except ModelError as error:
        came = error.completion and error.completion.model_dump()
        return {"failure": error.failure.model_dump(), "retry_after_s": error.retry_after_s, "completion": came}
    return {"completion": completion.model_dump()}

async def main(given):
    assert "litellm" not in sys.modules
    found = {}
    for url, key, models in given:
        client = LiteLLMClient(api_base=url or None, api_key=key or None)
        client.warm_up()
        try:
            found |= {model: await ask(client, model) for model in models}
        finally:
            await client.aclose()
    return found

print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
"""


def ask(*given: tuple[str, str, list[str]]) -> dict[str, dict[str, Any]]:
    """What asking models came to, by base URL, key and names.

    Standard error must stay silent, standard output ours alone.
    """
    env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    command = [sys.executable, "-c", ASK_ALL, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


SCRIPT = {
    "fine": Reply("x = 1", reasoning="hm", timings={"predicted_n": 5}),
    "empty": Reply(""),
    "cut": Reply("x =", finish_reason="length"),
    "key": BAD_KEY,
    "echo": Reply.error(401, f"bad key {KEY}"),
    "long": CONTEXT_OVERFLOW,
    "busy": Reply.plain(429, "slow down", Retry_After="7"),
    "boom": Reply.error(500, "boom"),
    "drop": Reply(ending="drop"),
    "half": Reply("x" * 1000, ending="cut"),
    "garbage": Reply(body="{nope"),
    "hang": Reply(ending="hang"),
}


@pytest.mark.slow
def test_answers_and_errors_of_servers_and_of_none() -> None:
    with ChatServer() as server:
        nobody = server.base_url
    with ChatServer(SCRIPT) as server:
        found = ask(
            (server.base_url, KEY, [f"openai/{name}" for name in [*SCRIPT, "unknown"]]),
            (nobody, KEY, ["openai/m"]),
            ("", "", ["no-such-model", "anthropic/claude-sonnet"]),
        )
        assert server.chat_count == len(SCRIPT) + 1  # nothing was sent twice
        sent = server.requests[0].body
    assert KEY not in json.dumps(found)

    refused = found.pop("openai/m")["failure"]
    assert (refused["kind"], refused["stops_model"]) == ("connection", True)
    assert refused["cause"] == f"connection {nobody} refused"
    for model, kind in (("no-such-model", "bad_request"), ("anthropic/claude-sonnet", "auth")):
        failure = found.pop(model)["failure"]
        assert (failure["kind"], failure["stops_model"]) == (kind, True)
        assert failure["message"].startswith("litellm answered 40")

    found = {name.removeprefix("openai/"): each for name, each in found.items()}

    assert sent == {"model": "fine", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}
    fine = found["fine"]["completion"]
    assert (fine["text"], fine["reasoning"], fine["finish_reason"]) == ("x = 1", "hm", "stop")
    assert fine["usage"]["completion_tokens"] == 4
    assert fine["timings"] == {"predicted_n": 5}
    assert fine["wall_s"] > 0

    kinds = {
        name: (each["failure"]["kind"], each["failure"]["stops_model"])
        for name, each in found.items()
        if name != "fine"
    }
    assert kinds == {
        "empty": ("empty_content", False),
        "cut": ("truncated", False),
        "key": ("auth", True),
        "echo": ("auth", True),
        "long": ("context_overflow", False),
        "busy": ("rate_limited", False),
        "boom": ("server_error", False),
        "drop": ("connection", False),
        "half": ("connection", False),
        "garbage": ("invalid_response", False),
        "hang": ("timeout", False),
        "unknown": ("bad_request", True),
    }
    assert found["busy"]["retry_after_s"] == 7
    assert found["cut"]["completion"]["text"] == "x ="
    assert KEY not in json.dumps(found)
