"""Caches as a user meets them: a task that waits for its packages, and a Go that is made ready once."""

import re

import pytest
from support.bench import Bench

from pytest_llmbench import toolchains
from pytest_llmbench.toolchains.node import packages

PACKAGES_TASK = """
import pytest

pytestmark = pytest.mark.llm_task(
    id="greeter", points=2, files=["a.cjs"], prompt_text="Write a.cjs.", toolchains=["node"], data="."
)


@pytest.mark.rubric("imports", points=1)
def test_imports(sandbox):
    assert sandbox.run(["node", "a.cjs"]).stdout == "sound\\n"


@pytest.mark.rubric("commands", points=1)
def test_commands(sandbox):
    assert sandbox.run(["greet"]).stdout == "sound\\n"
"""
GO_TASK = """
import pytest

pytestmark = pytest.mark.llm_task(
    id="{id}", points=2, files=["a.txt"], prompt_text="Write a.txt.", toolchains=["go"]
)


@pytest.mark.rubric("warm", points=1)
def test_warm(sandbox):
    assert sandbox.run(["sh", "-c", "cat $GOCACHE/object && echo poison > $GOCACHE/new"]).stdout == "compiled\\n"


@pytest.mark.rubric("still", points=1)
def test_still(sandbox):
    seen = sandbox.run(["sh", "-c", "ls $GOCACHE | tr '\\\\n' ' '; rm $GOCACHE/object; echo poison > $GOCACHE/object"])
    assert seen.stdout == "object trim.txt "
"""
GO = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
case "$1" in
    env) printf 'go1.99\\n%s\\n' "$(dirname "$here")";;
    list) echo fmt;;
    vet) sleep 1; echo compiled > "$GOCACHE/object"; echo vet >> "$here/made";;
esac
"""


def test_packages_are_asked_for_and_then_used(bench: Bench) -> None:
    node = toolchains.find("node")
    if node is None:
        pytest.skip(toolchains.hint("node"))
    bench.task("greeter", PACKAGES_TASK)
    bench.file("tasks/dependencies/package.json", "{}")
    bench.file("tasks/dependencies/package-lock.json", "{}")
    bench.file("replies/greeter.md", "```js\nconsole.log(require('greeting'))\n```\n")
    cache = {"LLMBENCH_TOOLCHAIN_CACHE": str(bench.root / "cache")}
    run = bench.run("--llm-model=dir:replies", "-rs", **cache)
    assert run.counts() == {"skipped": 2}, run.out
    asked = f"fetch what greeter depends on, once: python -m pytest_llmbench warm {bench.root}/tasks/dependencies"
    assert asked in run.out

    def fill(folder):
        package = folder / "node_modules" / "greeting"
        package.mkdir(parents=True)
        (package / "index.js").write_text('#!/usr/bin/env node\nconst text = module.exports = "sound";\n')
        (package / "cli.js").write_text('#!/usr/bin/env node\nconsole.log(require("./index.js"));\n')
        (package / "cli.js").chmod(0o755)
        (folder / "node_modules" / ".bin").mkdir()
        (folder / "node_modules" / ".bin" / "greet").symlink_to("../greeting/cli.js")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMBENCH_TOOLCHAIN_CACHE", cache["LLMBENCH_TOOLCHAIN_CACHE"])
        packages(node, bench.root / "tasks" / "dependencies").make(fill)
    run = bench.run("--llm-model=dir:replies", **cache)
    assert run.counts() == {"passed": 2}, run.out


@pytest.mark.slow
def test_go_is_made_ready_once_with_a_word(bench: Bench, workers: tuple[str, ...]) -> None:
    go = bench.file("go-1.99/bin/go", GO)
    go.chmod(0o755)
    for number in range(3):
        bench.task(f"g{number}", GO_TASK)
        bench.file(f"replies/g{number}.md", "```text\nhello\n```\n")
    env = {"LLMBENCH_TOOLCHAIN_CACHE": str(bench.root / "cache"), "PATH": f"{go.parent}:/usr/bin:/bin"}
    run = bench.run("--llm-model=dir:replies", f"--basetemp={bench.root}/temp", *workers, **env)
    assert run.counts() == {"passed": 6}, run.out + run.err
    said = re.findall(
        r"^llmbench: compiling the standard library of Go 1\.99, once.*$", run.out + run.err, re.MULTILINE
    )
    assert len(said) == 1, run.out + run.err
    assert go.with_name("made").read_text() == "vet\n"
    assert not list((bench.root / "temp").rglob("go-build"))
    run = bench.run("--llm-model=dir:replies", *workers, **env)
    assert run.counts() == {"passed": 6}, run.out + run.err
    assert "compiling" not in run.out + run.err
