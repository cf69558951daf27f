"""One attempt: the request, the reply or the failure, and one record per rubric test."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pytest_llmbench.schema.keys import AttemptKey

ErrorKind = Literal[
    "connection",
    "timeout",
    "rate_limited",
    "auth",
    "bad_request",
    "context_overflow",
    "server_error",
    "invalid_response",
    "empty_content",
    "reasoning_only",
    "truncated",
    "unparsed_format",
    "missing_reply",
    "grader",
]
"""Why an attempt gave nothing to grade (``docs/results.md`` tells them apart)."""
ItemOutcome = Literal["earned", "missed", "skipped", "grader", "not_reached"]
"""How one test item ended. ``grader``: our side failed; ``not_reached``: the attempt had nothing to grade."""


def _of_version_1(value: Any) -> Any:
    """Records of schema version 1 call a fault of ours ``harness``, which now means an agent's command line."""
    return "grader" if value == "harness" else value


RecordedErrorKind = Annotated[ErrorKind, BeforeValidator(_of_version_1)]
RecordedItemOutcome = Annotated[ItemOutcome, BeforeValidator(_of_version_1)]
"""As records hold them, those of schema version 1 included."""


_NOT_NOTED: set[str] = set()


class Frozen(BaseModel):
    """Base of every record: immutable; a field nobody knows is an error, and so is a number that JSON cannot hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)

    def model_post_init(self, _context: Any, /) -> None:
        """Drop pydantic's own note of which fields were given: nobody asks, and it is half of a record's memory."""
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_NOTED)


class Message(Frozen):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


_MADE_BY_DIGITS = 16


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class CompletionRequest(Frozen):
    """Everything that shapes a reply: equal requests share one stored completion."""

    model: str
    """The name sent to the endpoint."""
    endpoint: str
    """Base URL without credentials, or ``litellm``, ``dir:...``, ``builtin``."""
    messages: tuple[Message, ...]
    epoch: int
    params: dict[str, Any] = Field(default_factory=dict)
    """Sampling parameters sent; empty: the server's own presets hold."""
    context: int | None = Field(default=None, exclude=True)
    """The model's window in tokens as far as it is known: it shapes no reply, so it is neither kept nor compared."""
    aliases: tuple[str, ...] = Field(default=(), exclude=True)
    """Other names that the server has for the model: kept beside a stored reply, and not compared."""
    made_by: dict[str, Any] = Field(default_factory=dict)
    """What answers, as the server tells it: model file, sampling defaults, template, context, build; empty: untold."""

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the canonical JSON of what is asked, and behind a dash that of what answers, if it is told.

        Requests that differ in what answers alone begin alike. Without it the fingerprint is that of older versions.
        """
        asked = _sha256(self.model_dump(mode="json", exclude={"made_by"}))
        return f"{asked}-{_sha256(self.made_by)[:_MADE_BY_DIGITS]}" if self.made_by else asked


class Usage(Frozen):
    """Token counts as the server reported them; None: not reported."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Retry(Frozen):
    """One try that failed and was sent again."""

    kind: RecordedErrorKind
    message: str
    waited_s: float
    """Pause before the next try."""
    loading: bool = False
    """True when the server said that it was still loading the model."""


class Completion(Frozen):
    """A model's reply to one request, or one that was kept."""

    text: str
    """The answer, without any reasoning."""
    reasoning: str = ""
    """Reasoning that came apart from the answer; kept, never graded."""
    finish_reason: str | None = None
    model_answered: str | None = None
    usage: Usage = Usage()
    timings: dict[str, Any] | None = None
    """llama-server's ``timings``, as they came but for what ``left_out`` names."""
    left_out: tuple[str, ...] = ()
    """Figures that the server told and that nobody can believe or keep, such as ``timings.predicted_ms``."""
    wall_s: float | None = None
    """First byte sent to last byte received, of the try that counted; None: nothing was asked."""
    first_token_s: float | None = None
    """First byte sent to first content or reasoning token."""
    started: str | None = None
    """UTC, ISO 8601."""

    @model_validator(mode="before")
    @classmethod
    def _without_files(cls, value: Any) -> Any:
        """Replies of schema version 1 have a place for files handed in; a reply that has some is not a completion."""
        if isinstance(value, dict) and "files" in value and value["files"] is None:
            return {name: each for name, each in value.items() if name != "files"}
        return value

    def __repr__(self) -> str:
        """Short and without times: it appears in assertion texts, which are records."""
        return f"<completion of {len(self.text)} characters>"

    __str__ = __repr__


class Failure(Frozen):
    """Why an attempt has nothing to grade."""

    kind: RecordedErrorKind
    message: str
    """What happened, to which thing, and what to do next."""
    http_status: int | None = None
    body: str = ""
    """Start of the raw answer."""
    cause: str = ""
    """Equal for failures with one cause: told once to the user."""
    stops_model: bool = False
    """True for what no further request to this model can pass: refused connection, bad key."""


class ItemRecord(Frozen):
    """How one test item of a rubric point ended."""

    task: str
    model: str
    epoch: int
    point: str
    case: str = ""
    """Parametrized case; empty when the test has one only."""
    outcome: RecordedItemOutcome
    message: str = ""
    """Shortened assertion, skip reason or error; empty when earned."""
    labels: tuple[str, ...] = ()
    """Evidence on the whole attempt, such as ``no_code``."""
    duration_s: float = 0.0
    evidence: str = ""
    """Of a miss, what the terminal tells too: where the reply lies, the last command, the end of its output, and the
    line that runs the point again. Kept in ``items.jsonl`` alone."""
    raised: str = ""
    """Of a miss by an exception that the test raised over what was handed in: the exception's type."""

    @property
    def key(self) -> AttemptKey:
        """The attempt it belongs to."""
        return AttemptKey(self.task, self.model, self.epoch)
