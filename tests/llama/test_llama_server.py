"""The whole way against a real llama-server that holds one model at a time; each model says one text.

Needs a llama-server and the package gguf: ``tox -e llama`` has both.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bench import ADD_REPLY, TASK, WRONG_REPLY, Bench
from support.build_llama_server import program

if not program().exists():
    pytest.skip("no llama-server was built: tox -e llama", allow_module_level=True)
pytest.importorskip("gguf")

from support.tiny_models import THINKING, Script, write_model

SCRIPTS = {
    "right": Script([ADD_REPLY]),
    "wrong": Script([WRONG_REPLY]),
    "thinks": Script(["<think>", "a sum,", " I think", "</think>", ADD_REPLY], template=THINKING),
    "only-thinks": Script(["<think>", "all of it", " stays here", "</think>"], template=THINKING),
    "silent": Script([]),
    "endless": Script(["again", " and", " again, "], ends=False),
    "channels": Script(["<|channel|>", "analysis", "<|message|>", "a sum", "<|start|>", "assistant", ADD_REPLY]),
    "narrow": Script([ADD_REPLY]),
}
PRESET = {"narrow": "c = 256\n"}
"""Of a model into whose context the prompt does not fit."""
ENDS = {
    "right": ("scored", 4.0, None),
    "wrong": ("scored", 1.0, None),
    "thinks": ("scored", 4.0, None),
    "only-thinks": ("error", 0.0, "reasoning_only"),
    "silent": ("error", 0.0, "empty_content"),
    "endless": ("error", 0.0, "truncated"),
    "channels": ("error", 0.0, "unparsed_format"),
    "narrow": ("error", 0.0, "context_overflow"),
    "broken": ("error", 0.0, "server_error"),
}


class Router:
    """A running llama-server in router mode."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log

    def loads(self, model: str) -> int:
        """How often it started the process of a model."""
        return sum("spawn" in line and f"name={model}" in line for line in self._log.read_text().splitlines())


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    folder = tmp_path_factory.mktemp("llama")
    preset = "version = 1\n\n[*]\nc = 1024\nn-predict = 200\nthreads = 1\n"
    for name, script in SCRIPTS.items():
        write_model(folder / f"{name}.gguf", script)
        preset += f"\n[{name}]\nmodel = {folder / name}.gguf\n{PRESET.get(name, '')}"
    (folder / "broken.gguf").write_bytes(b"GGUF and nothing more")
    preset += f"\n[broken]\nmodel = {folder / 'broken.gguf'}\n"
    (folder / "preset.ini").write_text(preset)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "log"
    command = [program(), "--models-preset", folder / "preset.ini", "--models-max", "1", "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", log)
            yield Router(f"http://127.0.0.1:{port}/v1", log)
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text()[-2000:])


def test_each_model_ends_as_it_must_and_is_loaded_once(bench: Bench, router: Router) -> None:
    for task in ("one", "two"):
        bench.task(task, TASK.replace("please. ", f"please. {'It adds. ' * 40}"))
    before = {model: router.loads(model) for model in ENDS}
    run = bench.run(
        *("tasks", "-n2", f"--llm-base-url={router.url}", "--llm-epochs=2", f"--llm-model={','.join(ENDS)}"),
        timeout_s=300,
    )
    for model, (status, points, kind) in ENDS.items():
        for task in ("one", "two"):
            for epoch in (1, 2):
                attempt = run.attempt(task, model, epoch)
                error = attempt["error"] and attempt["error"]["kind"]
                assert (attempt["status"], attempt["points"], error) == (status, points, kind), (model, attempt)
    loads = {model: router.loads(model) - before[model] for model in SCRIPTS}
    assert loads == dict.fromkeys(SCRIPTS, 1)
    timings = run.attempt("one", "right")["timings"]
    assert timings["predicted_n"] >= 1
    assert run.attempt("one", "thinks")["usage"]["completion_tokens"] > 1
