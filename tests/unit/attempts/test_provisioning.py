"""What a task's toolchains need offline: told when it is missing, made when it can be, handed to each attempt."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.attempts.provisioning import dependency_folders, equip, missing, prepare, warm
from pytest_llmbench.errors import HarnessError
from pytest_llmbench.sandbox.selection import SandboxChoice
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.schema.task import Task
from pytest_llmbench.toolchains import cargo, go, node
from pytest_llmbench.toolchains.caches.store import VARIABLE

NONE = SandboxChoice("none", "none", (), (), backend=Local)
TOOLS = {
    name: Toolchain(name, Path("/usr/bin/true"), version)
    for name, version in (("python", "3.13.0"), ("node", "20.1.2"), ("go", "1.26.0"), ("cargo", "1.95.0"))
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(toolchains, "find", TOOLS.get)


@pytest.fixture
def task(tmp_path):
    """A task with crates and packages, and all toolchains."""
    folder = tmp_path / "data" / "dependencies"
    folder.mkdir(parents=True)
    for name in (cargo.MANIFEST, cargo.LOCK, node.MANIFEST, node.LOCK):
        (folder / name).write_text('[package]\nname = "x"\n')
    data = folder.parent
    return Task("t", "own", 1, 0, "?", ("a",), tmp_path / "t.py", (), data=data, toolchains=tuple(TOOLS))


@pytest.fixture
def fetched(task):
    """The same with both fetched, after a fashion."""
    folder = task.data / "dependencies"
    cargo.crates(folder).make(lambda new: (new / "project").mkdir())
    node.packages(TOOLS["node"], folder).make(lambda new: (new / "node_modules").mkdir())
    return task


def fill_with(*names):
    def fill(*arguments):
        folder = next(path for path in reversed(arguments) if isinstance(path, Path))
        for name in names:
            (folder / name).mkdir()

    return fill


def test_what_is_not_fetched_is_told_with_the_command(task):
    folder = task.data / "dependencies"
    line = f"fetch what t depends on, once: python -m pytest_llmbench warm {folder}"
    assert missing(task) == f"{line}; {line}"
    cargo.crates(folder).make(lambda new: None)
    assert missing(task) == line
    node.packages(TOOLS["node"], folder).make(lambda new: None)
    assert missing(task) == ""


def test_nothing_is_missing_where_nothing_is_named(task):
    assert missing(replace(task, data=None)) == ""
    assert missing(replace(task, toolchains=("python", "go"))) == ""


def test_a_missing_toolchain_is_told_alone(task, monkeypatch):
    monkeypatch.setattr(toolchains, "find", {}.get)
    assert missing(replace(task, toolchains=("cargo",))) == toolchains.hint("cargo")


def test_what_needs_no_network_is_made_and_told_once(fetched, monkeypatch):
    said = []
    monkeypatch.setattr(go, "fill", fill_with("00"))
    monkeypatch.setattr(cargo, "build", lambda chain, folder, new, run: (new / "target").mkdir())
    for _ in range(2):
        prepare(fetched, NONE, said.append)
    assert said == [
        "compiling the standard library of Go 1.26.0, once: about half a minute",
        f"building the crates that {fetched.data / 'dependencies'} names, once",
    ]


def test_an_attempt_gets_its_caches(fetched, monkeypatch, tmp_path):
    monkeypatch.setattr(go, "fill", fill_with("links"))
    monkeypatch.setattr(cargo, "build", lambda chain, folder, new, run: (new / "links").mkdir())
    prepare(fetched, NONE, lambda line: None)
    found = {chain.name: chain for chain in equip(fetched, tmp_path)}
    assert list(found) == list(TOOLS)
    assert found["python"] == TOOLS["python"]
    assert (tmp_path / "node_modules").is_symlink()
    seeds = {name: seed for name, chain in found.items() for seed in chain.seeds}
    assert (seeds["cargo"].place, seeds["go"].variable) == ("target", "GOCACHE")
    shown = [*(mount for chain in found.values() for mount in chain.mounts), *(seed.source for seed in seeds.values())]
    assert all(str(tmp_path / "cache") in str(path) for path in shown)


def test_a_task_without_dependencies_gets_plain_toolchains(task, tmp_path):
    plain = replace(task, data=None, toolchains=("cargo", "node", "python"))
    prepare(plain, NONE, pytest.fail)
    assert equip(plain, tmp_path) == [TOOLS["cargo"], TOOLS["node"], TOOLS["python"]]


def test_what_cannot_be_laid_out_is_our_fault(task, tmp_path):
    with pytest.raises(HarnessError, match=r"toolchains of task 't' cannot be laid out: .*go-1\.26"):
        equip(task, tmp_path)


def test_folders_are_found_by_their_lock_files(task, tmp_path):
    folder = task.data / "dependencies"
    (tmp_path / "data" / "starter").mkdir()
    (tmp_path / "data" / "starter" / cargo.LOCK).touch()
    assert dependency_folders([tmp_path]) == dependency_folders([folder]) == [folder]
    assert dependency_folders([tmp_path / "nothing"]) == []


def test_warming_asks_for_a_sandbox_only_to_build(task, monkeypatch):
    folder, said, chosen = task.data / "dependencies", [], []
    monkeypatch.setattr(cargo, "fetch", fill_with("project"))
    monkeypatch.setattr(node, "fetch", fill_with("node_modules"))

    def build(chain, folder, new, run):
        assert run(new, chain, ("cargo",), keep=()).ok
        (new / "links").mkdir()

    monkeypatch.setattr(cargo, "build", build)
    for _ in range(2):
        assert warm([folder], lambda: chosen.append(1) or NONE, said.append) == []
    assert chosen == [1]
    assert [line.partition(" ")[0] for line in said] == ["fetching", "building", "fetching"]
    assert missing(task) == ""


def test_warming_without_the_toolchain_says_how_to_install_it(task, monkeypatch):
    monkeypatch.setattr(toolchains, "find", {}.get)
    folder = task.data / "dependencies"
    cargo_problem, node_problem = warm([folder], pytest.fail, pytest.fail)
    assert cargo_problem == f"{folder}/Cargo.toml: {toolchains.hint('cargo')}"
    assert node_problem == f"{folder}/package.json: {toolchains.hint('node')}"


def test_one_that_cannot_be_warmed_does_not_keep_the_others(task, monkeypatch):
    (task.data / "dependencies" / cargo.LOCK).unlink()
    monkeypatch.setattr(node, "fetch", fill_with("node_modules"))
    (problem,) = warm([task.data / "dependencies"], pytest.fail, lambda line: None)
    assert "Cargo.lock" in problem
    assert node.packages(TOOLS["node"], task.data / "dependencies").made


def command(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "pytest_llmbench", "warm", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PATH": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_command_says_what_is_wrong(task, tmp_path):
    (task.data / "dependencies" / node.MANIFEST).unlink()
    done = command("data", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"llmbench: {task.data / 'dependencies' / 'Cargo.toml'}: install Rust" in done.stderr
    assert command("absent", cwd=tmp_path).stderr == "llmbench: absent is not a directory\n"


def test_the_command_is_quiet_when_there_is_nothing_to_do(tmp_path):
    (tmp_path / "nothing").mkdir()
    done = command("nothing", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
