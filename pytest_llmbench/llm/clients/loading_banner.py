"""llama-swap's loading banner: what it streams as reasoning while it loads a model (``sendLoadingState``). Pure.

It begins with a bar and ``llama-swap loading model:`` and ends with the seconds and a bar; no model wrote any of it.
"""

from __future__ import annotations

import re

_HEAD = "━━━━━\nllama-swap loading model:"
_END = re.compile(r"Done! \([0-9.]{1,12}s\)\n━━━━━\n")
_AFTER = " \n"
_KEPT_CHARS = 100
"""Of a banner without end: enough to find its end, however it is cut into parts."""


class LoadingBanner:
    """Takes the banner out of a stream of reasoning."""

    def __init__(self) -> None:
        self._state = "before"
        self.held = ""
        """What has come and may yet be the beginning of a banner."""

    def without(self, part: str) -> str:
        """What of the stream so far, this part included, was not given yet and is no banner."""
        if self._state == "over":
            return part
        self.held += part
        if self._state == "before" and self.held.startswith(_HEAD):
            self._state = "inside"
        if self._state == "inside":
            if (end := _END.search(self.held)) is None:
                self.held = self.held[-_KEPT_CHARS:]
                return ""
            self._state, self.held = "after", self.held[end.end() :]
        begin = _HEAD if self._state == "before" else _AFTER
        if begin.startswith(self.held) and self.held != begin:
            return ""
        rest = self.held.removeprefix(_AFTER) if self._state == "after" else self.held
        self._state, self.held = "over", ""
        return rest

    @property
    def rest(self) -> str:
        """What was held back of a stream that ended before it was known to be no banner."""
        return self.held if self._state == "before" else ""
