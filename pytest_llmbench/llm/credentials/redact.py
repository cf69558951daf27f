"""Keys kept out of whatever is written down: records of what servers sent, and this process's log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

from pytest_llmbench.llm.credentials.disguises import Disguises
from pytest_llmbench.llm.credentials.secret_forms import hide, is_telling, written_forms
from pytest_llmbench.schema.attempt import Completion, Failure, Retry
from pytest_llmbench.schema.outcome import Failed, HandedInFiles, NotRun, Outcome

_SHORTEST_PART = 6


class Scrub:
    """Puts ``***`` in place of secrets: as they are, percent-encoded, in JSON or in base64.

    In what servers sent, also however else they may be written (``disguises.py``).
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        """``secrets``: the values; words too common to be keys are hidden in messages but not in replies."""
        self._in_messages = written_forms(secrets)
        self._in_replies = written_forms(filter(is_telling, secrets))
        self._disguises = Disguises(secrets)

    def outcome(self, outcome: Outcome) -> Outcome:
        """An outcome without secrets, whatever part of it a server repeated them in."""
        if isinstance(outcome, HandedInFiles):
            return outcome
        clean: dict[str, Any] = {}
        if not isinstance(outcome, NotRun) and outcome.completion is not None:
            clean["completion"] = self._completion(outcome.completion)
        if isinstance(outcome, Failed):
            clean["failure"] = self._failure(outcome.failure)
        if retries := getattr(outcome, "retries", ()):
            clean["retries"] = tuple(self._retry(retry) for retry in retries)
        return outcome.model_copy(update=clean)

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Have every log record of this process made without secrets, whichever library writes it."""
        make = logging.getLogRecordFactory()
        active = True

        def make_clean(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            if active:
                self._clean(record)
            return record

        logging.setLogRecordFactory(make_clean)
        try:
            yield
        finally:
            active = False
            if logging.getLogRecordFactory() is make_clean:
                logging.setLogRecordFactory(make)

    def message(self, text: str) -> str:
        """A text of ours, or of an error, without secrets, whole or cut off: at the text's end, or before ``…``."""
        text = hide(text, self._in_messages)
        for form in (each for each in self._in_messages if each[:_SHORTEST_PART] in text):
            for length in range(len(form) - 1, _SHORTEST_PART - 1, -1):
                text = text.replace(f"{form[:length]}…", "***…")
                text = f"{text[:-length]}***" if text.endswith(form[:length]) else text
        return text

    def _completion(self, completion: Completion) -> Completion:
        def clean(text: str) -> str:
            return self._disguises.hide(hide(text, self._in_replies))

        named = ("text", "reasoning", "finish_reason", "model_answered", "timings", "left_out")
        return completion.model_copy(update={name: _mapped(getattr(completion, name), clean) for name in named})

    def _failure(self, failure: Failure) -> Failure:
        return failure.model_copy(
            update={name: self._told(getattr(failure, name)) for name in ("message", "body", "cause")}
        )

    def _retry(self, retry: Retry) -> Retry:
        return retry.model_copy(update={"message": self._told(retry.message)})

    def _told(self, text: str) -> str:
        return self._disguises.hide(self.message(text))

    def _clean(self, record: logging.LogRecord) -> None:
        # A record that cannot be put together is reported by the handler, with its parts.
        with contextlib.suppress(Exception):
            said = record.getMessage()
            if (clean := self.message(said)) != said:
                record.msg, record.args = clean, ()
        if record.exc_info:
            told = logging.Formatter().formatException(record.exc_info)
            if (clean := self.message(told)) != told:
                record.exc_text, record.exc_info = clean, None


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed, names too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_mapped(name, change): _mapped(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(each, change) for each in value)
    return value
