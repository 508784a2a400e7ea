"""An HTTP server over real sockets that follows a script and records its requests."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

OK = b'{"collection": [], "next_href": null}'


@dataclass(frozen=True)
class Seen:
    """A received request; ``at`` is wall time."""

    at: float
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A response, sent after ``delay`` and once ``until`` requests have arrived.

    A ``fault`` breaks the connection.
    """

    status: int = 200
    body: bytes = OK
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    until: int = 0
    fault: Literal["reset", "cut", "stall"] | None = None


Script = Callable[[Seen, int], Reply]
"""A function of the request and the number of earlier requests for its target."""


class FaultServer:
    """Server that runs in its own thread inside a ``with`` block."""

    def __init__(
        self, script: Script, host: str = "127.0.0.1", certificate: ssl.SSLContext | None = None
    ) -> None:
        self.seen: list[Seen] = []
        self.answered: list[tuple[float, int]] = []
        self.port = 0
        self.script = script
        self._host = host
        self._certificate = certificate
        self._counts: dict[str, int] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()
        self._counted = threading.Condition()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._end: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._certificate else 'http'}://{host}:{self.port}"

    def targets(self, start: str = "") -> list[str]:
        return [seen.target for seen in self.seen if seen.target.startswith(start)]

    def wait_for(self, requests: int) -> None:
        """Wait until that many requests have arrived."""
        with self._counted:
            assert self._counted.wait_for(lambda: len(self.seen) >= requests, 30), self.targets()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._thread.join(10)

    async def _run(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        server = await asyncio.start_server(self._connect, self._host, 0, ssl=self._certificate)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await ended.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        seen = await _read(reader)
        before = self._counts.get(seen.target, 0)
        self._counts[seen.target] = before + 1
        async with self._arrived:
            with self._counted:
                self.seen.append(seen)
                self._counted.notify_all()
            self._arrived.notify_all()
        reply = self.script(seen, before)
        await asyncio.sleep(reply.delay)
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= reply.until)
        if reply.fault == "reset":
            writer.transport.abort()
            return False
        if reply.fault == "stall":
            await asyncio.sleep(60)
        self.answered.append((time.time(), reply.status))
        writer.write(_head(reply) + reply.body)
        await writer.drain()
        return reply.fault is None


async def _read(reader: asyncio.StreamReader) -> Seen:
    start = await reader.readexactly(1)
    if not start.isalpha():
        raise ConnectionError("a request of another protocol, such as a TLS handshake")
    head = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    at = time.time()
    method, target, _ = head[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(at, method, target, headers, body)


def _head(reply: Reply) -> bytes:
    length = len(reply.body) + (100 if reply.fault == "cut" else 0)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(length),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
