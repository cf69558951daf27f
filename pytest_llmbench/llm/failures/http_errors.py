"""An HTTP answer that is no completion, as a ``Failure``: its kind by status, codes and words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llmbench.llm.base_url import without_user
from pytest_llmbench.llm.failures.error_body import ErrorBody, read_error
from pytest_llmbench.llm.failures.overflow_words import says_overflow
from pytest_llmbench.schema.attempt import ErrorKind, Failure
from pytest_llmbench.schema.numbers import count
from pytest_llmbench.text import excerpt, one_line, without_numbers

_UNKNOWN_MODEL = re.compile(
    r"model_not_found|\bmodel\b.{0,120}(not found|does ?n.t exist|does not exist|not supported)|provider not provided"
    r"|no such model|invalid model|unknown model",
    re.IGNORECASE | re.DOTALL,
)
_UNPAID = re.compile(
    r"insufficient.{0,12}(balance|credit|fund)|(credit|account) balance|balance (is )?(too low|not enough|insufficient)"
    r"|out of credits|payment required|in arrears",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient.quota|exceeded your (current |monthly )?quota|billing|spending limit", re.IGNORECASE)
_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"}
)
_PASSES = re.compile(
    r"try(ing)? again|retry|\bwait\b|\blater\b|per[ -](second|minute|min|hour|day)\b|\b[rt]p[smhd]\b|/min|slow down"
    r"|rate.?limit|too many requests|throttl|temporar",
    re.IGNORECASE,
)
"""A hint that time helps."""
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_PAYMENT, _NO_METHOD, _TIMED_OUT, _PROXY_KEY, _TOO_LARGE = 402, 405, 408, 407, 413
_KINDS: dict[int, ErrorKind] = {
    401: "auth",
    _PAYMENT: "auth",
    403: "auth",
    _PROXY_KEY: "auth",
    _TIMED_OUT: "timeout",
    409: "server_error",
    425: "server_error",
    429: "rate_limited",
}
_NEVER_OVERFLOW = (*range(300, 400), *_KINDS, 404, _NO_METHOD, 503, 504)
_LIMITED = re.compile(r"rate.?limit|too many requests|throttl|resource_?exhausted|quota|\b[rt]p[md]\b", re.IGNORECASE)
_KEYLESS = re.compile(
    r"unauthori[sz]ed|authenticat|(invalid|incorrect|missing).{0,12}(api.?)?key|permission|forbidden", re.IGNORECASE
)
_WRONG = re.compile(
    r"invalid.{0,3}(request|param|argument)|bad.?request|unprocessable|validation.?error", re.IGNORECASE
)
_SAID_INSIDE: tuple[tuple[ErrorKind, re.Pattern[str]], ...] = (
    ("auth", _UNPAID),
    ("rate_limited", _LIMITED),
    ("auth", _KEYLESS),
    ("bad_request", _WRONG),
    ("bad_request", _UNKNOWN_MODEL),
)
"""Kinds of errors that come with status 200, where only words tell them apart; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a failed request of one sort means for the user."""

    kind: ErrorKind
    advice: str
    stops_model: bool = False
    """True: no further request to this model can pass."""
    statuses: range | tuple[int, ...] = range(1000)
    said: re.Pattern[str] = re.compile("")
    final: bool = False
    """Only where nothing hints that time helps."""


_RULES = (
    _Rule("auth", "Check the account's balance.", True, statuses=(_PAYMENT,)),
    _Rule("auth", "Check the account's balance.", True, said=_UNPAID),
    _Rule(
        "auth",
        "Check the user and password of the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names.",
        True,
        statuses=(_PROXY_KEY,),
    ),
    _Rule("auth", "Check the API key of this endpoint.", True),
    _Rule("context_overflow", "Give the model a larger context, or leave this task out."),
    _Rule("timeout", "Check the time limits of the server and of proxies before it."),
    _Rule("rate_limited", "Check the account's plan and balance.", True, final=True),
    _Rule("rate_limited", "Ask less at once (--llm-concurrency), or later."),
    _Rule(
        "server_error",
        "Look into the server's log why the model does not load.",
        True,
        said=re.compile("failed to load", re.IGNORECASE),
    ),
    _Rule("server_error", "Look into the server's log."),
    _Rule("bad_request", "Ask for a model that the endpoint lists.", True, said=_UNKNOWN_MODEL),
    _Rule("bad_request", "Check the base URL.", True, statuses=(*range(300, 400), 404, _NO_METHOD)),
    _Rule("bad_request", "The request is larger than the server or a proxy before it takes.", statuses=(_TOO_LARGE,)),
    _Rule("bad_request", "Check the parameters sent with the request."),
)
"""The first rule that fits counts."""


def http_failure(
    status: int, body: str, *, endpoint: str, model: str, location: str = "", pause_s: float | None = None
) -> Failure:
    """Classify an HTTP answer other than a completion; ``status`` 200: an error inside a stream or a whole answer.

    ``location``: where a redirect leads. ``pause_s``: the pause that the server asked for, which says that it passes.
    """
    told = read_error(body)
    status = told.status or status if status == 200 else status  # noqa: PLR2004 - HTTP's OK
    kind = _kind(status, told)
    final = _is_final(told, pause_s)
    rule = next(
        each
        for each in _RULES
        if each.kind == kind
        and status in each.statuses
        and each.said.search(told.searched)
        and (final or not each.final)
    )
    said = one_line(told.message).rstrip(".") or "an empty body"
    if kind == "context_overflow" and (sizes := _sizes(told)):
        said = f"{said} ({sizes})"
    if location:
        said = f"{said}, a redirect to {one_line(without_user(location).partition('?')[0], 150)}"
    return Failure(
        kind=kind,
        message=f"{endpoint} answered {status} for model {model!r}: {said}. {rule.advice}",
        http_status=status,
        body=excerpt(body),
        # Numbers differ from request to request where the cause is the same.
        cause=f"{kind} {endpoint} {model} {status} {without_numbers(said)}",
        stops_model=rule.stops_model,
    )


def _kind(status: int, told: ErrorBody) -> ErrorKind:
    if status not in _NEVER_OVERFLOW and says_overflow(told.searched):
        return "context_overflow"
    if status == 400 and _UNPAID.search(told.searched):  # noqa: PLR2004 - some say so of an empty account
        return "auth"
    if status in _KINDS:
        return _KINDS[status]
    if status == 200:  # noqa: PLR2004
        return next((kind for kind, said in _SAID_INSIDE if said.search(told.searched)), "server_error")
    return "bad_request" if 300 <= status < 500 else "server_error"  # noqa: PLR2004 - the classes of HTTP statuses


def _is_final(told: ErrorBody, pause_s: float | None) -> bool:
    """Whether a limit holds until somebody pays: a code says so, or words that hint at no time after which it ends."""
    if _QUOTA_CODES.intersection(told.words):
        return True
    text = _URL.sub(" ", told.searched)
    return pause_s is None and bool(_QUOTA.search(text) or _UNPAID.search(text)) and not _PASSES.search(text)


def _sizes(told: ErrorBody) -> str:
    prompt, context = count(told.fields.get("n_prompt_tokens")), count(told.fields.get("n_ctx"))
    return f"prompt {prompt}, context {context} tokens" if prompt and context else ""
