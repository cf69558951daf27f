"""What plugins and ``conftest.py`` files add, collected through the hooks of ``hookspecs.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_llmbench.catalog.loaded import Loaders, loader_registry
from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.clients.factory import Providers, provider_registry
from pytest_llmbench.sandbox.registry import Backends, backend_registry
from pytest_llmbench.schema.registry import OURS
from pytest_llmbench.solvers.registry import Solvers, solver_registry

if TYPE_CHECKING:
    from pluggy import HookImpl

_OWN_MODULE = "pytest_llmbench.plugin"


class Extensions(NamedTuple):
    """The registries of a process."""

    sandboxes: Backends
    providers: Providers
    solvers: Solvers
    loaders: Loaders

    def lines(self) -> list[str]:
        """One line for each thing that is not ours."""
        found = [
            *((plugin, f"--llm-sandbox={name}") for name, (plugin, _) in self.sandboxes.items()),
            *((plugin, f"--llm-model={name}:NAME") for name, (plugin, _) in self.providers.items()),
            *(
                (plugin, f"--llm-solver={name}" if solver.needs_model else f"--llm-model={name}:...")
                for name, (plugin, solver) in self.solvers.items()
            ),
            *((plugin, f"--llm-suite={name}:PATH") for name, (plugin, _) in self.loaders.items()),
        ]
        return [f"plugin {plugin}: adds {what}" for plugin, what in found if plugin != OURS]


_EXTENSIONS = pytest.StashKey[Extensions]()


def extensions_of(config: pytest.Config) -> Extensions:
    """The registries of this process, made when they are first asked for. Raises ``OptionError``."""
    if _EXTENSIONS not in config.stash:
        found = Extensions(
            backend_registry(_entries(config, "pytest_llmbench_sandboxes")),
            provider_registry(_entries(config, "pytest_llmbench_clients")),
            solver_registry(_entries(config, "pytest_llmbench_solvers")),
            loader_registry(_entries(config, "pytest_llmbench_loaders")),
        )
        for name in found.solvers.keys() & found.providers.keys():
            raise OptionError(
                f"plugins {found.solvers[name].plugin} and {found.providers[name].plugin}: the solver and the model "
                f"provider {name!r} have one name. Rename one."
            )
        config.stash[_EXTENSIONS] = found
    return config.stash[_EXTENSIONS]


def extensions_here() -> Extensions:
    """The registries of a session in this folder, without ``conftest.py`` files. Raises ``OptionError``."""
    look = _Look()
    try:
        status = pytest.main(["--noconftest"], plugins=[look])
    except Exception as error:  # an old pytest lets through what importing a plugin raises
        raise OptionError(f"pytest does not start in this folder: {type(error).__name__}: {error}.") from error
    if look.problem is not None:
        raise look.problem
    if look.found is None:
        raise OptionError(f"pytest does not start in this folder (exit status {int(status)}): see what it said above.")
    return look.found


def implementations(config: pytest.Config, hook: str) -> list[tuple[str, Callable[..., Any]]]:
    """Every plugin's implementation of a hook, with the plugin's name, in the order of calling.

    They are called one by one, so that what one of them does wrong has its name. Raises ``OptionError`` for a wrapper.
    """
    found = list(reversed(getattr(config.hook, hook).get_hookimpls()))
    for each in found:
        if each.wrapper or each.hookwrapper:
            raise OptionError(f"plugin {_name_of(each, config)}: {hook} cannot be wrapped. Take wrapper=True away.")
    return [(_name_of(each, config), _with_known_arguments(each)) for each in found]


def _entries(config: pytest.Config, hook: str) -> Iterator[tuple[str, Any]]:
    for plugin, call in implementations(config, hook):
        try:
            given = call(config=config)
            values = [] if given is None else list(given)
        except Exception as error:
            raise OptionError(f"plugin {plugin}: {hook} raised {type(error).__name__}: {error}") from error
        yield from ((plugin, value) for value in values)


def _name_of(implementation: HookImpl, config: pytest.Config) -> str:
    """A plugin's name; of a ``conftest.py`` its path, from here if it is below."""
    if getattr(implementation.plugin, "__name__", "") == _OWN_MODULE:
        return OURS
    path, here = Path(implementation.plugin_name), config.invocation_params.dir
    return str(path.relative_to(here)) if path.is_relative_to(here) else implementation.plugin_name


def _with_known_arguments(implementation: HookImpl) -> Callable[..., Any]:
    """An implementation names those arguments only that it wants."""
    return lambda **given: implementation.function(*(given[name] for name in implementation.argnames))


class _Look:
    """Takes the place of a session whose plugins are looked at."""

    def __init__(self) -> None:
        self.found: Extensions | None = None
        self.problem: OptionError | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Look, and end."""
        try:
            self.found = extensions_of(config)
        except OptionError as error:
            self.problem = error
        return 0
