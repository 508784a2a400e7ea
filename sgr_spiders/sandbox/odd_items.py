"""Invented items of lists, some with something odd about them."""

from __future__ import annotations

FIRST_ID = 9_000_000_000_001
"""The ID of the first invented item, larger than all IDs of a world."""

_NAMES = {"tracks": "title", "users": "username", "playlists": "title", "comments": "body"}

_FIELDS: dict[str, bytes] = {
    "number": b'"mood":1e999',
    "digits": b'"mood":' + b"9" * 400,
    "nan": b'"mood":NaN',
    "deep": b'"mood":' + b"[" * 3_000 + b"]" * 3_000,
    "surrogate": rb'"mood":"\ud800","\udfff":["\ud83d",{"a":"\udc00b"}],"description":"\ud800"',
    "names": b'"' + b"long" * 30_000 + b'":1,"' + b"name" * 30_000 + b'":{"a":"b"}',
}
"""Fields of an otherwise good item."""
_ITEMS: dict[str, bytes] = {
    "text": b'"an item in a string"',
    "null": b"null",
    "id": b'{"id":9000000000001,"title":"Of what kind?"}',
    "broken": b'{"kind":"track" "title":[,]}',
}
ODD = (*_FIELDS, *_ITEMS)
"""Names of the oddities."""


def invent(kind: str, number: int, fields: bytes = b"") -> bytes:
    """Return the invented item of this *number*, from 0, of a list of *kind*, with more *fields*."""
    identity = (
        f'"kind":"{kind[:-1]}","urn":"soundcloud:{kind}:{FIRST_ID + number}","{_NAMES[kind]}":"Invented"'
    )
    return b"{" + identity.encode() + (b"," + fields if fields else b"") + b"}"


def odd_items(kind: str, what: str) -> list[bytes]:
    """Return the odd item of a list of *kind*, or with "all" one of each, without "broken"."""
    chosen = [name for name in ODD if what in (name, "all") and (what, name) != ("all", "broken")]
    return [
        invent(kind, ODD.index(name), _FIELDS[name]) if name in _FIELDS else _ITEMS[name] for name in chosen
    ]
