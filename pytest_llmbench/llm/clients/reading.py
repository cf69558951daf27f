"""An answer as it is read, event by event: what is a part of it, what keeps the connection open, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.chat_response import Answer
from pytest_llmbench.llm.clients.sse import Event
from pytest_llmbench.llm.clients.stream_shape import Shape, lesser
from pytest_llmbench.llm.credentials.secret_forms import hide
from pytest_llmbench.llm.failures.connection import dropped_failure, invalid_failure
from pytest_llmbench.llm.failures.error_body import error_in, has_text
from pytest_llmbench.llm.failures.http_errors import http_failure
from pytest_llmbench.llm.failures.pauses import asked_pause_s
from pytest_llmbench.llm.guarded_json import read_json
from pytest_llmbench.schema.attempt import Failure
from pytest_llmbench.text import one_line

ERROR_BYTES = 100_000
"""Of an error's body: more is not read, for nobody looks at it."""
_STRAY_CHARS = 1000
_TORN = "Look into the log of the server, or of the proxy before it."
_UNSAID = "Whether it was cut off cannot be known. Ask another endpoint, or update the gateway."
_OK, _BAD_REQUEST = 200, 400


class Reading:
    """One answer being read."""

    def __init__(self, endpoint: str, model: str, secrets: Iterable[str], shape: Shape) -> None:
        """Nothing is read yet; ``secrets`` are hidden in what errors quote."""
        self.answer = Answer()
        self.done = False
        """True after ``[DONE]``."""
        self.worded = False
        """True once a stream brought text or reasoning."""
        self.lesser: Shape | None = None
        """The shape of answer to ask for in place of one that was refused, or that ended without a reason."""
        self._endpoint = endpoint
        self._model = model
        self._secrets = tuple(secrets)
        self._shape = shape
        self._plain = False
        self._stray = self._noise = ""
        self._torn = False

    @property
    def whole(self) -> bool:
        """True when nothing of the answer can be missing: ``[DONE]`` alone does not say so."""
        return self._plain or self.answer.finish_reason is not None

    @property
    def partial(self) -> str:
        """The text that has come, or the reasoning if there is no text yet."""
        return self.answer.text or self.answer.reasoning

    def error(self, status: int, body: str, headers: Mapping[str, str] | None = None, location: str = "") -> ModelError:
        """What the server reports in place of an answer; ``status`` 200: inside of one."""
        pause_s = asked_pause_s(headers or {}, body)
        endpoint, model = self._endpoint, self._model
        failure = http_failure(status, body, endpoint=endpoint, model=model, location=location, pause_s=pause_s)
        refused = _BAD_REQUEST if failure.kind == "bad_request" and status == _OK else failure.http_status or status
        if not self.partial:
            self.lesser = lesser(self._shape, refused, body)
        return ModelError(failure, retry_after_s=pause_s)

    def take(self, events: list[Event]) -> bool:
        """Take what came; True if a part of an answer was among it, and not keep-alives alone."""
        moved = False
        for event in events:
            text = event.text.strip()
            if text.upper() == "[DONE]":
                self.done = True
            elif event.kind == "stray" and not text.startswith("{"):
                self._stray = f"{self._stray}{event.text}\n"[:_STRAY_CHARS]
                self._torn = self._torn or not self.whole
            else:
                for value in self._objects(event, text):
                    moved = self._take_object(value, event) or moved
        return moved

    def _objects(self, event: Event, text: str) -> list[dict[str, Any]]:
        """The JSON objects of an event; none: it is there to keep the connection open."""
        whole = event.kind == "whole"
        try:
            value = read_json(text)
        except ValueError as error:
            if event.kind == "error":
                raise self.error(200, hide(text[:ERROR_BYTES], self._secrets)) from error
            if whole or text.startswith("{"):
                raise self._unreadable("answered with something that is not JSON", text) from error
            self._noise = text[:_STRAY_CHARS]
            return []
        found = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
        if whole and not found:
            raise self._unreadable("answered with JSON that is no object", text)
        return found

    def _take_object(self, value: dict[str, Any], event: Event) -> bool:
        """Feed one JSON object to the answer; True when it is a part of one."""
        whole = event.kind == "whole"
        told = error_in(value, named_error=event.kind == "error")
        if told is None and whole and not value.get("choices") and has_text(value):
            told = value
        if told is not None:
            body = json.dumps(told, ensure_ascii=False)[:ERROR_BYTES]
            raise self.error(200, hide(body, self._secrets))
        before = self.answer.choices
        brought = self.answer.feed(value)
        self.worded = self.worded or (brought and not whole)
        if whole:
            if not self.answer.choices:
                raise self._unreadable("answered with JSON that holds no choice", event.text)
            self._plain = True
        elif self.answer.choices == before and not value.get("choices"):
            self._noise = event.text[:_STRAY_CHARS]
        return self.answer.choices > before

    def _unreadable(self, what: str, body: str) -> ModelError:
        return ModelError(invalid_failure(self._endpoint, what, hide(body, self._secrets), 200, quoted=True))

    def broken(self) -> Failure | None:
        """Why an answer that ended is not whole; None: it is."""
        if self.whole and not self._torn:
            return None
        stray = hide(self._stray, self._secrets)
        if self.whole:
            what = f"sent the line {one_line(stray)!r} inside of its stream: a part of the answer may be lost"
            return invalid_failure(self._endpoint, what, self.partial, 200, advice=_TORN)
        noise = hide(self._noise, self._secrets)
        if stray.startswith("proxy error") or (stray and self.answer.choices):
            said = one_line(stray)
            return dropped_failure(self._endpoint, f"broke off its stream with the line {said!r}", self.partial)
        if not self.answer.choices:
            what = "answered without any part of a completion"
            return invalid_failure(self._endpoint, what, stray or noise, 200, quoted=True)
        if self.done:
            self.lesser = "whole" if self._shape != "whole" else None
            what = "ended its stream ([DONE]) and never says why it ended: no finish_reason came"
            return invalid_failure(self._endpoint, what, self.partial, 200, advice=_UNSAID)
        said = f"; it sent {one_line(noise)!r} too," if noise else ""
        return dropped_failure(self._endpoint, f"ended its stream without a finish_reason{said}", self.partial)
