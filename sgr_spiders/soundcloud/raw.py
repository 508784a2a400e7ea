"""Fields that have no column, kept as zstd-compressed JSON.

What opens private things, plays audio or tells about the caller is left out at any depth.

``pack`` reuses one compressor and is therefore not thread safe; a crawl parses in one thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import orjson
import zstandard

from sgr_spiders.model.exceptions import BadRecordError

Json: TypeAlias = Any
"""Whatever JSON holds."""
Document: TypeAlias = Mapping[str, Json]
"""A JSON object."""

MAX_DEPTH: Final = 64
"""How deep a record's values may nest; orjson writes at most 254 levels."""
MAX_BYTES: Final = 4 * 1024 * 1024
"""The most JSON that one record's unknown fields may take."""

_WITHHELD: Final = re.compile(
    r"""^media$ | ^user_(favorite|playback_count)$
    | secret | token | authorization | password | ^(client_id|consumer_key)$
    | ^streams?$ | (stream|download)_ur[il] | transcoding | ^progressive | ^(http|hls)_ | _(mp3|aac|opus)_
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""The names of fields that are left out."""
_TRACES: Final = tuple(
    b"media user_ secret token authorization password client_id consumer_key stream download transcoding"
    b" progressive http_ hls_ _mp3_ _aac_ _opus_".split()
)
"""JSON that holds none of these holds no withheld field."""
_SECRET: Final = "secret_token"  # noqa: S105 - the name of one
"""Text that holds it is the address of something private."""
_SECRET_BYTES: Final = _SECRET.encode()
_SMALL_BYTES: Final = 384
_CONTAINERS: Final = frozenset({dict, list})

# Short JSON does not compress anyway: the fastest level only frames it.
_frame = zstandard.ZstdCompressor(level=-1, write_checksum=False).compress
_compress = zstandard.ZstdCompressor(level=1, write_checksum=False).compress
_decompressor = zstandard.ZstdDecompressor()


def pack(fields: Document) -> bytes | None:
    """Return the fields as compressed JSON, ``None`` if there are none.

    ``BadRecordError`` if they nest too deeply or are too large.
    """
    if not fields:
        return None
    data = b"" if _may_hide_below(fields) else _dump(fields)
    if not data or _SECRET_BYTES in data:
        fields = purge(fields)
        if not fields:
            return None
        data = _dump(fields)
    if len(data) <= _SMALL_BYTES:
        return _frame(data)
    if len(data) > MAX_BYTES:
        raise BadRecordError(f"unknown fields take {len(data)} bytes, more than {MAX_BYTES}")
    return _compress(data)


def unpack(packed: bytes) -> dict[str, Json]:
    """Return what ``pack`` was given. ``ValueError`` if this is not its work, or larger than it makes."""
    try:
        # Checked first: given a size in the frame, the library allocates it whatever limit is named.
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_BYTES:
            raise ValueError(f"packed JSON claims to be larger than {MAX_BYTES} bytes")
        data = _decompressor.decompress(packed, max_output_size=MAX_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(f"not packed JSON: {error}") from error
    fields = _load(data)
    if isinstance(fields, dict):
        return fields
    raise ValueError("packed JSON is not an object")


def unknown_fields(document: Document, known: frozenset[str]) -> dict[str, Json]:
    """Return the document's fields beside the known ones, by name, without null and withheld ones.

    Values are as they came; ``pack`` takes out what they hide.
    """
    names = _unknown_names(tuple(document), known)
    return {name: value for name in names if (value := document[name]) is not None}


def purge(value: Json, depth: int = 1) -> Json:
    """Return a copy without withheld fields and secret addresses. ``BadRecordError`` if nested too deeply."""
    if not isinstance(value, (dict, list)):
        return value
    if depth > MAX_DEPTH:
        raise BadRecordError("nested too deeply")
    if isinstance(value, list):
        return [purge(item, depth + 1) for item in value if not _is_secret(item)]
    return {
        name: purge(item, depth + 1)
        for name, item in value.items()
        if not (_is_withheld(name) or _is_secret(item))
    }


# An endpoint answers with the same fields in the same order, so this is hit nearly always.
@lru_cache(maxsize=1024)
def _unknown_names(names: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    # Sorted, so that the same fields always pack to the same bytes.
    return tuple(sorted(name for name in set(names) - known if not _is_withheld(name)))


def _may_hide_below(fields: Document) -> bool:
    """Return whether a nested value may hold what ``purge`` takes out, or nest deeper than it allows."""
    for value in fields.values():
        if type(value) in _CONTAINERS:
            try:
                data = orjson.dumps(value)
            except TypeError:
                return True
            if len(data) > _SMALL_BYTES or _may_hide(data):
                return True
    return False


# Nested values are few and much the same: the plans of users, the apps that uploaded.
@lru_cache(maxsize=4096)
def _may_hide(data: bytes) -> bool:
    openings = data.count(b"{") + data.count(b"[")
    lowered = data.lower()
    return openings >= MAX_DEPTH or any(trace in lowered for trace in _TRACES)


def _is_withheld(name: str) -> bool:
    return _WITHHELD.search(name) is not None


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and _SECRET in value


def _dump(fields: Document) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError:
        # Lone surrogates and integers beyond 64 bits.
        return json.dumps(fields).encode()


def _load(data: bytes) -> Json:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)
