from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
import zstandard

from sgr_spiders.model.exceptions import BadRecordError
from sgr_spiders.soundcloud.lenient_json import OddValue
from sgr_spiders.soundcloud.raw import _select_cached, pack, unknown_fields, unpack

MAX_BYTES = 4 * 1024 * 1024


@pytest.mark.parametrize(
    "fields",
    [
        {"a": 1, "b": [None, True, 1.5, "é\n☃"], "c": {"d": {}}},
        {"long": "x" * 100_000},
        {"big": 2**70, "whole": "\U0001f600"},
    ],
)
def test_packed_fields_are_restored(fields: dict[str, Any]) -> None:
    packed = pack(fields)
    assert packed is not None
    assert unpack(packed) == fields


HALVES = {"half": "a\ud800", "\udfff": ["\udfff", {"\ud83d": "\ud83d\ud83d"}], "big": 2**70}
MENDED = {"half": "a\ufffd", "\ufffd": ["\ufffd", {"\ufffd": "\ufffd\ufffd"}], "big": 2**70}


def test_lone_surrogates_are_replaced() -> None:
    packed = pack(HALVES)
    assert packed is not None
    assert unpack(packed) == MENDED
    orjson.loads(zstandard.decompress(packed))


def test_lone_surrogates_of_an_older_version_are_replaced() -> None:
    assert unpack(zstandard.compress(json.dumps(HALVES).encode())) == MENDED


@pytest.mark.parametrize("value", [OddValue("too large"), [{"a": OddValue("too large")}]])
def test_an_odd_value_is_refused(value: object) -> None:
    with pytest.raises(BadRecordError, match="too large"):
        pack({"a": value, "b": 1})


def test_long_names_are_not_kept_in_memory() -> None:
    known = frozenset({"title"})
    before = _select_cached.cache_info()
    for number in range(10):
        name = f"{number}" * 100_000
        assert unknown_fields({"title": 1, name: 2}, known) == {name: 2}
    assert _select_cached.cache_info().currsize == before.currsize
    for title in ("a", "b"):
        assert unknown_fields({"title": title, "new": 1}, known) == {"new": 1}
    assert _select_cached.cache_info().hits == before.hits + 1


def test_nothing_packs_to_nothing() -> None:
    assert pack({}) is None
    assert pack({"a": "https://x?secret_token=s"}) is None


def test_too_much_is_refused() -> None:
    with pytest.raises(BadRecordError, match="unknown fields take"):
        pack({"a": "x" * MAX_BYTES})


def test_too_deep_fields_are_refused() -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels - 1):
            value = [value]
        return {"a": value}

    packed = pack(nested(64))
    assert packed is not None
    assert unpack(packed) == nested(64)
    assert pack({"a": [nested(63)["a"], [], []]}) is not None, "as deep, and with more lists"
    with pytest.raises(BadRecordError, match="nested too deeply"):
        pack(nested(65))


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * (MAX_BYTES + 1))
    assert len(bomb) < 10_000
    with pytest.raises(ValueError, match="larger than"):
        unpack(bomb)
    nameless = zstandard.ZstdCompressor(write_content_size=False).compress(b" " * (MAX_BYTES + 1))
    with pytest.raises(ValueError, match="larger than"):
        unpack(nameless)


@pytest.mark.parametrize(
    "packed", [b"", b"text", b"\x28\xb5\x2f\xfd", zstandard.compress(b"[]"), zstandard.compress(b"{")]
)
def test_foreign_data_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message depends on the library
        unpack(packed)


def test_the_same_fields_pack_to_the_same_bytes() -> None:
    assert pack({"a": 1, "b": [2]}) == pack({"a": 1, "b": [2]})
