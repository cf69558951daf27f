"""A chat answer put together from what a server sends, whole or in chunks, and turned into a completion. Pure.

What stands beside the text is a server's word: counts and times are kept where they can be (``schema/numbers.py``), the
others are named in ``Completion.left_out``, and the text is never lost for their sake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.content import called_tool, read_content
from pytest_llmbench.llm.clients.loading_banner import LoadingBanner
from pytest_llmbench.llm.clients.reasoning import separate
from pytest_llmbench.llm.failures.classify import answer_failure
from pytest_llmbench.llm.failures.connection import invalid_failure
from pytest_llmbench.llm.failures.endings import ending_of
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Usage
from pytest_llmbench.schema.numbers import count, figures
from pytest_llmbench.text import one_line

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
"""One meaning, three servers; the first one filled counts."""
_COUNTS = ("prompt_tokens", "completion_tokens")
_REPEATED_CHARS = 40
"""Of a last chunk that equals all before it: from so many on it is the whole message once more, and no part of it."""
_STRANGE = "content of an unknown shape"
_LEGACY = "answered with a legacy completion (choices[0].text) and no chat message"
_NAME_CHARS = 500
"""Of a model's name and of a reason to finish: the rest is cut off."""


class Answer:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._text = _Words()
        self._reasoning = _Words()
        self._banner = LoadingBanner()
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.usage = Usage()
        self.timings: dict[str, Any] | None = None
        self._left_out: dict[str, tuple[str, ...]] = {}
        self.choices = 0
        """Chunks that carried a choice."""
        self._called = ""
        self._strange = ""

    def feed(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk, or a whole answer; True when it brought text or reasoning.

        Any chunk may carry usage and timings, one without choices too. Parts of an unexpected type are passed over.
        """
        if isinstance(model := chunk.get("model"), str) and model:
            self.model = _mended(model[:_NAME_CHARS])
        if isinstance(usage := chunk.get("usage"), Mapping):
            self.usage, self._left_out["usage"] = _usage(usage)
        if isinstance(timings := chunk.get("timings"), Mapping):
            self.timings, self._left_out["timings"] = figures(timings)
        choice = _first_choice(chunk.get("choices"))
        if choice is None:
            return False
        self.choices += 1
        reason = choice.get("finish_reason")
        ended = isinstance(reason, str) and ending_of(reason) != "unsaid"
        if isinstance(reason, str) and ended:
            self.finish_reason = _mended(reason[:_NAME_CHARS])
        delta, message = choice.get("delta"), choice.get("message")
        if isinstance(delta, Mapping) and self._take(delta, by_parts=True, ended=ended):
            return True
        if isinstance(message, Mapping):
            return self._take(message, by_parts=False, ended=ended)
        if not isinstance(delta, Mapping) and isinstance(choice.get("text"), str):
            self._strange = self._strange or _LEGACY
        return False

    def _take(self, message: Mapping[str, Any], *, by_parts: bool, ended: bool) -> bool:
        said = read_content(message.get("content"))
        self._strange = self._strange or said.strange
        self._called = self._called or said.call or called_tool(message)
        text = said.text or _string(message.get("refusal"))
        thought = said.thought
        thought += next((found for key in _REASONING_KEYS if (found := _string(message.get(key)))), "")
        if by_parts and thought:
            thought = self._banner.without(thought)
        brought = [
            words.add(part, by_parts=by_parts, ended=ended)
            for words, part in ((self._text, text), (self._reasoning, thought))
        ]
        return any(brought)

    @property
    def text(self) -> str:
        """The content so far."""
        return _mended(self._text.all)

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return _mended(self._reasoning.all + self._banner.rest)

    def completion(
        self,
        request: CompletionRequest,
        *,
        endpoint: str,
        wall_s: float,
        first_token_s: float | None = None,
        started: str | None = None,
    ) -> Completion:
        """The completion of a whole answer; raises ``ModelError``, the completion with it, if it cannot be graded."""
        parted = separate(self.text)
        completion = Completion(
            text=parted.answer,
            reasoning="\n".join(part for part in (self.reasoning, parted.thought) if part),
            finish_reason=self.finish_reason,
            model_answered=self.model,
            usage=self.usage,
            timings=self.timings,
            left_out=tuple(f"{place}.{name}" for place, names in self._left_out.items() for name in names),
            wall_s=wall_s,
            first_token_s=first_token_s,
            started=started,
        )
        if self._strange and not self._text.all.strip():
            what = self._strange if self._strange == _LEGACY else f"answered with {_STRANGE} ({self._strange})"
            raise ModelError(invalid_failure(endpoint, what, "", 200), completion)
        called = f"called the tool {one_line(self._called)!r}, and no tools were offered to it" if self._called else ""
        if failure := answer_failure(completion, request, endpoint=endpoint, leak=parted.leak, wordless=called):
            raise ModelError(failure, completion)
        return completion


class _Words:
    """The text of an answer so far, or its reasoning."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._by_parts = False

    @property
    def all(self) -> str:
        return "".join(self._parts)

    def add(self, part: str, *, by_parts: bool, ended: bool) -> bool:
        """Take a part, or in place of one a whole message; True when it was new.

        Some servers send the whole message once more at the end of a stream: it counts only if nothing came before.
        """
        if not part or (self._by_parts and not by_parts) or (ended and self._repeats(part)):
            return False
        self._by_parts = self._by_parts or by_parts
        self._parts.append(part)
        self._length += len(part)
        return True

    def _repeats(self, part: str) -> bool:
        return len(part) == self._length >= _REPEATED_CHARS and part == self.all


def _first_choice(choices: Any) -> Mapping[str, Any] | None:
    """The choice of index 0: others are answers of their own, which nobody asked for."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping):
            index = choice.get("index")
            if not isinstance(index, int) or index == 0:
                return choice
    return None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> tuple[Usage, tuple[str, ...]]:
    """The counts that can be kept, and the names of those that were told and cannot."""
    prompt, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    told = {name: usage.get(name) for name in _COUNTS}
    told["cached_tokens"] = prompt.get("cached_tokens") if isinstance(prompt, Mapping) else None
    told["reasoning_tokens"] = written.get("reasoning_tokens") if isinstance(written, Mapping) else None
    kept = {name: count(value) for name, value in told.items()}
    return Usage(**kept), tuple(name for name, value in told.items() if value is not None and kept[name] is None)


def _mended(text: str) -> str:
    """The text as valid Unicode: escaped halves of a character, split over two chunks, find each other again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
