"""Decompression of bodies."""

from __future__ import annotations

import gzip
import zlib

import pytest

from sgr_spiders.traffic.inflate import BrokenBodyError, TooLargeError, inflate

BODY = b"0123456789" * 100_000
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(BODY) + RAW.flush()


@pytest.mark.parametrize(
    ("body", "encodings"),
    [
        (BODY, []),
        (BODY, ["identity"]),
        (gzip.compress(BODY), ["gzip"]),
        (gzip.compress(BODY), ["x-gzip"]),
        (gzip.compress(BODY) + b"\0\0", ["gzip"]),
        (zlib.compress(BODY), ["deflate"]),
        (RAW_DEFLATE, ["deflate"]),
        (gzip.compress(zlib.compress(BODY)), ["deflate", "gzip"]),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "padded", "deflate", "raw deflate", "two"],
)
def test_encodings_are_undone_last_first(body: bytes, encodings: list[str]) -> None:
    assert inflate(body, encodings, 0) == BODY
    assert inflate(body, encodings, 1_000_000) == BODY, "the limit itself is allowed"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(BODY), "gzip"), (zlib.compress(BODY), "deflate")],
    ids=["gzip", "deflate"],
)
def test_a_byte_above_the_limit_is_an_error(body: bytes, encoding: str) -> None:
    with pytest.raises(TooLargeError):
        inflate(body, [encoding], 999_999)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", "gzip"),
        (gzip.compress(BODY)[:-1], "gzip"),
        (gzip.compress(BODY) + b"more", "gzip"),
        (gzip.compress(BODY)[:-8] + b"\0" * 8, "gzip"),
        (zlib.compress(BODY)[:-1], "deflate"),
        (b"no gzip", "gzip"),
        (b"no deflate", "deflate"),
        (BODY, "br"),
    ],
    ids=[
        "empty",
        "truncated",
        "trailing",
        "checksum",
        "truncated deflate",
        "no gzip",
        "no deflate",
        "brotli",
    ],
)
def test_a_broken_body_is_an_error(body: bytes, encoding: str) -> None:
    with pytest.raises(BrokenBodyError):
        inflate(body, [encoding], 0)
