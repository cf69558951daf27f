"""How many bytes a connection has brought, headers, framing and interim answers included.

What a server sends besides the body is counted nowhere else: interim answers without an end, or chunks of one byte with
kilobytes of extensions, would keep this process busy until the time for the answer is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HEAD_BYTES = 1_000_000
"""Until the headers of an answer are whole."""

_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Meter:
    """Of one connection, over all that is asked on it."""

    def __init__(self) -> None:
        """Nothing is counted before the first ``allow``."""
        self._left = 0
        self._too_much: Callable[[], Exception] = ConnectionError

    def allow(self, count: int, too_much: Callable[[], Exception]) -> None:
        """Let this many bytes come from now on; at more, what ``too_much`` gives is raised where they are read."""
        self._left, self._too_much = count, too_much

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Begin to count on a connection that was just made; takes what httpx tells in its ``trace``."""
        if event in _CONNECTED:
            stream = info["return_value"]
            stream.read = self._counted(stream.read)

    def _counted(self, read: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*args: Any, **kwargs: Any) -> bytes:
            data: bytes = await read(*args, **kwargs)
            self._left -= len(data)
            if self._left < 0:
                raise self._too_much()
            return data

        return counted
