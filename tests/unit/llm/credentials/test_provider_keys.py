"""Our names of variables against the litellm that is installed, in a process of its own: it takes seconds to load."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from typing import Any

import pytest

from pytest_llmbench.llm.credentials.provider_keys import CREDENTIALS, FOR_MODELS_ONLY, KEYS, OF_WIDER_USE, keys_of

KEY = "sk-canary-0123456789abcdef"

LOOK = r"""
import asyncio, json, os, socket, sys
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import httpx
import litellm

key, *providers = sys.argv[1:]
litellm.suppress_debug_info = True
names, sent = set(), []

class Environment(type(os.environ)):
    def __getitem__(self, name):
        names.add(name)
        return super().__getitem__(name)

os.environ.__class__ = Environment

class Seen(BaseException):
    "Nothing that a client would try again after."

def note(request):
    sent.append(key in f"{request.headers.raw}{request.url}{getattr(request, '_content', '')}")
    raise Seen if sent[-1] else httpx.ConnectError("no network here", request=request)

async def asynchronously(self, request, **_):
    note(request)

def synchronously(self, request, **_):
    note(request)

def nowhere(*_, **__):
    raise socket.gaierror("no network here")

socket.getaddrinfo = nowhere
httpx.AsyncClient.send, httpx.Client.send = asynchronously, synchronously

def read(provider):
    "Variables that litellm looks at to find a provider's key, or says are missing."
    names.clear()
    told = []
    try:
        litellm.get_llm_provider(f"{provider}/m")
        told = litellm.validate_environment(f"{provider}/m")["missing_keys"]
    except Exception:
        pass
    return sorted({*names, *told})

async def handed_over(provider):
    "Whether a key given as an argument is sent; None: nothing was sent at all."
    sent.clear()
    more = {} if provider == "gemini" else {"api_base": "https://h.invalid/v1"}
    try:
        asked = litellm.acompletion(
            model=f"{provider}/m", messages=[{"role": "user", "content": "hi"}], api_key=key, api_version="1",
            num_retries=0, max_retries=0, timeout=5, **more,
        )
        await asyncio.wait_for(asked, 5)
    except BaseException:
        pass
    return any(sent) if sent else None

async def main():
    table = json.loads((Path(litellm.__file__).parent / "llms/openai_like/providers.json").read_text())
    known = {getattr(each, "value", each) for each in litellm.provider_list} - {"chatgpt", "github_copilot"}
    read_by = {each: read(each) for each in sorted(known)}
    for each, entry in table.items():
        read_by.setdefault(each, []).append(entry.get("api_key_env", ""))
    print(json.dumps({"read": read_by, "sent": {each: await handed_over(each) for each in providers}}))

asyncio.run(main())
"""

COMPARED_WITH = (1, 110)
"""The newest litellm that the table was compared with. It gains providers every few days: a later one may be ahead."""
NO_KEYS = {"OPENAI_WEBHOOK_SECRET"}
"""Looked at, but nothing that a model is asked with."""

ELSEWHERE = {
    "aiohttp_openai": "sends in its own way",
    "aleph_alpha": "is gone",
    "anyscale": "is gone",
    "clarifai": "needs a name of three parts",
    "fal_ai": "makes images",
    "gdc": "needs google's packages",
    "gradient_ai": "takes no max_retries",
    "infinity": "ranks documents",
    "jina_ai": "makes embeddings",
    "manus": "runs agents",
    "nvidia_riva": "hears",
    "openai_like": "is a base of others",
    "palm": "is gone",
    "predibase": "needs a tenant",
    "ragflow": "needs a name of three parts",
    "soniox": "hears",
    "voyage": "makes embeddings",
    "watsonx": "needs a project",
}
"""Providers of ``KEYS`` that send nothing in this test, and why."""


@cache
def litellm() -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-c", LOOK, KEY, *KEYS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_every_variable_that_litellm_reads_a_key_from_is_known() -> None:
    endings = ("_API_KEY", "_APIKEY", "_KEY", "_TOKEN", "_SECRET", "_JWT", "_CREDENTIALS", "_PASSWORD")
    known = {*FOR_MODELS_ONLY, *OF_WIDER_USE, *NO_KEYS, *(name for names in CREDENTIALS.values() for name in names)}
    read = litellm()["read"]
    unknown = {
        provider: names
        for provider, all_names in read.items()
        if (names := [n for n in all_names if n.endswith(endings) and n not in {*known, *keys_of(provider)}])
    }
    if unknown and tuple(map(int, version("litellm").split(".")[:2])) > COMPARED_WITH:
        pytest.skip(f"litellm {version('litellm')} is newer than the table, which lacks {unknown}")
    assert unknown == {}, "add them to key_names.py"
    assert len(read) > 100


def test_a_key_handed_over_is_sent() -> None:
    found = litellm()
    sent = found["sent"]
    newer = sent.keys() - found["read"].keys()
    """Providers that this litellm does not have yet."""
    assert {provider for provider, arrived in sent.items() if arrived is False} <= newer
    assert {provider for provider, arrived in sent.items() if arrived is None} <= set(ELSEWHERE) | newer
    assert sent["openai"]
    assert sent["anthropic"]
    assert sent["gemini"]


def test_a_provider_that_is_newer_than_the_table_is_taken_to_be_named_plainly() -> None:
    assert keys_of("brand-new") == ("BRAND_NEW_API_KEY",)
    assert keys_of("github") == ("GITHUB_API_KEY",)


def test_no_variable_is_of_two_sorts() -> None:
    assert not FOR_MODELS_ONLY & OF_WIDER_USE
    assert {name for names in KEYS.values() for name in names} >= OF_WIDER_USE
