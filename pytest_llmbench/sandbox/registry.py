"""Which sandbox backends there are: ours, and those that plugins add, by the name that ``--llm-sandbox`` takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from pytest_llmbench.errors import LLMBenchError, OptionError
from pytest_llmbench.sandbox.backend import Backend
from pytest_llmbench.sandbox.bubblewrap import Bubblewrap
from pytest_llmbench.sandbox.landlock.backend import Landlock
from pytest_llmbench.sandbox.unsandboxed import Local
from pytest_llmbench.schema.registry import OURS, Registry, make_registry
from pytest_llmbench.schema.settings import SandboxName

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.container.engine import Runtime

AUTO = "auto"
"""Name that no backend may have: the strongest of ours that works here."""
_IMAGE = re.compile(r"[\w][\w.:/@-]*", re.ASCII)


@runtime_checkable
class BackendFamily(Protocol):
    """Backends that differ in an image: ``--llm-sandbox=NAME:IMAGE``."""

    @property
    def name(self) -> str:
        """Before the colon."""
        ...

    def backend(self, image: str) -> type[Backend]:
        """The backend of one image, called ``NAME:IMAGE``; nothing is looked for yet. Raises ``OptionError``."""
        ...


class _Containers(NamedTuple):
    """The backends of a container runtime."""

    name: Runtime

    def backend(self, image: str) -> type[Backend]:
        """The backend of an image that the runtime has already."""
        if not _IMAGE.fullmatch(image):
            raise OptionError("write podman:IMAGE or docker:IMAGE, where IMAGE is one that the runtime has already.")
        from pytest_llmbench.sandbox.container.backend import container

        return container(self.name, image)


Backends = Registry[type[Backend] | BackendFamily]
OWN_BACKENDS: tuple[type[Backend] | BackendFamily, ...] = (
    Bubblewrap,
    Landlock,
    Local,
    _Containers("podman"),
    _Containers("docker"),
)


def backend_registry(entries: Iterable[tuple[str, Any]]) -> Backends:
    """The registry of backends and families, from (plugin, value) pairs. Raises ``OptionError``."""
    return make_registry("sandbox backend", entries, _problem_of, reserved=(AUTO,))


def own_backends() -> Backends:
    """The registry of those that come with this package."""
    return backend_registry((OURS, backend) for backend in OWN_BACKENDS)


def _problem_of(value: Any) -> str:
    """Why a plugin's value is neither a backend nor a family; empty: it is."""
    if isinstance(value, type) and issubclass(value, Backend):
        missing = sorted(getattr(value, "__abstractmethods__", ())) if inspect.isabstract(value) else []
        if not isinstance(getattr(value, "name", None), str):
            missing.append("name")
        if missing:
            return f"it lacks {', '.join(missing)}"
        if not all(isinstance(getattr(value, told), tuple) for told in ("guarantees", "gaps")):
            return "guarantees and gaps must be tuples of texts"
        return ""
    if not isinstance(value, type) and isinstance(value, BackendFamily):
        return ""
    return "write a class derived from Backend, or an object with a name and a method backend(image)"


def find_backend(name: SandboxName, backends: Backends) -> tuple[str, type[Backend]]:
    """The backend of a name other than ``auto``, after the plugin that registered it. Raises ``OptionError``."""
    kind, colon, image = name.partition(":")
    found = backends.get(kind)
    if found is not None and isinstance(found.value, type) and not colon:
        return found.plugin, found.value
    if found is not None and not isinstance(found.value, type) and image:
        return found.plugin, _of_family(found.plugin, found.value, image)
    plain = [name for name, each in backends.items() if isinstance(each.value, type)]
    families = [f"{name}:IMAGE" for name, each in backends.items() if not isinstance(each.value, type)]
    raise OptionError(
        f"choose one of {', '.join((AUTO, *plain))}, {' or '.join(families)}, "
        "where IMAGE is one that the runtime has already."
    )


def _of_family(plugin: str, family: BackendFamily, image: str) -> type[Backend]:
    try:
        backend: Any = family.backend(image)
    except LLMBenchError:
        raise
    except Exception as error:
        msg = f"plugin {plugin}: the backend of {family.name}:{image} cannot be made: {type(error).__name__}: {error}."
        raise OptionError(msg) from error
    problem = _problem_of(backend) if isinstance(backend, type) else "it is not a class"
    if not problem and backend.name != f"{family.name}:{image}":
        problem = f"it is called {backend.name!r}"
    if problem:
        raise OptionError(f"plugin {plugin}: the backend of {family.name}:{image} cannot be used: {problem}.")
    made: type[Backend] = backend
    return made
