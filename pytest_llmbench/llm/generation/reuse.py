"""What a gateway does on disk: find replies that are stored, keep what came.

Called from one thread, never two at once. Nothing is raised: whatever goes wrong is the attempt's failure.
"""

from __future__ import annotations

from pytest_llmbench.errors import StoreError
from pytest_llmbench.llm.protocols import CompletionCache, OnOutcome
from pytest_llmbench.llm.targets import LOADING, ServedTarget
from pytest_llmbench.schema.attempt import CompletionRequest, Failure
from pytest_llmbench.schema.keys import TurnKey
from pytest_llmbench.schema.outcome import Failed, Outcome, Replied
from pytest_llmbench.schema.settings import CacheMode
from pytest_llmbench.text import raised


class CompletionReuse:
    """Stored completions, and the user's ``on_outcome``."""

    def __init__(
        self, cache: CompletionCache, on_outcome: OnOutcome, mode: CacheMode, own_run: str | None = None
    ) -> None:
        """``own_run``: what a resumed run stored is its own, and not one used again."""
        self._cache = cache
        self._on_outcome = on_outcome
        self._mode = mode
        self._own_run = own_run

    def as_last_stored(self, request: CompletionRequest) -> CompletionRequest:
        """A request to a server that cannot be asked what answers: taken for what answered last.

        One configuration for all requests to a model, so that no row of results mixes two.
        """
        try:
            made_by = self._cache.last_made_by(request.model, request.endpoint)
        except Exception:  # noqa: BLE001 - the look at the stored reply that follows meets it too, and says so
            return request
        return request.model_copy(update={"made_by": made_by})

    def stored(self, target: ServedTarget, key: TurnKey, request: CompletionRequest) -> Replied | Failed | None:
        """The outcome of a turn that needs no request; None: ask."""
        try:
            looks = self._mode == "only" or (self._mode == "use" and request.made_by != LOADING)
            stored = self._cache.load(request) if looks else None
            if stored is not None:
                own = self._own_run is not None and self._cache.stored_by(request) == self._own_run
                return Replied(completion=stored, cached=not own)
            if self._mode == "only":
                return Failed(failure=_not_stored(target, key, self._cache.difference(request)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt ends with it
            return Failed(failure=fault(f"looking for a reply of {target.label} broke", error))
        return Failed(failure=_unreachable(target)) if target.problem else None

    def keep(self, key: TurnKey, request: CompletionRequest | None, outcome: Outcome) -> Outcome:
        """Store a good new completion and report the outcome, once; gives a failure in its place if either fails.

        ``request`` is None where nothing was asked. A place that cannot be written to stops the model: what cannot be
        kept must not be asked for. Anything else that goes wrong is of this outcome alone, and its failure is reported
        in its place.
        """
        try:
            if request is not None and isinstance(outcome, Replied) and not outcome.cached and self._mode != "off":
                self._cache.save(request, outcome.completion)
        except Exception as error:  # noqa: BLE001 - the reply is lost whatever the reason
            outcome = lost(outcome, error)
        try:
            self._on_outcome(key, request, outcome)
        except Exception as error:  # noqa: BLE001 - the same
            failed = lost(outcome, error)
            return failed if _is_of_the_place(error) else self._report(key, request, failed)
        return outcome

    def _report(self, key: TurnKey, request: CompletionRequest | None, failed: Failed) -> Failed:
        """Report the failure of an outcome that could not be reported itself."""
        try:
            self._on_outcome(key, request, failed)
        except Exception as error:  # noqa: BLE001 - then nothing can be reported at all
            return Failed(failure=_unkept(error), retries=failed.retries)
        return failed


_ADVICE = (
    (
        "A test tried to use socket",  # all exceptions of pytest-socket begin so
        "pytest-socket lets no test of this process use the network, and so not llmbench meanwhile. Use -n 1: tests "
        "then run in a process of their own. ",
    ),
)


def fault(what: str, error: BaseException) -> Failure:
    """A failure on our side, with the type and text of what was raised."""
    said = raised(error)
    text = f"{what}: {said}"
    advice = next((advice for words, advice in _ADVICE if words in said), "")
    return Failure(kind="grader", message=f"{text.rstrip('.')}. {advice}This says nothing about the model.", cause=text)


def _is_of_the_place(error: Exception) -> bool:
    """True for a full or locked disk, which the next reply would meet as well."""
    return isinstance(error, StoreError | OSError)


def lost(outcome: Outcome | None, error: Exception) -> Failed:
    """The failure in the place of what could not be kept."""
    failure = _unkept(error) if _is_of_the_place(error) else fault("keeping a reply broke", error)
    return Failed(failure=failure, retries=getattr(outcome, "retries", ()))


def _unkept(error: Exception) -> Failure:
    text = str(error) or type(error).__name__
    return Failure(
        kind="grader",
        message=f"a reply could not be kept, so nothing more is asked there: {text}",
        cause=f"not kept: {text}",
        stops_model=True,
    )


def _not_stored(target: ServedTarget, key: TurnKey, difference: str) -> Failure:
    nearest = f"The stored one most like it differs in {difference}" if difference else "None of this model is stored"
    return Failure(
        kind="missing_reply",
        message=f"no stored reply of {target.name} at {target.endpoint} to this request ({key}), "
        f"and --llm-cache=only asks for none. {nearest}. Run with --llm-cache=use to ask.",
        cause=f"{target.label}: no stored reply",
    )


def _unreachable(target: ServedTarget) -> Failure:
    return Failure(
        kind="connection", message=target.problem, cause=f"{target.endpoint}: {target.problem}", stops_model=True
    )
