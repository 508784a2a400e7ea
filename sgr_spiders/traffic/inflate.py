"""Decompression of response bodies with a size limit; a truncated body is an error."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
"""The content encodings that ``inflate`` decodes, as sent to the API."""

_CHUNK = 1 << 18


class BrokenBodyError(Exception):
    """A body that is damaged, truncated, or in an encoding that was not requested."""


class TooLargeError(Exception):
    """A body above the size limit."""


def inflate(body: bytes, encodings: list[str], limit: int) -> bytes:
    """Undo the content *encodings*, last first, up to *limit* bytes (0: no limit).

    Raises:
        BrokenBodyError: The body is damaged, truncated or in another encoding.
        TooLargeError: The decoded body is larger than *limit*.
    """
    for encoding in reversed(encodings):
        body = _undo(body, encoding, limit)
    return body


def _undo(body: bytes, encoding: str, limit: int) -> bytes:
    try:
        if encoding in {"gzip", "x-gzip"}:
            return _stream(body, 16 + zlib.MAX_WBITS, limit)
        if encoding == "deflate":
            return _undo_deflate(body, limit)
    except zlib.error:
        raise BrokenBodyError(f"damaged {encoding} body") from None
    if encoding == "identity":
        return body
    raise BrokenBodyError("a content encoding that was not requested")


def _undo_deflate(body: bytes, limit: int) -> bytes:
    """Undo ``deflate``: a zlib stream according to RFC 9110, a raw stream from some servers."""
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
            raise BrokenBodyError("a truncated compressed body")
    if inflater.unused_data.strip(b"\0"):
        raise BrokenBodyError("a compressed body with trailing data")
    return bytes(output)
