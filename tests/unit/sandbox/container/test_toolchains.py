"""How an image is asked for its toolchains; here this machine's shell answers for it, with scripts as programs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.abacus import Abacus

from pytest_llmbench import toolchains
from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.container import toolchains as of_image
from pytest_llmbench.schema.execution import ExecResult
from pytest_llmbench.toolchains import registry


@pytest.fixture
def image(tmp_path, monkeypatch):
    """Makes an image of scripts; its ``started`` has the commands that were run in it."""
    started = []

    def run(command, limits, *, env):
        started.append(command)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return ExecResult(command, done.returncode, done.stdout, done.stderr, 1, 1)

    def make(**scripts):
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        return SimpleNamespace(
            find=lambda name: of_image.find_toolchain("podman", str(tmp_path), name), started=started
        )

    monkeypatch.setattr(of_image, "SHELL", "/bin/sh")
    monkeypatch.setattr(of_image.container_engine, "image", lambda runtime, image: SimpleNamespace(path=image))
    monkeypatch.setattr(of_image, "container", lambda runtime, image: lambda workspace: SimpleNamespace(run=run))
    return make


def test_all_registered_ones_are_asked_for_at_once(image, tmp_path):
    here = image(
        node="[ $1 = --version ] && echo v22.1.0",
        go="[ $1 = version ] && echo go version go1.26.8 linux/amd64",
        tool="echo no number here",
    )
    found = {name: here.find(name) for name in toolchains.names()}
    assert (found["python"], found["cargo"]) == (None, None)
    assert (found["node"].version, found["go"].version) == ("22.1.0", "1.26.8")
    assert found["go"].executable == tmp_path / "go"
    assert found["go"].env == toolchains.support("go").env
    assert len(here.started) == 1
    tool = here.find("tool")
    assert (tool.name, tool.executable, tool.version, tool.env) == ("tool", tmp_path / "tool", "", ())
    assert here.find("no-such-program") is None
    assert len(here.started) == 3


def test_the_first_name_that_is_new_enough_is_taken(image):
    python = image(python3="echo Python 3.10.2", python="echo Python 3.12.0 >&2").find("python")
    assert (python.name, Path(python.executable).name, python.version) == ("python", "python", "3.12.0")
    assert python.env == (("PYTHONHASHSEED", "0"),)


@pytest.mark.parametrize("scripts", [{"python3": "echo Python 3.10.2"}, {"python3": "echo Python"}])
def test_one_that_is_too_old_or_does_not_say_is_not_taken(image, scripts):
    assert image(**scripts).find("python") is None


def test_another_language_is_asked_in_its_own_way(image, monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    toolchains.register(Abacus())
    abacus = image(abacus="echo Abacus 9.4", soroban="[ $1 = about ] && echo Abacus 10.3").find("abacus")
    assert (abacus.name, Path(abacus.executable).name, abacus.version) == ("abacus", "soroban", "10.3")
    assert abacus.env == Abacus.env


def test_an_image_that_cannot_be_asked(image, monkeypatch):
    monkeypatch.setattr(of_image, "_ASK", "echo broken >&2; exit 3")
    with pytest.raises(SandboxError, match="not be asked for its toolchains: /bin/sh ended with status 3: broken"):
        image().find("python")
