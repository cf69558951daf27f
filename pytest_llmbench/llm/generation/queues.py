"""Which requests to send next: pure decisions over one queue's state, without threads or I/O.

A queue stands for one server that may hold one model at a time. Asking model by model makes it swap as often as
there are models and not as there are requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from pytest_llmbench.schema.keys import AttemptKey, TurnKey


@dataclass(slots=True)
class QueueState:
    """One queue at one moment. The methods note what happened; ``next_keys`` decides."""

    concurrency: Mapping[str, int]
    """Requests in flight allowed, by model label, in the order in which the models are asked."""
    lookahead: bool = False
    """True: generate no further ahead of the fetching than the concurrency."""
    model: str | None = None
    """The model asked last: the one that the server most likely holds."""
    pending: dict[str, dict[TurnKey, None]] = field(default_factory=dict)
    """By model, in the order of announcement: announced, neither started nor given up."""
    wanted: dict[str, dict[TurnKey, None]] = field(default_factory=dict)
    """The part of ``pending`` that somebody waits for."""
    in_flight: set[TurnKey] = field(default_factory=set)
    ahead: set[AttemptKey] = field(default_factory=set)
    """Attempts started and not yet fetched, whether ended or not."""

    def __post_init__(self) -> None:
        for model in self.concurrency:
            self.pending[model] = {}
            self.wanted[model] = {}

    def add(self, key: TurnKey, *, wanted: bool = False) -> None:
        """A request has to be sent."""
        self.pending[key.model][key] = None
        if wanted:
            self.want(key)

    def want(self, key: TurnKey) -> None:
        """Somebody waits for its attempt; no effect unless it is pending."""
        if key in self.pending[key.model]:
            self.wanted[key.model][key] = None

    def start(self, key: TurnKey) -> None:
        """A request is being sent."""
        self._drop(key)
        self.model = key.model
        self.in_flight.add(key)
        self.ahead.add(key.attempt)

    def end(self, key: TurnKey) -> None:
        """A request ended, well or not."""
        self.in_flight.discard(key)

    def fetched(self, key: AttemptKey) -> None:
        """Somebody took an attempt's end."""
        self.ahead.discard(key)

    def give_up(self, model: str) -> list[TurnKey]:
        """Take out everything pending of a model; returns it."""
        given_up = list(self.pending[model])
        self.pending[model].clear()
        self.wanted[model].clear()
        return given_up

    def _drop(self, key: TurnKey) -> None:
        del self.pending[key.model][key]
        self.wanted[key.model].pop(key, None)


def next_keys(state: QueueState) -> list[TurnKey]:
    """The requests to start now; empty when the queue has to wait for an end, a fetch or an announcement.

    - Models never overlap: while requests are in flight, only their model's attempts start.
    - At most the model's concurrency is in flight.
    - Within a model, attempts that somebody waits for go first.
    - Without lookahead a model is left only when nothing of it is pending. With lookahead an attempt that somebody
      waits for starts as soon as the model before it has drained, whatever else lies unfetched: a session
      whose order is not the queue's never waits for itself.
    """
    model = _next_model(state)
    if model is None:
        return []
    slots = max(0, state.concurrency[model] - len(state.in_flight))
    wanted = list(islice(state.wanted[model], slots))
    others = (key for key in state.pending[model] if key not in state.wanted[model])
    return wanted + list(islice(others, min(slots - len(wanted), _room(state, model, len(wanted)))))


def _next_model(state: QueueState) -> str | None:
    """The model whose attempts may start now."""
    if state.in_flight:
        # With lookahead, let this model drain when only another model's attempts are waited for.
        waits_elsewhere = any(keys for model, keys in state.wanted.items() if model != state.model)
        drain = state.lookahead and waits_elsewhere and state.model is not None and not state.wanted[state.model]
        return None if drain else state.model
    candidates = state.wanted if state.lookahead and any(state.wanted.values()) else state.pending
    order = chain([state.model] if state.model is not None else [], state.concurrency)
    return next((model for model in order if candidates[model]), None)


def _room(state: QueueState, model: str, starting: int) -> int:
    """How many attempts that nobody waits for yet may start beside ``starting`` others."""
    if not state.lookahead:
        return state.concurrency[model]
    return max(0, state.concurrency[model] - len(state.ahead) - starting)
