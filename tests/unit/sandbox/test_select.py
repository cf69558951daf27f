"""Choosing a backend."""

import sys

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox import select
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.local import Local


@pytest.fixture
def fake_bwrap(tmp_path, monkeypatch):
    """Put a program of our own in the place of bwrap."""

    def install(script):
        program = tmp_path / "bin" / "bwrap"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    return install


@pytest.mark.parametrize("name", ["auto", "bubblewrap"])
def test_bubblewrap_is_chosen_where_it_works(sandbox, workspace, name):
    choice = select.choose(name)
    assert choice.name == "bubblewrap"
    assert choice.description.startswith("bubblewrap 0.")
    assert "no network" in choice.guarantees
    assert isinstance(select.open_sandbox(choice, workspace), Bubblewrap)


def test_none_is_chosen_by_name_only(workspace):
    choice = select.choose("none")
    assert (choice.name, choice.guarantees) == ("none", ())
    assert isinstance(select.open_sandbox(choice, workspace), Local)


@pytest.mark.parametrize("name", ["auto", "bubblewrap"])
def test_without_bubblewrap_it_says_what_to_install(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"not installed.*apt-get install bubblewrap.*--llm-sandbox=none"):
        select.choose(name)


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="needs Linux, this is darwin"):
        select.choose("auto")


def test_a_bubblewrap_that_fails_is_refused(fake_bwrap):
    fake_bwrap('[ "$1" = --version ] && echo bubblewrap 0.0 || { echo no namespaces >&2; exit 1; }')
    with pytest.raises(SandboxError, match=r"no namespaces.*forbids user namespaces"):
        select.choose("auto")


PRETEND = """
[ "$1" = --version ] && {{ echo bubblewrap 0.0; exit; }}
echo '{{ "exit-code": 0 }}' >&$2
{then}
"""


def test_one_that_leaves_the_network_is_refused(fake_bwrap):
    fake_bwrap(PRETEND.format(then="echo ' lo: 0'; echo ' eth0: 0'").replace("&$2", "/dev/fd/$2"))
    with pytest.raises(SandboxError, match=r"saw the network \(eth0, lo\)"):
        select.choose("auto")


def test_one_that_sets_no_limits_is_refused(fake_bwrap):
    fake_bwrap(PRETEND.format(then="echo ' lo: 0'; echo 'Max data size   unlimited'").replace("&$2", "/dev/fd/$2"))
    with pytest.raises(SandboxError, match="limits were not set"):
        select.choose("auto")
