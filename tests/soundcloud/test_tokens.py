"""Credentials, token requests by the API's documentation, token responses and the cache file."""

from __future__ import annotations

import base64
import errno
import json
import math
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from filelock import Timeout

from sgr_spiders.model.exceptions import BlockedError, CredentialsError, StorageError
from sgr_spiders.soundcloud.tokens import (
    Credentials,
    RefusedGrantError,
    Token,
    TokenCache,
    TokenFaultError,
    TokenLimitedError,
    cache_directory,
    exchange_request,
    parse_token_answer,
    refresh_request,
)

URL = "https://secure.soundcloud.com/oauth/token"
KEYS = Credentials("the-id", "the-S3cret")
NOW = 1_700_000_000.0
TOKEN = Token("acc3ss", "r3fresh", NOW + 3600, NOW)


def test_keys_are_read_from_settings() -> None:
    settings = {"SOUNDCLOUD_CLIENT_ID": " the-id ", "SOUNDCLOUD_CLIENT_SECRET": "the-S3cret"}
    assert Credentials.from_settings(settings) == KEYS


def test_a_token_given_outright_comes_first() -> None:
    settings = {"SOUNDCLOUD_CLIENT_ID": "a", "SOUNDCLOUD_CLIENT_SECRET": "b", "SOUNDCLOUD_ACCESS_TOKEN": "c"}
    assert Credentials.from_settings(settings) == Credentials(access_token="c")


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "credentials"),
        ({"SOUNDCLOUD_CLIENT_ID": "", "SOUNDCLOUD_ACCESS_TOKEN": None}, "credentials"),
        ({"SOUNDCLOUD_CLIENT_ID": "a"}, "SOUNDCLOUD_CLIENT_SECRET"),
        ({"SOUNDCLOUD_CLIENT_SECRET": "a"}, "SOUNDCLOUD_CLIENT_ID"),
    ],
)
def test_missing_credentials_name_both_ways_on(settings: dict[str, Any], missing: str) -> None:
    with pytest.raises(CredentialsError) as error:
        Credentials.from_settings(settings)
    text = str(error.value)
    assert text.startswith(f"missing {missing}: ")
    assert "\n" not in text
    names = ("SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET", "SOUNDCLOUD_ACCESS_TOKEN", "scrapy sandbox")
    assert all(name in text for name in names)


def test_a_key_that_could_smuggle_a_header_is_refused_and_not_repeated() -> None:
    with pytest.raises(CredentialsError, match="SOUNDCLOUD_ACCESS_TOKEN") as error:
        Credentials.from_settings({"SOUNDCLOUD_ACCESS_TOKEN": "abc\r\nX-Evil: 1"})
    assert "Evil" not in str(error.value)


def test_nothing_secret_is_shown() -> None:
    request = refresh_request(URL, KEYS, "r3fresh")
    shown = repr([KEYS, TOKEN, request, exchange_request(URL, KEYS)]) + str(request)
    assert not [word for word in ("S3cret", "acc3ss", "r3fresh", "Basic") if word in shown]


def test_an_exchange_has_its_keys_in_the_header_only() -> None:
    request = exchange_request(URL, KEYS)
    basic = base64.b64encode(b"the-id:the-S3cret").decode()
    assert request.url == URL
    assert request.headers["Authorization"] == f"Basic {basic}"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {"grant_type": ["client_credentials"]}


def test_a_refresh_has_its_keys_in_the_body_only() -> None:
    request = refresh_request(URL, KEYS, "r3/fr&esh")
    assert "Authorization" not in request.headers
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r3/fr&esh"],
        "client_id": ["the-id"],
        "client_secret": ["the-S3cret"],
    }


def answer(**fields: Any) -> bytes:
    return json.dumps(
        {"access_token": "acc3ss", "refresh_token": "r3fresh", "expires_in": 3599, **fields}
    ).encode()


def test_a_token_is_read() -> None:
    token = parse_token_answer(200, {}, answer(), now=NOW)
    assert token == Token("acc3ss", "r3fresh", NOW + 3599, NOW)
    assert parse_token_answer(200, {}, answer(refresh_token=None), now=NOW).refresh is None


@pytest.mark.parametrize(
    ("given", "life"),
    [
        ("7200", 7200), (1.5, 1.5), (None, 3600), (-1, 3600), (0, 3600), ("soon", 3600), (10**30, 86_400),
        ([], 3600), ("inf", 3600),
    ],
)  # fmt: skip
def test_lives(given: object, life: float) -> None:
    assert parse_token_answer(200, {}, answer(expires_in=given), now=NOW).expires_at == NOW + life


def test_a_token_is_fresh_until_shortly_before_its_end() -> None:
    assert TOKEN.is_fresh(NOW + 3539)
    assert not TOKEN.is_fresh(NOW + 3541)
    assert Token("a", None, NOW + 10, NOW).is_fresh(NOW + 8)
    assert not Token("a", None, NOW + 10, NOW).is_fresh(NOW + 9.5)


@pytest.mark.parametrize(
    ("status", "headers", "body", "error"),
    [
        (401, {}, b'{"error":"invalid_client"}', RefusedGrantError),
        (401, {}, b"", RefusedGrantError),
        (400, {}, b'{"error":"unauthorized_client"}', RefusedGrantError),
        (400, {}, b'{"error":"invalid_grant"}', RefusedGrantError),
        (400, {}, b'{"error":"invalid_request"}', RefusedGrantError),
        (401, {}, b'{"code":401,"message":"invalid_grant","error":null}', RefusedGrantError),
        (403, {}, b"<html>Request blocked</html>", BlockedError),
        (403, {}, b'{"error":"access_denied"}', RefusedGrantError),
        (499, {}, b'{"error":"invalid_grant"}', RefusedGrantError),
        (408, {}, b'{"error":"timeout"}', TokenFaultError),
        (500, {}, b'{"error":"invalid_grant"}', RefusedGrantError),
        (399, {}, b'{"error":"invalid_grant"}', TokenFaultError),
        (500, {}, b'{"error":"invalid_client"}', RefusedGrantError),
        (500, {}, b'{"error":"server_error"}', TokenFaultError),
        (400, {}, b"<html>400 The plain HTTP request was sent to HTTPS port</html>", TokenFaultError),
        (404, {}, b'{"code":404,"message":"","status":"404 - Not Found"}', TokenFaultError),
        (405, {}, b'{"error":"method_not_allowed"}', TokenFaultError),
        (202, {"X-Amzn-Waf-Action": "challenge"}, b"", BlockedError),
        (429, {}, b'{"error":"rate_limit_exceeded"}', TokenLimitedError),
        (429, {}, b"", TokenLimitedError),
        (500, {}, b"", TokenFaultError),
        (404, {}, b"404 page not found", TokenFaultError),
        (302, {}, b"", TokenFaultError),
        (200, {}, b"", TokenFaultError),
        (200, {}, b"[]", TokenFaultError),
        (200, {}, b'{"access_token":""}', TokenFaultError),
        (200, {}, b'{"access_token":"a\\r\\nb"}', TokenFaultError),
    ],
)
def test_errors(status: int, headers: dict[str, str], body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        parse_token_answer(status, headers, body, now=NOW)
    assert "\n" not in str(raised.value)


def test_a_limit_may_name_its_end() -> None:
    with pytest.raises(TokenLimitedError) as raised:
        parse_token_answer(429, {"retry-after": "60"}, b"", now=NOW)
    assert raised.value.hold == pytest.approx(60)


def cache(directory: Path, client_id: str = "the-id") -> TokenCache:
    return TokenCache(URL, client_id, directory)


def test_a_saved_pair_is_found_again(tmp_path: Path) -> None:
    cache(tmp_path / "a" / "b").save(TOKEN)
    assert cache(tmp_path / "a" / "b").load() == TOKEN
    assert cache(tmp_path / "a" / "b", "another-id").load() is None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "soundgraph"
    directory.mkdir(mode=0o755)
    cache(directory).save(TOKEN)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()] == [0o600]


def content(**fields: Any) -> bytes:
    return json.dumps({"token_url": URL, "client_id": "the-id", "access_token": "a", **fields}).encode()


FOREIGN = [
    b"",
    b"\xff",
    b"[]",
    b"{}",
    b'{"access_token": "x"}',
    content(access_token="a b"),
    content(refresh_token=1),
    content(expires_at="x"),
    content(client_id="another", expires_at=NOW, obtained_at=NOW),
]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_broken_or_foreign_file_is_ignored_and_named(
    tmp_path: Path, foreign: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kept = cache(tmp_path)
    kept.path.write_bytes(foreign)
    assert kept.load() is None
    assert str(kept.path) in caplog.text
    kept.save(TOKEN)
    assert kept.load() == TOKEN


def test_a_file_that_cannot_be_read_is_ignored(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    kept.path.mkdir()
    assert kept.load() is None


def test_a_pair_that_cannot_be_saved_is_an_error_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="XDG_CACHE_HOME"):
        cache(tmp_path / "file" / "soundgraph").save(TOKEN)
    kept = cache(tmp_path / "other")
    kept.path.mkdir(parents=True)
    with pytest.raises(StorageError, match="token cache"):
        kept.save(TOKEN)
    assert list(kept.path.parent.glob(".token-*")) == []


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_a_drive_that_cannot_sync_directories_keeps_the_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fsync = os.fsync

    def refuse_directories(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_directories)
    cache(tmp_path).save(TOKEN)
    assert cache(tmp_path).load() == TOKEN


def test_a_drive_that_cannot_sync_at_all_keeps_the_pair_but_a_full_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(code: int) -> None:
        def fsync(_descriptor: int) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", fsync)

    refuse(errno.ENOTSUP)
    cache(tmp_path).save(TOKEN)
    assert cache(tmp_path).load() == TOKEN
    refuse(errno.ENOSPC)
    with pytest.raises(StorageError, match="No space left on device"):
        cache(tmp_path).save(TOKEN)


def test_a_drive_with_its_own_permissions_keeps_the_pair_and_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    kept = cache(tmp_path)
    kept.save(TOKEN)
    kept.save(TOKEN)
    assert kept.load() == TOKEN
    assert caplog.text.count("to its owner: Operation not permitted") == 1


def test_a_token_from_the_future_is_not_fresh() -> None:
    ahead = replace(TOKEN, obtained_at=NOW + 86_400, expires_at=NOW + 90_000)
    assert not ahead.is_fresh(NOW)
    assert replace(ahead, obtained_at=NOW + 1).is_fresh(NOW)
    static = replace(ahead, expires_at=math.inf)
    assert static.is_fresh(NOW)


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    with cache(tmp_path).lock().acquire(timeout=0), pytest.raises(Timeout):
        cache(tmp_path).lock().acquire(timeout=0)
    with cache(tmp_path).lock().acquire(timeout=0):
        pass


def test_the_cache_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    home = Path("/home/somebody/.cache/soundgraph")
    assert cache_directory({"XDG_CACHE_HOME": "/somewhere"}) == Path("/somewhere/soundgraph")
    assert cache_directory({"XDG_CACHE_HOME": "relative"}) == home
    assert cache_directory({}) == home
