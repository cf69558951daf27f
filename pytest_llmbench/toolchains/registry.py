"""The toolchains that are known by name; any other name is a program below ``/usr``."""

from __future__ import annotations

import os
from functools import cache

from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains.base import Manifest, ToolchainSupport
from pytest_llmbench.toolchains.cargo import Cargo
from pytest_llmbench.toolchains.go import Go
from pytest_llmbench.toolchains.node import Node
from pytest_llmbench.toolchains.program import Program
from pytest_llmbench.toolchains.python import Python

_registered: dict[str, ToolchainSupport] = {}


def register(new: ToolchainSupport) -> None:
    """Make a toolchain known. Raises ``ValueError`` when its name or manifest is another one's."""
    taken = [
        other.name
        for other in _registered.values()
        if other.name == new.name or (new.manifest and other.manifest and other.manifest.name == new.manifest.name)
    ]
    if taken:
        raise ValueError(f"the toolchain {new.name!r} has the name or the manifest of {taken[0]!r}: choose another one")
    _registered[new.name] = new


for _each in (Python(), Node(), Go(), Cargo()):
    register(_each)


def names() -> tuple[str, ...]:
    """The registered toolchains, in their order."""
    return tuple(_registered)


def manifests() -> tuple[Manifest, ...]:
    """The manifests of registered toolchains by file name: an order that further toolchains do not change."""
    found = [each.manifest for each in _registered.values() if each.manifest]
    return tuple(sorted(found, key=lambda manifest: manifest.name))


def support(name: str) -> ToolchainSupport:
    """What is known of the toolchain ``name``."""
    return _registered.get(name) or _program(name)


def find(name: str) -> Toolchain | None:
    """The toolchain ``name`` of this machine, or None. The answer is kept for this process and ``PATH``."""
    return _found(support(name), os.environ.get("PATH", os.defpath))


def hint(name: str) -> str:
    """How to install ``name``: part of a sentence for a skip message."""
    return support(name).hint


@cache
def _program(name: str) -> Program:
    return Program(name)


@cache
def _found(known: ToolchainSupport, path: str) -> Toolchain | None:
    return known.find(path)
