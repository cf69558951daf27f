"""Random answers of model servers, from a seed: status, headers, shapes, numbers, depth, sizes, cuts and encodings.

Each is bytes on the wire, for ``RawServer``. No answer asks for a long wait by a rule of HTTP, for that is obeyed.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator

from support.raw_server import event, head, said

STATUSES = ("200 OK",) * 80 + (
    "201 Created", "204 No Content", "206 Partial", "301 Moved", "302 Found", "304 Not Modified", "307 Again",
    "400 Bad Request", "401 Unauthorized", "402 Pay", "403 No", "404 Not Found", "408 Late", "413 Large",
    "418 Teapot", "422 No", "429 Slow Down", "500 Oops", "502 Bad Gateway", "503 Busy", "529 Overloaded", "599 x",
    "999 y", "199 z", "200", "2000 OK", "-1 x", "OK",
)  # fmt: skip
NUMBERS = (
    "0", "1", "7", "-1", "-0", "1.5", "1e3", "1e308", "-1e308", "1e309", "5e-324", "NaN", "Infinity", "-Infinity",
    "true", "null", '"7"', "[]", "{}", "1" + "0" * 11, "1" + "0" * 12, "1" + "0" * 13, "1" + "0" * 400,
    "1" * 5000, "0." + "3" * 5000, "9" * 19, "18446744073709551616", "1e-400", "01", "+1", "0x10", "1_000",
)  # fmt: skip
TEXTS = (
    "```python\ndef add(a, b):\n    return a + b\n```\n", "ok", "", " ", "\x00\x1b[2J\x07", "\u202e\u200b\ufeff",
    "\ud800", "\U0001f600", "<think>", "</think>", "```", "# a\n" * 50, "::error::x\n", "a" * 3000, "\r\n\r\n",
)  # fmt: skip
FIGURES = ("prompt_n", "prompt_ms", "predicted_n", "predicted_ms", "predicted_per_second", "cache_n", "x" * 300, "")
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
ENCODINGS = ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x-gzip", "identity", "IDENTITY", "compress", "\xff", "")
PAUSES = ("0", "0.01", "-5", "nan", "1e400", "soon", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "9" * 5000, "")


def answer(seed: int) -> Iterator[bytes]:
    """The pieces of one answer."""
    return _Answer(random.Random(seed)).pieces()


class _Answer:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pieces(self) -> Iterator[bytes]:
        rng = self.rng
        kind, body = self._body()
        status = rng.choice(STATUSES)
        headers: dict[str, object] = {}
        if rng.random() < 0.08:
            headers["Content_Encoding"] = coding = rng.choice(ENCODINGS)
            if rng.random() < 0.7:
                body = gzip.compress(body) if "gzip" in coding else zlib.compress(body)
        if rng.random() < 0.2:
            headers["Retry_After"] = rng.choice(PAUSES)
        if status.startswith("3"):
            headers["Location"] = rng.choice(("/", "file:///etc/passwd", "http://127.0.0.2:9/x", "\x00", "x" * 9000))
        if rng.random() < 0.1:
            headers |= {f"X-{number}": "y" * rng.choice((1, 100, 3000)) for number in range(rng.choice((1, 50, 2000)))}
        if rng.random() < 0.1:
            body = body[: rng.randrange(len(body) + 1)]
        framing = rng.choice((*("close", "length", "chunked") * 4, "short", "long", "broken"))
        if framing in ("length", "short", "long"):
            headers["Content_Length"] = len(body) + {"length": 0, "short": -1, "long": 10}[framing]
        elif framing in ("chunked", "broken"):
            headers["Transfer_Encoding"] = "chunked"
            body = self._chunked(body, whole=framing == "chunked")
        if rng.random() < 0.05:
            yield b"HTTP/1.1 100 Continue\r\n\r\n" * rng.choice((1, 50))
        whole = head(status, kind, **headers) + body
        if rng.random() < 0.05:
            whole = bytes(each ^ (rng.random() < 0.002) for each in whole[:20_000])
        at = 0
        while at < len(whole):
            size = rng.choice((1, 7, 1000)) if at < 3000 else 1_000_000
            yield whole[at : at + size]
            at += size

    def _body(self) -> tuple[str, bytes]:
        kind = self.rng.choice((*("stream",) * 8, "whole", "whole", "error", "noise", "flood"))
        if kind == "stream":
            return self.rng.choice(("text/event-stream", "text/plain", "")), self._stream()
        if kind == "whole":
            text = self._whole().encode("utf-8", "surrogatepass")
            return "application/json", text if self.rng.random() < 0.9 else text.decode(errors="replace").encode(
                "utf-16"
            )
        if kind == "error":
            fields = (f'"{name}": {self._value()}' for name in ("message", "type", "code", "n_ctx", "n_prompt_tokens"))
            return "application/json", f'{{"error": {{{", ".join(fields)}}}}}'.encode("utf-8", "surrogatepass")
        if kind == "noise":
            return self.rng.choice(("text/html", "application/json", "text/event-stream")), self._noise()
        return "text/event-stream", self._flood()

    def _stream(self) -> bytes:
        parts = [self._part() for _ in range(self.rng.randrange(6))]
        if self.rng.random() < 0.8:
            parts.append(event({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        if self.rng.random() < 0.8:
            parts.append(event("[DONE]"))
        return b"".join(parts)

    def _part(self) -> bytes:
        odd = (
            f'{{"choices": [], "timings": {self._table(FIGURES)}}}',
            f'{{"choices": [], "usage": {self._table(COUNTS)}, "created": {self._value()}}}',
            f'{{"choices": {self._value()}, "model": {self._value()}}}',
            f'{{"choices": [{{"delta": {{"content": {self._value()}}}}}]}}',
            f'{{"choices": [{{"delta": {self._value()}, "finish_reason": {self._value()}}}]}}',
            self._value(),
        )
        stray = (b": still here\n", b"proxy error: gone\n", event(self.rng.choice(odd)))
        figures = event(self.rng.choice(odd[:2]))
        return self.rng.choice((said(self._text()), said(self._text()), figures, figures, self.rng.choice(stray)))

    def _whole(self) -> str:
        message = f'{{"content": {json.dumps(self._text())}, "reasoning_content": {self._value()}}}'
        finish = self.rng.choice(('"stop"', self._value()))
        choice = f'{{"message": {message}, "finish_reason": {finish}}}'
        return f'{{"choices": [{choice}], "usage": {self._table(COUNTS)}, "timings": {self._table(FIGURES)}}}'

    def _table(self, names: tuple[str, ...]) -> str:
        return "{" + ", ".join(f'"{name}": {self._value()}' for name in self.rng.sample(names, 3)) + "}"

    def _value(self) -> str:
        """A JSON value as a text, or nearly one."""
        kind = self.rng.random()
        if kind < 0.6:
            return self.rng.choice(NUMBERS)
        if kind < 0.8:
            return json.dumps(self._text())
        if kind < 0.9:
            depth, opening, closing = (
                self.rng.choice((1, 5, 60, 900, 3000)),
                *self.rng.choice((('{"a":', "}"), ("[", "]"))),
            )
            return opening * depth + self.rng.choice(NUMBERS) + closing * depth
        return "[" + ",".join(self.rng.choice(NUMBERS) for _ in range(self.rng.choice((0, 3, 500)))) + "]"

    def _text(self) -> str:
        return "".join(self.rng.choice(TEXTS) for _ in range(self.rng.randrange(4)))

    def _noise(self) -> bytes:
        return self.rng.choice(
            (b"", b"<html><body>nginx</body></html>", b"\n" * 500, b"\x00" * 500, b"{", b"data: ", b"[" * 5000,
             b"data: {}\n\n" * 50, b"\xef\xbb\xbf{}", self.rng.randbytes(300))
        )  # fmt: skip

    def _flood(self) -> bytes:
        piece = self.rng.choice(
            (b"data: {}\n\n", b"x", b"\n", b"a\n", b": c\n", event({"choices": [{}]}), b'data: "' + b"\\" * 90)
        )
        return piece * (self.rng.choice((10_000, 10_000, 100_000, 3_000_000)) // len(piece))

    def _chunked(self, body: bytes, *, whole: bool) -> bytes:
        size = max(1, self.rng.choice((1, 30, 5000)), len(body) // 20_000)
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        text = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return text + (b"0\r\n\r\n" if whole else self.rng.choice((b"", b"zz\r\n", b"-5\r\n", b"F" * 400)))
