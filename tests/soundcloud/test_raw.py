from __future__ import annotations

from typing import Any

import pytest
import zstandard

from sgr_spiders.model.exceptions import BadRecordError
from sgr_spiders.soundcloud.raw import pack, unpack

MAX_BYTES = 4 * 1024 * 1024


@pytest.mark.parametrize(
    "fields",
    [
        {"a": 1, "b": [None, True, 1.5, "é\n☃"], "c": {"d": {}}},
        {"long": "x" * 100_000},
        {"half": "\ud800", "big": 2**70},
        {"half": ["\udfff"]},
    ],
)
def test_packed_fields_are_restored(fields: dict[str, Any]) -> None:
    packed = pack(fields)
    assert packed is not None
    assert unpack(packed) == fields


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
