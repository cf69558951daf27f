"""A plugin that adds a sandbox backend, ``niced``, and a model client, ``command:PROGRAM``."""

import asyncio
import dataclasses
import shlex

import pytest

NICENESS = "10"


@pytest.hookimpl(optionalhook=True)  # where pytest-llmbench is switched off, nobody knows this hook
def pytest_llmbench_sandboxes():
    """``--llm-sandbox=niced``: bubblewrap, and every command leaves the CPUs to whoever else wants them."""
    from pytest_llmbench.sandbox.bubblewrap import Bubblewrap

    class Niced(Bubblewrap):
        name = "niced"

        @classmethod
        def describe(cls):
            return f"niced {super().describe()}"

        def execute(self, launch, bed):
            command = ("nice", "-n", NICENESS, *launch.command)
            return super().execute(dataclasses.replace(launch, command=command), bed)

    return [Niced]


@pytest.hookimpl(optionalhook=True)
def pytest_llmbench_clients():
    """``--llm-model=command:PROGRAM``: a program that reads the prompt and prints the reply."""
    from pytest_llmbench.llm.protocols import ModelProvider

    return [ModelProvider("command", Command)]


class Command:
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
