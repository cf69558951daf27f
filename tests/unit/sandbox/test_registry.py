"""Backends by name, and the families that make one for an image."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_llmbench.errors import OptionError, SandboxError
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.registry import OWN_BACKENDS, backend_registry, find_backend, own_backends
from pytest_llmbench.sandbox.selection import SandboxChoice, choose
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.registry import OURS


class Plain(Local):
    name = "plain"


class Family:
    name = "family"

    def __init__(self, made: Any) -> None:
        self.made = made

    def backend(self, image: str) -> Any:
        return self.made if not callable(self.made) or isinstance(self.made, type) else self.made(image)


def with_ours(*values: Any) -> Any:
    return backend_registry([*(("p", value) for value in values), *((OURS, value) for value in OWN_BACKENDS)])


def test_backends_are_found_by_name() -> None:
    backends = with_ours(Plain)
    assert find_backend("bubblewrap", backends) == (OURS, Bubblewrap)
    assert find_backend("plain", backends) == ("p", Plain)
    assert find_backend("docker:a/b:3", backends)[1].name == "docker:a/b:3"
    assert list(backends) == [*(own.name for own in OWN_BACKENDS), "plain"], "ours are first, whoever is asked first"


@pytest.mark.parametrize("name", ["plane", "plain:x", "docker", "docker:", ":x", "", "auto"])
def test_other_names_are_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(OptionError, match="auto, bubblewrap, landlock, none, plain, podman:IMAGE or docker:IMAGE"):
        find_backend(name, with_ours(Plain))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda image: 1 / 0, "cannot be made: ZeroDivisionError"),
        (42, "cannot be used: it is not a class"),
        (int, "cannot be used: write a class derived from Backend"),
        (Plain, "cannot be used: it is called 'plain'"),
    ],
)
def test_a_family_that_makes_no_backend_is_named_with_its_plugin(made: Any, said: str) -> None:
    with pytest.raises(OptionError, match=f"plugin p: the backend of family:x {said}"):
        find_backend("family:x", with_ours(Family(made)))


def test_a_choice_goes_to_another_process_by_its_name() -> None:
    choice = choose("plain", with_ours(Plain))
    sent = choice.sent()
    assert "backend" not in sent
    assert SandboxChoice.received(sent, with_ours(Plain)) == choice
    with pytest.raises(OptionError, match="choose one of"):
        SandboxChoice.received(sent, own_backends())


@pytest.mark.parametrize("broken", ["describe", "__init__", "execute", "home"])
def test_a_backend_that_raises_is_refused_with_its_plugin(broken: str) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise ValueError("of the plugin")

    method: Any = classmethod(breaks) if broken == "describe" else breaks
    backend = type("Broken", (Plain,), {broken: method})
    with pytest.raises(SandboxError, match=r"plugin p: the sandbox plain .*: ValueError: of the plugin"):
        choose("plain", with_ours(backend))
