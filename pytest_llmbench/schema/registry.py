"""Registry: what plugins added, by name, each with the plugin that did. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from pytest_llmbench.errors import OptionError

OURS = "llmbench"
"""The plugin that registers what comes with this package."""
_NAME = re.compile(r"[a-z][a-z0-9_-]*")

T = TypeVar("T")


class Registered(NamedTuple, Generic[T]):
    """One registered thing."""

    plugin: str
    """Name of the plugin, or path of the ``conftest.py``, that registered it."""
    value: T


Registry = Mapping[str, Registered[T]]


def make_registry(
    what: str,
    entries: Iterable[tuple[str, Any]],
    problem_of: Callable[[Any], str],
    reserved: Collection[str] = (),
) -> Registry[Any]:
    """The registry of (plugin, value) pairs, ours before those of others.

    ``what`` names the kind of thing; ``problem_of`` says why a value is not one, empty if it is; ``reserved`` are names
    with another meaning. Raises ``OptionError`` naming the plugin.
    """
    found: dict[str, Registered[Any]] = {}
    for plugin, value in sorted(entries, key=lambda entry: entry[0] != OURS):
        if problem := problem_of(value):
            raise OptionError(f"plugin {plugin}: {value!r} is not a {what}: {problem}.")
        name = value.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise OptionError(
                f"plugin {plugin}: {name!r} cannot be the name of a {what}: write lower case letters, digits, - and _."
            )
        if name in reserved or (name in found and found[name].plugin == OURS):
            raise OptionError(f"plugin {plugin}: the {what} {name!r} has a name of llmbench's own. Rename it.")
        if name in found and found[name].plugin == plugin:
            raise OptionError(f"plugin {plugin}: registers two of the {what} {name!r}. Rename one.")
        if name in found:
            raise OptionError(
                f"plugins {found[name].plugin} and {plugin}: both register a {what} {name!r}. "
                "Rename one, or leave one out with -p no:NAME."
            )
        found[name] = Registered(plugin, value)
    return found
