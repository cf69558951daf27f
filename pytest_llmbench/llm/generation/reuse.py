"""What a gateway does on disk: find outcomes that need no asking, keep those that were asked for.

Called from one thread, never two at once. Nothing is raised: whatever goes wrong is the attempt's failure.
"""

from __future__ import annotations

from pytest_llmbench.errors import StoreError
from pytest_llmbench.llm.clients.local_replies import read_local
from pytest_llmbench.llm.protocols import CompletionCache, Job, ModelTarget, OnOutcome, Recorded
from pytest_llmbench.schema.attempt import CompletionRequest, Failure, Outcome
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.settings import CacheMode
from pytest_llmbench.text import one_line


class CompletionReuse:
    """Stored completions, local files, and the user's ``on_outcome``."""

    def __init__(
        self,
        cache: CompletionCache,
        on_outcome: OnOutcome,
        mode: CacheMode,
        own_run: str | None = None,
        recorded: Recorded | None = None,
    ) -> None:
        self._cache = cache
        self._on_outcome = on_outcome
        self._mode = mode
        self._own_run = own_run
        self._recorded = recorded

    def without_asking(self, target: ModelTarget, job: Job, request: CompletionRequest) -> Outcome | None:
        """The outcome of an attempt that needs no request; None: ask."""
        try:
            if target.kind == "run" and self._recorded is not None:
                return self._recorded(target, job.key)
            if target.local:
                return read_local(target, job)
            stored = self._cache.load(request) if self._mode in ("use", "only") else None
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt ends with it
            return Outcome(failure=fault(f"looking for a reply of {target.label} broke", error))
        if stored is not None:
            own = self._own_run is not None and self._cache.stored_by(request) == self._own_run
            return Outcome(completion=stored, cached=not own)
        if self._mode == "only":
            return Outcome(failure=_not_stored(target, job.key, self._cache.difference(request)))
        return Outcome(failure=_unreachable(target)) if target.problem else None

    def keep(self, target: ModelTarget, key: AttemptKey, request: CompletionRequest, outcome: Outcome) -> Outcome:
        """Store a good new completion and report the outcome, once; gives a failure in its place if either fails.

        A place that cannot be written to stops the model: what cannot be kept must not be asked for. Anything else that
        goes wrong is of this outcome alone, and its failure is reported in its place.
        """
        new = outcome.failure is None and not outcome.cached and not target.local
        try:
            if new and outcome.completion is not None and self._mode != "off":
                self._cache.save(request, outcome.completion)
        except Exception as error:  # noqa: BLE001 - the reply is lost whatever the reason
            outcome = _lost(outcome, error)
        try:
            self._on_outcome(key, request, outcome)
        except Exception as error:  # noqa: BLE001 - the same
            lost = _lost(outcome, error)
            return lost if _is_of_the_place(error) else self._report(key, request, lost)
        return outcome

    def _report(self, key: AttemptKey, request: CompletionRequest, lost: Outcome) -> Outcome:
        """Report the failure of an outcome that could not be reported itself."""
        try:
            self._on_outcome(key, request, lost)
        except Exception as error:  # noqa: BLE001 - then nothing can be reported at all
            return Outcome(failure=_unkept(error), retries=lost.retries)
        return lost


def fault(what: str, error: BaseException) -> Failure:
    """A failure on our side, with the type and text of what was raised."""
    text = f"{what}: {type(error).__name__}: {one_line(str(error))}"
    return Failure(kind="grader", message=f"{text}. This says nothing about the model.", cause=text)


def _is_of_the_place(error: Exception) -> bool:
    """True for a full or locked disk, which the next reply would meet as well."""
    return isinstance(error, StoreError | OSError)


def _lost(outcome: Outcome, error: Exception) -> Outcome:
    failure = _unkept(error) if _is_of_the_place(error) else fault("keeping a reply broke", error)
    return Outcome(failure=failure, retries=outcome.retries)


def _unkept(error: Exception) -> Failure:
    text = str(error) or type(error).__name__
    return Failure(
        kind="grader",
        message=f"a reply could not be kept, so nothing more is asked there: {text}",
        cause=f"not kept: {text}",
        stops_model=True,
    )


def _not_stored(target: ModelTarget, key: AttemptKey, difference: str) -> Failure:
    nearest = f"The stored one most like it differs in {difference}" if difference else "None of this model is stored"
    return Failure(
        kind="missing_reply",
        message=f"no stored reply of {target.name} at {target.endpoint} to this request ({key}), "
        f"and --llm-cache=only asks for none. {nearest}. Run with --llm-cache=use to ask.",
        cause=f"{target.label}: no stored reply",
    )


def _unreachable(target: ModelTarget) -> Failure:
    return Failure(
        kind="connection", message=target.problem, cause=f"{target.endpoint}: {target.problem}", stops_model=True
    )
