"""Many calls in one process, of which none costs another its answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.protocol import Sandbox
    from pytest_llmbench.schema.execution import CallResult, Limits

Name = TypeVar("Name", bound=Hashable)


class Batches(Generic[Name]):
    """Calls of one function, by name: ``batches["ordinary"]`` is the ``CallResult`` of that call.

    Nothing runs until the first result is asked for. All calls are then made in one process, under ``limits`` together
    (``Sandbox.calls``). A call that died there may have died of another one, which used up the time of all: when its
    result is asked for, it is made again alone, once, under limits of its own.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        file: str | Path,
        function: str,
        args: Mapping[Name, Sequence[Any]],
        limits: Limits | None = None,
        *,
        alone: Limits | None = None,
        alone_s: float = 20.0,
        canary: Name | None = None,
        loopback: bool = False,
    ) -> None:
        """``args``: the arguments of each call, made in this order.

        ``alone``: the limits of a call that is made again; as ``limits`` by default. ``alone_s``: wall time, less the
        time spent waiting for a CPU, for all of those together; when it is used up, what died has died.
        ``canary``: the call that shows whether the file works at all. Where it died, nothing is made again.
        """
        self._sandbox = sandbox
        self._file = file
        self._function = function
        self._args = args
        self._limits = limits
        self._alone_limits = alone or limits
        self._left_s = alone_s
        self._canary = canary
        self._loopback = loopback
        self._alone: dict[Name, CallResult] = {}

    @cached_property
    def together(self) -> Mapping[Name, CallResult]:
        """What all calls gave in their one process."""
        results = self._sandbox.calls(
            self._file, self._function, list(self._args.values()), self._limits, loopback=self._loopback
        )
        return dict(zip(self._args, results, strict=True))

    def __getitem__(self, name: Name) -> CallResult:
        """The result of one call; of the one alone, if it was made again."""
        if name in self._alone:
            return self._alone[name]
        result = self.together[name]
        if result.outcome != "died" or self._left_s <= 0 or self._is_hopeless():
            return result
        result = self._alone[name] = self._sandbox.call(
            self._file, self._function, *self._args[name], limits=self._alone_limits, loopback=self._loopback
        )
        if result.execution is not None:
            self._left_s -= result.execution.wall_s - result.execution.waited_s
        return result

    def _is_hopeless(self) -> bool:
        return self._canary is not None and self.together[self._canary].outcome == "died"
