"""A plugin that adds a sandbox, ``niced``, a model, ``command:PROGRAM``, and a format of tasks, ``calls:FILE``."""

import asyncio
import dataclasses
import json
import shlex

import pytest


@pytest.hookimpl(optionalhook=True)  # where pytest-llmbench is switched off, nobody knows this hook
def pytest_llmbench_sandboxes():
    from pytest_llmbench.sandbox.bubblewrap import Bubblewrap

    class Niced(Bubblewrap):
        name = "niced"

        @classmethod
        def describe(cls):
            return f"niced {super().describe()}"

        def execute(self, launch, bed):
            command = ("nice", "-n", "10", *launch.command)
            return super().execute(dataclasses.replace(launch, command=command), bed)

    return [Niced]


@pytest.hookimpl(optionalhook=True)
def pytest_llmbench_clients():
    from pytest_llmbench.llm.protocols import ModelProvider

    return [ModelProvider("command", Command)]


class Command:
    """A program that reads the prompt and prints the reply."""

    def __init__(self, target, context):
        self.program = shlex.split(target.name)

    async def complete(self, request, *, timeout_s):
        from pytest_llmbench.errors import ModelError
        from pytest_llmbench.schema.attempt import Completion, Failure

        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*self.program, stdin=pipe, stdout=pipe)
        reply, _ = await process.communicate(request.messages[-1].content.encode())
        if process.returncode:
            raise ModelError(Failure(kind="server_error", message=f"exit status {process.returncode}"))
        return Completion(text=reply.decode(), finish_reason="stop")

    async def aclose(self):
        pass


@pytest.hookimpl(optionalhook=True)
def pytest_llmbench_loaders():
    return [Calls()]


class Calls:
    """A task in each line, as JSON: its id, prompt, file and function, and calls with what they return."""

    name = "calls"

    def load(self, path):
        return [self.task(line, json.loads(line)) for line in path.read_text().splitlines()]

    def task(self, line, row):
        from pytest_llmbench.schema.loaded import LoadedPoint, LoadedTask

        def returns(sandbox):
            for arguments, expected in row["calls"]:
                assert sandbox.call(row["file"], row["function"], *arguments).value == expected

        rubric = [LoadedPoint("returns", returns, points=5)]
        known = {"id": row["id"], "prompt_text": row["prompt"], "files": [row["file"]], "toolchains": ["python"]}
        return LoadedTask(**known, rubric=rubric, fingerprint=line)
