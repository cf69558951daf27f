"""A language in one file of its own: found, listed, demanded by a task, fetched, built and handed to an attempt."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from support.abacus import PROGRAM, Abacus

from pytest_llmbench import toolchains
from pytest_llmbench.attempts.provisioning import dependency_folders, equip, missing, prepare, warm, warm_toolchains
from pytest_llmbench.catalog.files import dependencies_in
from pytest_llmbench.cli import doctor
from pytest_llmbench.errors import SandboxError, TaskError
from pytest_llmbench.sandbox.selection import SandboxChoice, open_sandbox
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.task import Task
from pytest_llmbench.toolchains import registry
from pytest_llmbench.toolchains.caches.store import VARIABLE

NONE = SandboxChoice("none", "none", (), (), backend=Local)


@pytest.fixture
def abacus(monkeypatch, tmp_path):
    """The language is known, and not installed."""
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    toolchains.register(Abacus())
    return tmp_path / "abacus"


@pytest.fixture
def installed(abacus):
    """The language is known and installed."""
    abacus.write_text(PROGRAM)
    abacus.chmod(0o755)
    # What was not found is remembered for a PATH: nobody installs a compiler during a session.
    registry._found.cache_clear()
    return abacus


@pytest.fixture
def task(tmp_path):
    """A task in this language that depends on something."""
    folder = tmp_path / "data" / "dependencies"
    folder.mkdir(parents=True)
    (folder / "Beadfile").touch()
    (folder / "Beadfile.lock").write_text("wood\n")
    return Task("t", "own", 1, 0, "?", ("a",), tmp_path / "t.py", (), data=folder.parent, toolchains=("abacus",))


def doctor_says(monkeypatch, capsys) -> str:
    monkeypatch.setattr(doctor, "_sandbox", lambda backends: [])
    monkeypatch.setattr(doctor, "_servers", lambda options, providers: [])
    doctor.run(argparse.Namespace(json=False))
    return capsys.readouterr().out


def test_what_is_not_registered_is_any_program():
    assert "abacus" not in toolchains.names()
    assert toolchains.hint("abacus") == "install abacus below /usr with the system's package manager"


def test_where_it_is_missing_it_is_said_how_to_install_it(abacus, task, monkeypatch, capsys):
    assert toolchains.find("abacus") is None
    assert toolchains.hint("abacus") == missing(task) == Abacus.hint
    said = doctor_says(monkeypatch, capsys)
    assert [line.split() for line in said.splitlines()][-1] == [
        *("abacus", "missing", "its", "tasks", "are", "skipped"),
        *Abacus.hint.split(),
    ]
    assert warm([task.data / "dependencies"], pytest.fail, pytest.fail) == [
        f"{task.data}/dependencies/Beadfile: {Abacus.hint}"
    ]


def test_where_it_is_there_it_is_found_and_listed(installed, monkeypatch, capsys):
    found = toolchains.find("abacus")
    assert (found.executable, found.version, found.env) == (installed, "10.2", Abacus.env)
    assert doctor_says(monkeypatch, capsys).splitlines()[-1].split() == ["abacus", "ok", "10.2", "at", str(installed)]


def test_a_task_is_asked_for_toolchain_and_lock_file(abacus, task):
    folder = task.data / "dependencies"
    assert dependencies_in(folder, ["abacus"], "here") == {"Beadfile": "", "Beadfile.lock": "wood\n"}
    with pytest.raises(TaskError, match=r"here: .*Beadfile is for abacus, which is missing in toolchains=\. Add it\.$"):
        dependencies_in(folder, ["python"], "here")
    (folder / "Beadfile.lock").unlink()
    with pytest.raises(TaskError, match=r"has a Beadfile without Beadfile\.lock, .* Run there: abacus lock$"):
        dependencies_in(folder, ["abacus"], "here")


def test_a_command_of_that_name_must_be_declared(abacus, tmp_path):
    with pytest.raises(SandboxError, match="'abacus' needs the toolchain 'abacus': name it in the task's"):
        open_sandbox(NONE, tmp_path).run(["abacus"])


def test_it_is_fetched_built_and_handed_to_an_attempt(installed, task, tmp_path):
    said: list[str] = []
    assert missing(task).startswith("fetch what t depends on, once: python -m pytest_llmbench warm ")
    assert dependency_folders([tmp_path]) == [task.data / "dependencies"]
    assert warm(dependency_folders([tmp_path]), lambda: NONE, said.append) == []
    assert missing(task) == ""
    prepare(task, NONE, said.append)
    assert said == ["fetching beads", "stringing beads"]
    (chain,) = equip(task, tmp_path)
    assert Path(chain.seeds[0].source, "strung").read_text() == "wood\n"


def test_without_dependencies_there_is_nothing_to_make(installed, tmp_path):
    plain = Task("t", "own", 1, 0, "?", ("a",), tmp_path / "t.py", (), toolchains=("abacus", "sh"))
    assert missing(plain) == ""
    prepare(plain, NONE, pytest.fail)
    assert [chain.name for chain in equip(plain, tmp_path)] == ["abacus", "sh"]


def test_one_that_cannot_be_built_does_not_keep_the_others(installed, monkeypatch):
    """Of what is built whatever a task depends on."""
    monkeypatch.setattr(toolchains, "names", lambda: ("abacus", "sh"))

    def cannot(self, toolchain, dependencies):
        raise OSError(f"no beads for {dependencies}")

    monkeypatch.setattr(Abacus, "to_build", cannot)
    assert warm_toolchains(pytest.fail, pytest.fail) == ["no beads for None"]


@pytest.mark.parametrize(("attribute", "value"), [("name", "go"), ("manifest", toolchains.support("node").manifest)])
def test_names_and_manifests_are_told_apart(abacus, attribute, value):
    other = Abacus()
    other.name = "other"
    other.manifest = None
    setattr(other, attribute, value)
    with pytest.raises(ValueError, match=r"has the name or the manifest of '(go|node)'"):
        toolchains.register(other)


def test_manifests_are_in_the_order_of_their_names(abacus):
    """Fingerprints of tasks depend on it: a language more changes none."""
    assert [manifest.name for manifest in toolchains.manifests()] == ["Beadfile", "Cargo.toml", "package.json"]
