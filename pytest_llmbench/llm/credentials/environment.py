"""API keys: taken out of the environment before a child can inherit them, kept by the one process that asks models.

Three sorts of variables (``provider_keys.py``), told apart by what else they may be for:

- Keys of models only, such as ``ANTHROPIC_API_KEY``: always taken. litellm gets the one it needs as an argument.
- Keys of services that do other things as well, such as ``HF_TOKEN``: taken when a model of that service is asked.
- Credentials that a provider's own code reads for itself, such as ``AWS_SECRET_ACCESS_KEY``: when a model of that
  provider is asked, hidden from children; ``os.environ`` of the process that asks still has them.

And whatever variable repeats the value of one of those. All others stay: ordinary tests may need them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import chain

from pytest_llmbench.llm.credentials.header import check_key
from pytest_llmbench.llm.credentials.provider_keys import CREDENTIALS, FOR_MODELS_ONLY, keys_of
from pytest_llmbench.llm.credentials.secret_forms import is_telling


class Secret(str):
    """A key that shows itself to nobody by accident: its ``repr``, as among a traceback's locals, is ``'***'``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Secrets(Mapping[str, str]):
    """The environment as the process that asks models sees it: ``os.environ``, and the keys that were taken from it."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Look at an environment; nothing is taken yet."""
        self._environment = environment
        self._taken: dict[str, Secret] = {}
        self._hidden: dict[str, Secret] = {}

    def take(self, providers: Iterable[str], *, more: Iterable[str] = (), asks: bool = True) -> None:
        """Take the keys; ``providers`` are those of litellm whose models are asked in this session.

        ``more`` are variables that the models file names. ``asks``: this process asks them; in any other their
        credentials are taken as well.
        """
        # litellm's table says ``vertex_ai-language-models`` for what its code calls ``vertex_ai``.
        providers = {name for provider in providers for name in (provider, provider.partition("-")[0])}
        keys = FOR_MODELS_ONLY.union(more, *(keys_of(provider) for provider in providers))
        credentials = set[str]().union(*(CREDENTIALS.get(provider, ()) for provider in providers))
        values = [value for name in keys | credentials if is_telling(value := self._environment.get(name, "").strip())]
        for name, value in list(self._environment.items()):
            if asks and name in credentials:
                self._hidden[name] = Secret(value)
                if self._environment is os.environ:
                    os.unsetenv(name)  # what children inherit; the mapping keeps it
            elif name in keys or name in credentials or any(secret in value for secret in values):
                self._taken[name] = Secret(value)
                del self._environment[name]

    def restore(self) -> None:
        """Put everything back, but for what was set anew meanwhile."""
        for name, value in self._taken.items():
            self._environment.setdefault(name, str(value))
        for name in self._hidden.keys() & self._environment.keys():
            self._environment[name] = self._environment[name]
        self._taken.clear()
        self._hidden.clear()

    @property
    def values_taken(self) -> frozenset[Secret]:
        """Every value that must appear nowhere."""
        return frozenset(Secret(value.strip()) for value in chain(self._taken.values(), self._hidden.values()))

    def __getitem__(self, name: str) -> str:
        if name in self._taken:
            return Secret(self._taken[name].strip())
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter({*self._environment, *self._taken})

    def __len__(self) -> int:
        return len({*self._environment, *self._taken})

    def __repr__(self) -> str:
        return f"<environment of {len(self)} variables>"


def api_key(provider: str, environment: Mapping[str, str]) -> str | None:
    """The key that a provider of litellm is asked with; None: there is none, or its own code finds its credentials.

    Raises ``OptionError`` for a key that cannot be sent.
    """
    for name in keys_of(provider):
        if key := environment.get(name):
            check_key(key, name)
            return key
    return None
