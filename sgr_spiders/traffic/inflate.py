"""Decompression with a limit, which never takes half a body for a whole one."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
"""What ``inflate`` can undo, as the API is told it."""

_CHUNK = 1 << 18


class BrokenBodyError(Exception):
    """A body is damaged, cut off, or compressed in a way never asked for. Raised by ``inflate``."""


class TooLargeError(Exception):
    """A body is larger than allowed. Raised by ``inflate``."""


def inflate(body: bytes, encodings: list[str], limit: int) -> bytes:
    """Undo the content encodings, last first; ``limit`` bounds the size in bytes (0: no bound)."""
    for encoding in reversed(encodings):
        body = _undo(body, encoding, limit)
    return body


def _undo(body: bytes, encoding: str, limit: int) -> bytes:
    try:
        if encoding in {"gzip", "x-gzip"}:
            return _stream(body, 16 + zlib.MAX_WBITS, limit)
        if encoding == "deflate":
            return _deflated(body, limit)
    except zlib.error:
        raise BrokenBodyError(f"damaged {encoding} body") from None
    if encoding == "identity":
        return body
    raise BrokenBodyError("a content encoding that was not asked for")


def _deflated(body: bytes, limit: int) -> bytes:
    """The name means zlib; some servers send the bare stream."""
    try:
        return _stream(body, zlib.MAX_WBITS, limit)
    except zlib.error:
        return _stream(body, -zlib.MAX_WBITS, limit)


def _stream(body: bytes, wbits: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    output = bytearray()
    while not inflater.eof:
        chunk = inflater.decompress(body, _CHUNK)
        output += chunk
        body = inflater.unconsumed_tail
        if limit and len(output) > limit:
            raise TooLargeError
        if not chunk and not body and not inflater.eof:
            raise BrokenBodyError("a compressed body that is cut off")
    if inflater.unused_data.strip(b"\0"):
        raise BrokenBodyError("a compressed body with something behind it")
    return bytes(output)
