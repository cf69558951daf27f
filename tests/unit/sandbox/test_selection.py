"""Choosing a backend."""

import sys

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox import selection as select
from pytest_llmbench.sandbox import self_test as proof
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.container.backend import Container
from pytest_llmbench.sandbox.landlock import abi as landlock_abi
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.unsandboxed import Local


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
    choice = select.choose(name, own_backends())
    assert choice.name == "bubblewrap"
    assert choice.description.startswith("bubblewrap 0.")
    assert "no network" in choice.guarantees
    assert choice.gaps
    assert isinstance(select.open_sandbox(choice, workspace), Bubblewrap)


def test_none_is_chosen_by_name_only(workspace):
    choice = select.choose("none", own_backends())
    assert (choice.name, choice.guarantees) == ("none", ())
    assert choice.gaps
    assert isinstance(select.open_sandbox(choice, workspace), Local)


def test_what_this_machine_cannot_count_is_told_apart(monkeypatch):
    monkeypatch.setattr(select.cgroup, "gaps", lambda: ("this and that",))
    choice = select.choose("bubblewrap", own_backends())
    assert choice.missing_here == ("this and that",)
    assert choice.gaps[-1] == "this and that"
    assert select.choose("none", own_backends()).missing_here == ()


@pytest.mark.parametrize("backend", [Local, Container])
def test_where_no_group_is_ours_what_it_would_count_is_a_gap(backend):
    assert any("nobody waits for" in gap for gap in backend.gaps)


def test_without_bubblewrap_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"not installed.*apt-get install bubblewrap.*--llm-sandbox=none"):
        select.choose("bubblewrap", own_backends())


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="bubblewrap needs Linux, this is darwin"):
        select.choose("auto", own_backends())


def test_without_bubblewrap_landlock_is_next_and_the_reason_is_told(tmp_path, monkeypatch, workspace):
    try:
        landlock_abi.abi()
    except SandboxError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("PATH", str(tmp_path))
    choice = select.choose("auto", own_backends())
    assert choice.name == "landlock"
    assert "bubblewrap is not installed" in choice.passed_over[0]
    assert isinstance(select.open_sandbox(choice, workspace), Landlock)


def test_where_nothing_works_all_reasons_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Landlock, "describe", classmethod(no_landlock))
    with pytest.raises(SandboxError, match=r"bubblewrap is not installed.*; no Landlock here.*--llm-sandbox=none"):
        select.choose("auto", own_backends())


def no_landlock(cls):
    raise SandboxError("no Landlock here")


@pytest.mark.parametrize(
    ("name", "image"),
    [("podman:a/b:3", ("podman", "a/b:3")), ("docker:x", ("docker", "x")), ("none", None), ("docker:", None)],
)
def test_images_are_named_with_their_runtime(name, image):
    assert select.image_of(name) == image


def test_a_bubblewrap_that_fails_is_refused(fake_bwrap):
    fake_bwrap('[ "$1" = --version ] && echo bubblewrap 0.0 || { echo no namespaces >&2; exit 1; }')
    with pytest.raises(SandboxError, match=r"no namespaces.*forbids user namespaces"):
        select.choose("bubblewrap", own_backends())


PRETEND = """
[ "$1" = --version ] && {{ echo bubblewrap 0.0; exit; }}
echo '{{ "exit-code": 0 }}' >/dev/fd/$2
while [ "$1" != /bin/sh ] || [ "${{3#exec}}" != "$3" ]; do shift; done
cd "$(mktemp -d)"
{then}
"""
"""Takes the isolation away and starts the program that ``prove`` wants: the last /bin/sh."""


@pytest.mark.parametrize(
    ("then", "complaint"),
    [
        ('exec "$@"', "a program inside read a file outside"),
        ('case "$3" in cat*) echo gone > "$5";; *) exec "$@";; esac', "a program inside changed a file outside"),
        ('case "$3" in cat*) echo " lo: 0"; echo " eth0: 0";; *) exec "$@";; esac', r"saw the network \(eth0, lo\)"),
        ('case "$3" in cat*) echo limit unlimited;; *) exec "$@";; esac', "the limits were not set"),
        ("echo 4", "a right program was found wrong"),
    ],
)
def test_one_that_does_not_hold_its_promise_is_refused(fake_bwrap, then, complaint):
    fake_bwrap(PRETEND.format(then=then))
    with pytest.raises(SandboxError, match=complaint):
        select.choose("bubblewrap", own_backends())


def test_one_that_shows_what_the_program_before_left_is_refused(fake_bwrap, tmp_path):
    fake_bwrap(PRETEND.format(then=f'cd {tmp_path}; exec "$@"'))
    with pytest.raises(SandboxError, match="what one program left was found by the next"):
        select.choose("bubblewrap", own_backends())


def test_one_that_finds_everything_right_is_refused(sandbox, monkeypatch):
    monkeypatch.setattr(proof, "_passes", lambda result, product: result.ok)
    with pytest.raises(SandboxError, match="a wrong program was found right"):
        select.choose("bubblewrap", own_backends())
