"""A plugin that adds a sandbox, ``niced``, a solver, ``program:COMMAND``, and a format of tasks, ``calls:FILE``."""

import asyncio
import dataclasses
import json
import shlex
import tempfile
from pathlib import Path

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
def pytest_llmbench_solvers():
    return [Program()]


class Program:
    """A program that reads the prompt, in an empty folder; the files that it leaves there are handed in."""

    name = "program"
    needs_model = False

    async def solve(self, job, access):
        from pytest_llmbench.llm.solving import Files

        with tempfile.TemporaryDirectory() as folder:
            words, pipe = shlex.split(access.target.name), asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*words, cwd=folder, stdin=pipe)
            await process.communicate(job.prompt.encode())
            if process.returncode:
                raise RuntimeError(f"{words[0]} ended with status {process.returncode}")
            return Files(await asyncio.to_thread(self.left_in, Path(folder)))

    def left_in(self, folder):
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


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
