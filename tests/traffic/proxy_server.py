"""An HTTP proxy over real sockets that opens tunnels, or refuses to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class ProxyServer:
    """Proxy that runs in its own threads inside a ``with`` block.

    It sends *refusal* instead of opening a tunnel, and records the heads of the requests for tunnels.
    """

    def __init__(self, refusal: bytes = b"") -> None:
        self._refusal = refusal
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.heads: list[str] = []

    @property
    def url(self) -> str:
        return f"http://someone:s3cret-of-proxy@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head.decode())
            if self._refusal:
                client.sendall(self._refusal)
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()
                _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
