"""Pack fields without a column as zstd-compressed JSON.

Fields that give access to private records, play audio or describe the caller are left out at any depth.

``pack`` reuses one compressor and is therefore not thread-safe; a crawl parses in one thread.

A record alone is too short to compress, so a database has dictionaries that its records share (see
``raw_dictionary``). A frame names its dictionary by ID. The ID follows from the dictionary's content, so the
dictionaries of several databases can be loaded together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeAlias

import orjson
import zstandard

from sgr_spiders.model.exceptions import BadRecordError
from sgr_spiders.soundcloud.lenient_json import OddValue

Json: TypeAlias = Any
"""Any JSON value."""
Document: TypeAlias = Mapping[str, Json]
"""A JSON object."""

MAX_DEPTH: Final = 64
"""The maximum nesting depth of a record's values; orjson writes at most 254 levels."""
MAX_BYTES: Final = 4 * 1024 * 1024
"""The maximum size of one record's unknown fields as JSON."""
SECRET: Final = "secret_token"  # noqa: S105 - a name, not a secret
"""A string that contains this is the URL of a private record."""
WITHHELD: Final = "(withheld)"
"""Replaces texts that contain a private URL, such as a description that links to one."""

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
"""JSON without any of these strings contains no withheld field."""
_SECRET_BYTES: Final = SECRET.encode()
_SMALL_BYTES: Final = 384
_MAX_CACHED_NAMES: Final = 4096
"""The total length of a record's names up to which their selection is cached; real records have 1,000."""
_CONTAINERS: Final = frozenset({dict, list})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

FIRST_ID: Final = 1 << 15
LAST_ID: Final = (1 << 31) - 1
"""The range of dictionary IDs that zstd leaves to private use."""

# Short JSON does not compress, so the fastest level, which only frames it, is enough.
_frame = zstandard.ZstdCompressor(level=-1, write_checksum=False).compress
_compress = zstandard.ZstdCompressor(level=1, write_checksum=False).compress
_dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
_decompressors: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}
_LEVEL: Final = 3
"""With a dictionary, level 3 is as fast as level 1 and takes 2% less space."""


def load_dictionary(content: bytes) -> int:
    """Make a dictionary known to ``unpack``, and return its ID."""
    dictionary = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)
    dictionary_id = int(dictionary.dict_id())
    if dictionary_id not in _dictionaries:
        _dictionaries[dictionary_id] = dictionary
        _decompressors[dictionary_id] = zstandard.ZstdDecompressor(dict_data=dictionary)
    return dictionary_id


def compressor_with(dictionary_id: int) -> Callable[[bytes], bytes]:
    """Return a function that compresses JSON with a loaded dictionary."""
    dictionary = _dictionaries[dictionary_id]
    dictionary.precompute_compress(level=_LEVEL)
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary, write_checksum=False).compress


@contextmanager
def packing_with(dictionary_id: int | None) -> Iterator[None]:
    """Let ``pack`` use a loaded dictionary in this context; ``None`` stands for none.

    While contexts with different dictionaries are open, as crawls of two databases in one process, ``pack``
    uses none: no database must get a frame whose dictionary it does not have.
    """
    _open_contexts.append(dictionary_id)
    _choose_compressor()
    try:
        yield
    finally:
        _open_contexts.remove(dictionary_id)
        _choose_compressor()


_open_contexts: list[int | None] = []
_compress_shared: Callable[[bytes], bytes] | None = None


def _choose_compressor() -> None:
    global _compress_shared  # noqa: PLW0603 - like the other compressors, it belongs to the process
    wanted = set(_open_contexts)
    (only,) = wanted if len(wanted) == 1 else (None,)
    _compress_shared = None if only is None else compressor_with(only)


def pack(fields: Document, *, alone: bool = False) -> bytes | None:
    """Return the fields as compressed JSON, ``None`` if there are none; *alone*: without a dictionary.

    Raises ``BadRecordError`` if they are nested too deeply or too large.
    """
    if not fields:
        return None
    data = b"" if _may_hide_below(fields) else dump_json(fields)
    if not data or _SECRET_BYTES in data:
        fields = purge(fields)
        if not fields:
            return None
        data = dump_json(fields)
    if len(data) > MAX_BYTES:
        raise BadRecordError(f"unknown fields take {len(data)} bytes, more than {MAX_BYTES}")
    if _compress_shared is not None and not alone:
        return _compress_shared(data)
    return _frame(data) if len(data) <= _SMALL_BYTES else _compress(data)


def pack_again(fields: Document) -> bytes | None:
    """Return some of the fields that ``unpack`` returned as compressed JSON, ``None`` if there are none.

    Any thread may call this. It uses no dictionary.
    """
    if not fields:
        return None
    return zstandard.ZstdCompressor(level=1, write_checksum=False).compress(dump_json(fields))


def unpack(packed: bytes) -> dict[str, Json]:
    """Return the fields that ``pack`` packed.

    Raises ``ValueError`` if *packed* is invalid or too large, or its dictionary is not loaded.
    """
    fields = _load(decompress(packed))
    if isinstance(fields, dict):
        return fields
    raise ValueError("packed JSON is not an object")


def decompress(packed: bytes) -> bytes:
    """Return the JSON that ``pack`` compressed. Raises the errors of ``unpack``."""
    try:
        # Check first: zstandard allocates the size in the frame, whatever ``max_output_size`` is.
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_BYTES:
            raise ValueError(f"packed JSON claims to be larger than {MAX_BYTES} bytes")
        dictionary_id = dictionary_of(packed)
        if dictionary_id not in _decompressors:
            raise ValueError(f"packed with the dictionary {dictionary_id}, which is not loaded")
        return _decompressors[dictionary_id].decompress(packed, max_output_size=MAX_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(f"not packed JSON: {error}") from error


def dictionary_of(packed: bytes) -> int:
    """Return the ID of the dictionary of a frame, 0 if it has none; raise ``ZstdError`` if it is not one."""
    return int(zstandard.get_frame_parameters(packed).dict_id)


def unknown_fields(document: Document, known: frozenset[str]) -> dict[str, Json]:
    """Return the document's unknown fields, sorted by name, without null and withheld ones.

    The values are unchanged; ``pack`` removes withheld fields inside them.
    """
    names = tuple(document)
    try:
        unknown = _select_cached(names, known)
    except _LongNamesError:
        unknown = _select_unknown(names, known)
    return {name: value for name in unknown if (value := document[name]) is not None}


def purge(value: Json, depth: int = 1) -> Json:
    """Return a copy without withheld fields and secret URLs; raise ``BadRecordError`` if too deep."""
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


def _select_unknown(names: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    # Sorted, so that the same fields always pack to the same bytes.
    return tuple(sorted(name for name in set(names) - known if not _is_withheld(name)))


class _LongNamesError(Exception):
    """Names come from outside and may have megabytes, which a cache would keep. An error is not cached."""


# The responses of an endpoint have the same fields in the same order, so nearly every call is a cache hit.
@lru_cache(maxsize=1024)
def _select_cached(names: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    if sum(map(len, names)) > _MAX_CACHED_NAMES:
        raise _LongNamesError
    return _select_unknown(names, known)


def _may_hide_below(fields: Document) -> bool:
    """Return whether a nested value may contain fields that ``purge`` removes, or be nested too deeply."""
    for value in fields.values():
        if type(value) in _CONTAINERS:
            try:
                data = orjson.dumps(value)
            except TypeError:
                return True
            if len(data) > _SMALL_BYTES or _may_hide(data):
                return True
    return False


# There are few different nested values: the plans of users, the apps used for uploads.
@lru_cache(maxsize=4096)
def _may_hide(data: bytes) -> bool:
    openings = data.count(b"{") + data.count(b"[")
    lowered = data.lower()
    return openings >= MAX_DEPTH or any(trace in lowered for trace in _TRACES)


def _is_withheld(name: str) -> bool:
    return _WITHHELD.search(name) is not None


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and SECRET in value


def dump_json(fields: Document) -> bytes:
    """Return the fields as JSON; raise ``BadRecordError`` for values that JSON has not."""
    try:
        return orjson.dumps(fields)
    except TypeError:
        # Lone surrogates, integers beyond 64 bits, and odd values.
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=_refuse)
        return _SURROGATE.sub("\ufffd", text).encode()


def _refuse(value: object) -> NoReturn:
    raise BadRecordError(value.reason if isinstance(value, OddValue) else f"contains {type(value).__name__}")


def _load(data: bytes) -> Json:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        # Older databases contain lone surrogates, which no reader could write.
        return json.loads(dump_json(json.loads(data)))
