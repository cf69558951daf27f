"""What the body of an error says: its text, its machine-readable words, the status that it names. Pure.

There are as many shapes as servers: ``{"error": {...}}``, ``{"error": "..."}``, ``{"detail": [...]}``,
``{"object": "error"}``, ``{"base_resp": {...}}``, a list of these, an event of a stream, plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_llmbench.llm.guarded_json import read_json

_TEXTS = (
    *("message", "detail", "details", "msg", "error_msg", "error_message", "errorMessage", "error_description"),
    *("status_msg", "description", "reason", "errors", "title"),
)
_WORDS = ("type", "code", "status", "reason", "error_type", "errorCode", "error_code", "status_code", "param")
_STATUSES = ("code", "status_code", "status", "http_status", "http_code", "error_code", "statusCode")
_FINE = (None, 0, "0", False, "", "ok", "success", 200, "200")
"""As a code: no error."""
_CODE = re.compile(
    r"err|fail|invalid|limit|exceed|denied|unauth|forbid|throttl|insufficient|busy|overload|unavailable|not.?found"
    r"|exhaust|bad|wrong|expired|exception",
    re.IGNORECASE,
)
_EVENT = re.compile(r"\s*(?:event:[^\n]*\n)?data:")
_SEARCHED_CHARS = 5000
"""Of an error's text: the patterns take their time on each character."""
_DEEP, _MANY = 6, 5
_STATUS_DIGITS, _LONG_DIGITS = 3, 5


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """One error as it was told."""

    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The error object, if there is one."""
    words: tuple[str, ...] = ()
    """Types and codes, in lower case."""
    status: int | None = None
    """The HTTP status that it names itself."""

    @property
    def searched(self) -> str:
        """What patterns look at: message, types and codes."""
        return " ".join((self.message[:_SEARCHED_CHARS], *self.words))


def read_error(body: str) -> ErrorBody:
    """Read an error's body, whatever its shape; never raises."""
    try:
        value = read_json(_EVENT.sub("", body, count=1))
    except ValueError:
        return ErrorBody(body)
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, Mapping):
        return ErrorBody(value if isinstance(value, str) else body)
    tables = list(_tables(value))
    message = next(filter(None, (_text(table) for table in tables)), "")
    if isinstance(error := value.get("error"), str) and error:
        message = f"{error}: {message}" if message and message != error else error
    words = tuple(
        str(word)[:_SEARCHED_CHARS].lower()
        for table in tables
        for name in _WORDS
        if isinstance(word := table.get(name), str | int) and not isinstance(word, bool)
    )
    status = next((found for table in tables if (found := _status(table)) is not None), None)
    return ErrorBody(message or body, tables[0], words, status)


def error_in(value: Mapping[str, Any], *, named_error: bool = False) -> Mapping[str, Any] | None:
    """The error that a part of an answer holds, beside its choices or within one; None: it holds none.

    ``named_error``: the event that brought it is called one. An object without choices is one too if it says so.
    """
    if named_error or _is_error(value.get("error")):
        return value
    base = value.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code") not in _FINE:
        return value
    choices = value.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping) and _is_error(choice.get("error")):
            return {"error": choice["error"]}
    if choices:
        return None
    says = [value.get(name) for name in ("object", "type")]
    if any(isinstance(each, str) and "error" in each.lower() for each in says) or value.get("success") is False:
        return value
    told = any(value.get(name) for name in ("detail", "message", "msg", "errors"))
    coded = any(_is_code(value.get(name)) for name in _STATUSES)
    return value if told and (coded or "detail" in value) else None


def _is_code(told: Any) -> bool:
    """True for a number or word that stands for an error, and not for how far something is."""
    if isinstance(told, str):
        return told not in _FINE and (told.isdigit() or bool(_CODE.search(told)))
    return isinstance(told, int) and told not in _FINE


def has_text(value: Mapping[str, Any]) -> bool:
    """True for an object that says something in words, as an error does."""
    return any(_text(table) for table in _tables(value))


def _is_error(told: Any) -> bool:
    """True for a field ``error`` that is one: some servers send it empty, or with code 0, in every answer."""
    if not isinstance(told, Mapping):
        return bool(told)
    return bool(_text(told)) or any(told.get(name) not in _FINE for name in ("code", "type", "status"))


def _tables(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects that describe the error, the innermost first."""
    error, base = value.get("error"), value.get("base_resp")
    if isinstance(error, list) and error:
        error = error[0]
    for each in (error, base, value):
        if isinstance(each, Mapping):
            yield each


def _text(value: Any, deep: int = _DEEP) -> str:
    """The words of an error, of its parts one after the other."""
    if isinstance(value, str):
        return value
    if not deep:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_text(each, deep - 1) for each in value[:_MANY])))
    if not isinstance(value, Mapping):
        return ""
    said = next((text for name in _TEXTS if (text := _text(value.get(name), deep - 1))), "")
    if said and isinstance(place := value.get("loc"), list):
        said = f"{'.'.join(str(each)[:100] for each in place[:_MANY])}: {said}"
    about = value.get("metadata")
    if said and isinstance(about, Mapping) and (raw := _text(about.get("raw"), deep - 1)):
        said = f"{said}: {raw}"  # what the provider behind a gateway said
    return said


def _status(table: Mapping[str, Any]) -> int | None:
    """The HTTP status of an error that its object names: 429, "429", or 42901."""
    for name in _STATUSES:
        told = str(table.get(name))[:10] if isinstance(table.get(name), int | str) else ""
        if told.isascii() and told.isdigit() and len(told) in (_STATUS_DIGITS, _LONG_DIGITS):
            status = int(told[:_STATUS_DIGITS])
            if 400 <= status < 600:  # noqa: PLR2004 - HTTP's errors
                return status
    return None
