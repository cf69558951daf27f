"""A whole session against servers that answer as they like, and what must hold of it whatever they do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support.bench import ADD_REPLY, Bench, Run
from support.evil import obeyed
from support.raw_server import END, Asked, Bytes, RawServer, head, said

from pytest_llmbench.runs.results import load_results
from pytest_llmbench.schema.numbers import MOST
from pytest_llmbench.store.run_dir import RunDir

_TASK = """\
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", suite="tests", points=4, floor=1, files=["add.py"], prompt_text="Add.")


@pytest.mark.rubric("adds", points=4)
def test_adds(submission):
    assert submission.files["add.py"] == "def add(a, b):\\n    return a + b\\n"
"""
"""Runs nothing: what a reply does is no business of these tests."""

HONEST = "honest"
"""Name of the model that answers as it should, beside all the others."""


def ask_all(
    bench: Bench, answers: Mapping[str, Callable[[], Bytes]], *options: object, timeout_s: float = 300, **env: str
) -> Run:
    """Run one task for a model of each name, and for an honest one first and last; each has a base URL of its own."""
    bench.task("add", _TASK)
    names = [HONEST, *answers, f"{HONEST}-2"]

    def answer(asked: Asked) -> Bytes:
        name = asked.path.split("/")[1]
        if asked.method != "POST":
            return head("404 Not Found", Content_Length=0)
        return answers[name]() if name in answers else head() + said(ADD_REPLY) + END

    with RawServer(answer) as server:
        entries = "".join(f'[models."{name}"]\nbase_url = "{server.url}/{name}/v1"\n' for name in names)
        bench.file("llmbench.toml", entries)
        return bench.run(
            f"--llm-model={','.join(names)}", "--llm-sandbox=none", "--tb=line", *options, timeout_s=timeout_s, **env
        )


def check(run: Run) -> dict[str, dict[str, Any]]:
    """That it came to its end with everything in it; the attempts by model."""
    assert run.exit in (0, 1), run.out[-3000:] + run.err[-3000:]
    for text in (run.out, run.err):
        assert "INTERNALERROR" not in text
        assert "Traceback" not in text, text[-3000:]
        assert not list(obeyed(text.encode(errors="surrogatepass")))
    results = strictly((run.folder / "results.json").read_text(encoding="utf-8"))
    assert all(-MOST <= number <= MOST for number in numbers(results["attempts"]))
    attempts = {each["model"]: each for each in results["attempts"]}
    assert len(attempts) == len(results["attempts"]) == len(results["models"])
    assert {each["status"] for each in attempts.values()} <= {"scored", "error"}
    harness = [each["error"] for each in attempts.values() if each["error"] and each["error"]["kind"] == "grader"]
    assert not harness, f"what a server does is no fault of ours: {harness}"
    for name in (HONEST, f"{HONEST}-2"):
        assert (attempts[name]["status"], attempts[name]["points"]) == ("scored", 4)
    again = load_results(RunDir(run.folder))
    assert [each.points for each in again.attempts] == [each["points"] for each in results["attempts"]]
    return attempts


def strictly(text: str) -> Any:
    """JSON as others read it: no NaN, no lone surrogates."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    value = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def numbers(value: Any) -> Iterator[float]:
    """Every number in a JSON value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value
