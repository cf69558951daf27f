"""What went wrong: an HTTP status and body, or a whole answer that cannot be graded, as a ``Failure``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from pytest_llmbench.llm.failures.repetition import repeated
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, ErrorKind, Failure
from pytest_llmbench.schema.numbers import MOST, count, is_figure
from pytest_llmbench.text import excerpt, one_line

_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|context_?window_?exceeded|prompt is too long|too many tokens"
    r"|exceed.{0,60} context|maximum context length|context (size|length|window)( \w+){0,3} exceed",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|\bmodel\b.{0,120}(not found|does ?n.t exist|does not exist|not supported)|provider not provided"
    r"|no such model|invalid model|unknown model",
    re.IGNORECASE | re.DOTALL,
)
_PAYMENT, _TOO_LARGE, _TIMED_OUT = 402, 413, 408
_KINDS: dict[int, ErrorKind] = {401: "auth", _PAYMENT: "auth", 403: "auth", _TIMED_OUT: "timeout", 429: "rate_limited"}
_CUT = ("length", "max_tokens", "content_filter")
_LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")
_SEARCHED_CHARS = 5000
"""Of an error's text: the patterns take their time on each character."""
_LONGEST_PAUSE = 100
"""Characters of a ``Retry-After``."""


class _Rule(NamedTuple):
    """What a failed request of one sort means for the user."""

    kind: ErrorKind
    advice: str
    stops_model: bool = False
    """True: no further request to this model can pass."""
    statuses: range | tuple[int, ...] = range(1000)
    said: re.Pattern[str] = re.compile("")


_RULES = (
    _Rule("auth", "Check the account's balance.", True, statuses=(_PAYMENT,)),
    _Rule("auth", "Check the API key of this endpoint.", True),
    _Rule("context_overflow", "Give the model a larger context, or leave this task out."),
    _Rule("timeout", "Check the time limits of the server and of proxies before it."),
    _Rule(
        "rate_limited",
        "Check the account's plan and balance.",
        True,
        said=re.compile("insufficient_quota|exceeded your current quota|billing", re.IGNORECASE),
    ),
    _Rule("rate_limited", "Ask less at once (--llm-concurrency), or later."),
    _Rule(
        "server_error",
        "Look into the server's log why the model does not load.",
        True,
        said=re.compile("failed to load", re.IGNORECASE),
    ),
    _Rule("server_error", "Look into the server's log."),
    _Rule("bad_request", "Ask for a model that the endpoint lists.", True, said=_UNKNOWN_MODEL),
    _Rule("bad_request", "Check the base URL.", True, statuses=(*range(300, 400), 404)),
    _Rule("bad_request", "Check the parameters sent with the request."),
)
"""The first rule that fits counts."""


class _Told(NamedTuple):
    """What an error body says."""

    message: str
    fields: Mapping[str, Any]
    """The error object, if there is one."""


def http_failure(status: int, body: str, *, endpoint: str, model: str) -> Failure:
    """Classify an HTTP answer other than a completion; ``status`` 200: an error inside a stream or a whole answer."""
    told = _told(body)
    named = (told.message, told.fields.get("type"), told.fields.get("code"))
    searched = " ".join(str(each)[:_SEARCHED_CHARS] for each in named if isinstance(each, str | int))
    kind = _http_kind(status, searched)
    rule = next(each for each in _RULES if each.kind == kind and status in each.statuses and each.said.search(searched))
    said = one_line(told.message).rstrip(".") or "an empty body"
    if kind == "context_overflow" and (sizes := _sizes(told.fields)):
        said = f"{said} ({sizes})"
    return Failure(
        kind=kind,
        message=f"{endpoint} answered {status} for model {model!r}: {said}. {rule.advice}",
        http_status=status,
        body=excerpt(body),
        # Numbers differ from request to request where the cause is the same.
        cause=f"{kind} {endpoint} {model} {status} {re.sub(r'[0-9]+', 'N', said)}",
        stops_model=rule.stops_model,
    )


def answer_failure(completion: Completion, request: CompletionRequest, *, endpoint: str, leak: str) -> Failure | None:
    """Why a whole answer cannot be graded; None: it can, be it prose or code.

    ``leak``: a tag in the text that shows that the server did not parse the model's reply.
    """
    finish = (completion.finish_reason or "").lower()
    empty, tokens = not completion.text.strip(), completion.usage.completion_tokens
    kind: ErrorKind
    if finish == "error":
        kind, said = "server_error", "ended its answer with finish_reason 'error'. Look into the server's log"
    elif empty and completion.reasoning.strip():
        kind, said = "reasoning_only", f"sent {len(completion.reasoning)} characters of reasoning and no answer"
        said += (
            f"; {_cut_off(completion, request)}" if finish in _CUT else ". Limit its reasoning, or read it under body"
        )
    elif finish in _CUT:
        kind, said = "truncated", f"did not end its answer: {_cut_off(completion, request)}"
    elif empty:
        kind, said = "empty_content", f"ended normally (finish_reason {completion.finish_reason}) without a word"
        said += f", {tokens} tokens counted" if tokens else ""
    elif leak:
        kind, said = "unparsed_format", f"answered with the raw tag {leak} in its text. Check the model's chat template"
    else:
        return None
    return Failure(
        kind=kind,
        message=f"model {request.model!r} at {endpoint} {said}.",
        http_status=200,
        body=excerpt(completion.text if not empty else completion.reasoning),
        cause=f"{kind} {endpoint} {request.model}",
    )


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, given as a number or a date; None: there is none to use."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if len(value) > _LONGEST_PAUSE:
        return None
    try:
        asked = float(value)
    except ValueError:
        return _until(value, now or datetime.now(UTC))
    return 0.0 if asked < 0 else asked if is_figure(asked) else None


def _until(date: str, now: datetime) -> float | None:
    """Seconds until a date as HTTP writes it; None: it is none that a calendar has."""
    try:
        until = parsedate_to_datetime(date)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(max(0.0, (until - now).total_seconds()), MOST)
    except (ValueError, OverflowError, TypeError):
        return None


def _told(body: str) -> _Told:
    """Message and fields of an error body: JSON of several shapes, or any text."""
    try:
        value = read_json(body)
    except ValueError:
        return _Told(body, {})
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error", value) if isinstance(value, Mapping) else value
    if not isinstance(error, Mapping):
        return _Told(error if isinstance(error, str) else body, {})
    message = error.get("message") or error.get("detail")
    return _Told(message if isinstance(message, str) else body, error)


def _http_kind(status: int, searched: str) -> ErrorKind:
    if status in (200, 400, _TOO_LARGE, 422, 500) and _OVERFLOW.search(searched):
        return "context_overflow"
    if status in _KINDS:
        return _KINDS[status]
    return "bad_request" if 300 <= status < 500 else "server_error"  # noqa: PLR2004 - the classes of HTTP statuses


def _sizes(fields: Mapping[str, Any]) -> str:
    prompt, context = count(fields.get("n_prompt_tokens")), count(fields.get("n_ctx"))
    return f"prompt {prompt}, context {context} tokens" if prompt and context else ""


def _cut_off(completion: Completion, request: CompletionRequest) -> str:
    """Where a cut-off answer was cut off, as far as it is known."""
    if (completion.finish_reason or "").lower() == "content_filter":
        return "a content filter cut it off (finish_reason content_filter)"
    endless = _endless(completion)
    prompt, written = completion.usage.prompt_tokens, completion.usage.completion_tokens
    if request.context and prompt is not None and written is not None and prompt + written >= request.context:
        filled = f"the context of {request.context} tokens is filled (prompt {prompt}, answer {written})"
        return f"{filled}{endless or '. Raise the context'}"
    for name in _LIMITS:
        limit = request.params.get(name)
        if isinstance(limit, int) and (written is None or written >= limit > 0):
            return f"cut off at {name}={limit}{endless or f'. Raise {name}'}"
    counted = f" after {written} tokens" if written is not None else ""
    if prompt is not None and written is not None:
        counted += f" ({prompt + written} with the prompt)"
    advice = endless or ". Raise the context or that limit"
    return f"cut off{counted} by the model's context or the server's own limit{advice}"


def _endless(completion: Completion) -> str:
    """What a cut-off answer repeated to its end, and what to do; empty: it repeated nothing."""
    if (found := repeated(completion.text or completion.reasoning)) is None:
        return ""
    part, times = found
    shown = one_line(part.strip(), 40)
    return f", repeating {shown!r} at least {times} times. More room would hardly help: check its sampling parameters"
