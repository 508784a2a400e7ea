"""The classification of responses, with made-up ones and published ones."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from sgr_spiders.soundcloud.answers import Kind, classify
from tests.reference import notes

NOW = 1_700_000_000.0
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}


def test_a_document_is_decoded() -> None:
    answer = classify(200, JSON, b'{"collection": [1], "next_href": null}', now=NOW)
    assert answer.kind is Kind.OK
    assert answer.document == {"collection": [1], "next_href": None}
    assert classify(200, {}, b"[]", now=NOW).document == []


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (200, {}, b"", Kind.RETRY),
        (200, {}, b"  \n", Kind.RETRY),
        (200, JSON, b'{"collection": [', Kind.RETRY),
        (200, JSON, b'"text"', Kind.RETRY),
        (200, JSON, b"null", Kind.RETRY),
        (200, JSON, b"\xff\xfe\xff", Kind.RETRY),
        (200, HTML, b"<html></html>", Kind.RETRY),
        (200, {"X-Amzn-Waf-Action": "captcha"}, b"{}", Kind.BLOCKED),
        (202, {"x-amzn-waf-action": "challenge"}, b"", Kind.BLOCKED),
        (202, {}, b"", Kind.RETRY),
        (204, {}, b"", Kind.RETRY),
        (304, {}, b"", Kind.REFUSED),
        (302, {}, b"", Kind.REFUSED),
        (400, JSON, b"{}", Kind.REFUSED),
        (401, {}, b"", Kind.UNAUTHORISED),
        (403, HTML, b"<HTML>Request blocked</HTML>", Kind.BLOCKED),
        (403, {}, b"RBAC: access denied", Kind.BLOCKED),
        (403, {}, b"", Kind.BLOCKED),
        (403, JSON, b"", Kind.DISALLOWED),
        (403, JSON, b'{"code":403,"message":"","errors":[]}', Kind.HIDDEN),
        (403, JSON, b'{"error":"Access to this API has been disallowed"}', Kind.DISALLOWED),
        (404, JSON, b'{"errors":[{"error_message":"404 - Not Found"}]}', Kind.GONE),
        (404, JSON, b'{"code":404,"message":"","status":"404 - Not Found","errors":[]}', Kind.GONE),
        (404, {"Content-Type": "text/plain"}, b"404 page not found\n", Kind.RETRY),
        (404, JSON, b"", Kind.RETRY),
        (404, JSON, b"{}", Kind.RETRY),
        (404, JSON, b'{"error": "Not Found"}', Kind.RETRY),
        (404, JSON, b'{"message": "no Route matched with those values"}', Kind.RETRY),
        (404, JSON, b'{"detail": "no route", "path": "/tracks/1"}', Kind.RETRY),
        (404, HTML, b"<html></html>", Kind.RETRY),
        (405, {}, b"", Kind.REFUSED),
        (408, {}, b"", Kind.RETRY),
        (410, {}, b"", Kind.RETRY),
        (410, JSON, b'{"error": "Gone"}', Kind.RETRY),
        (410, JSON, b'{"code":410,"message":"","status":"410 - Gone","errors":[]}', Kind.GONE),
        (422, JSON, b"{}", Kind.REFUSED),
        (429, {}, b"", Kind.LIMITED),
        (500, {}, b"", Kind.RETRY),
        (503, {}, b"upstream request timeout", Kind.RETRY),
        (503, {"Retry-After": "soon"}, b"", Kind.RETRY),
        (503, {"Retry-After": "5"}, b"", Kind.LIMITED),
        (599, {}, b"", Kind.RETRY),
        (999, {}, b"", Kind.REFUSED),
    ],
)
def test_kinds(status: int, headers: dict[str, str], body: bytes, kind: Kind) -> None:
    answer = classify(status, headers, body, now=NOW)
    assert answer.kind is kind
    assert answer.reason
    assert answer.document is None


LONG = b'{"code":%d,"message":"%s","link":"https://example.org","status":"%d - X","errors":[],"error":null}'
REFUSALS = [
    b'{\n    "error": "Quota exceeded"\n}',
    b'{\n    "error": "Key has expired, please renew"\n}',
    b'{\n    "error": "Key is inactive, please renew"\n}',
    b'{\n    "error": "Key not authorised"\n}',
    b'{\n    "error": "Access to this API has been disallowed"\n}',
    b'{\n    "error": "Access to this resource has been disallowed"\n}',
    b'{\n    "error": "Requested endpoint is forbidden"\n}',
    b'{"error": "a text that nobody has seen yet"}',
    b'{"error": {"code": 403, "message": "Forbidden", "status": "PERMISSION_DENIED", "errors": []}}',
    b'{"message": "Forbidden"}',
    b'{"message": "Forbidden", "request_id": "1"}',
    b'{"fault": {"faultstring": "Access denied", "detail": {"errorcode": "oauth.v2"}}}',
    b'{"statusCode": 403, "message": "Access denied"}',
    b'{"timestamp": "2026", "status": 403, "error": "Forbidden", "path": "/tracks/1"}',
    b'{"code": 403, "message": "no long form"}',
    b"{}",
    b"[]",
    b'"Forbidden"',
    b"Forbidden",
    b"",
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    LONG % (403, b"Quota exceeded", 403),
]


@pytest.mark.parametrize("body", REFUSALS)
@pytest.mark.parametrize("status", [403, 404, 410])
def test_no_refusal_by_a_gateway_is_about_a_record(status: int, body: bytes) -> None:
    if status != 403 and body.startswith(b'{"code":403'):
        return
    for headers in (JSON, HTML, {}, {"Content-Type": "text/plain"}):
        kind = classify(status, headers, body, now=NOW).kind
        assert kind in ({Kind.DISALLOWED, Kind.BLOCKED} if status == 403 else {Kind.RETRY})


@pytest.mark.parametrize(("status", "kind"), [(403, Kind.HIDDEN), (404, Kind.GONE), (410, Kind.GONE)])
def test_only_the_long_form_is_about_a_record(status: int, kind: Kind) -> None:
    body = LONG % (status, b"", status)
    assert classify(status, JSON, body, now=NOW).kind is kind
    # The gateway marks what it writes itself.
    assert classify(status, {**JSON, "X-Generator": "tyk.io"}, body, now=NOW).kind is not kind
    # The form of another status is not an error of the API.
    assert classify(status, JSON, LONG % (500, b"", 500), now=NOW).kind is not kind


@pytest.mark.parametrize(
    "body",
    [
        b'{\n    "error": "Rate Limit Exceeded"\n}',
        b'{"message": "API rate limit exceeded"}',
        b'{"fault": {"faultstring": "Rate limit quota violation"}}',
        b'{"error": "rate_limit_exceeded"}',
        b"Please slow down.",
        LONG % (403, b"Too Many Requests", 403),
    ],
)
def test_a_rate_limit_with_another_status_is_a_rate_limit(body: bytes) -> None:
    answer = classify(403, {"Retry-After": "30"}, body, now=NOW)
    assert (answer.kind, answer.hold) == (Kind.LIMITED, 30.0)


@pytest.mark.parametrize(
    "body", [b'{"error": "Quota exceeded"}', b'{"fault": {}}', b'{"errors": [{"error_message": "X"}]}']
)
def test_an_error_in_a_success_is_no_document(body: bytes) -> None:
    answer = classify(200, JSON, body, now=NOW)
    assert (answer.kind, answer.document) == (Kind.RETRY, None)


def test_a_redirect_names_its_location() -> None:
    place = "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A1"
    answer = classify(302, {"location": place}, b'{"status":"302 - Found"}', now=NOW)
    assert (answer.kind, answer.location) == (Kind.FOUND, place)


def test_a_secret_link_is_hidden_and_not_repeated() -> None:
    place = "https://api.soundcloud.com/tracks/1?secret_token=s-AbCdEf"
    answer = classify(302, {"location": place}, b"", now=NOW)
    assert (answer.kind, answer.location) == (Kind.HIDDEN, None)
    assert "s-AbCdEf" not in answer.reason


@pytest.mark.parametrize(
    ("headers", "body", "hold"),
    [
        ({"Retry-After": "30"}, b"", 30.0),
        ({"retry-after": " 1.5 "}, b"", 1.5),
        ({"Retry-After": "Tue, 14 Nov 2023 22:14:00 GMT"}, b"", 40.0),
        ({}, b'{"errors":[{"meta":{"reset_time":"2023/11/14 22:15:20 +0000"}}]}', 120.0),
        ({"Retry-After": "30"}, b'{"errors":[{"meta":{"reset_time":"2023/11/14 22:15:20 +0000"}}]}', 120.0),
        ({"Retry-After": "9" * 200}, b"", 86_400),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, b"", 86_400),
        ({"Retry-After": "0"}, b"", None),
        ({"Retry-After": "-5"}, b"", None),
        ({"Retry-After": "soon"}, b"", None),
        ({"Retry-After": "nan"}, b"", None),
        ({"Retry-After": "Tue, 14 Nov 2000 22:14:00 GMT"}, b"", None),
        ({}, b'{"errors":[{"meta":{"reset_time":"2015/06/01 09:49:40 +0000"}}]}', None),
        ({}, b'{"errors":[{"meta":{"reset_time":1}}, {"meta": 2}, 3]}', None),
        ({}, b'{"errors":{"meta":1}}', None),
        ({}, b'{"error":"Rate Limit Exceeded"}', None),
        ({}, b"Please slow down.", None),
        ({}, b"", None),
    ],
)
def test_holds(headers: dict[str, str], body: bytes, hold: float | None) -> None:
    answer = classify(429, headers, body, now=NOW)
    assert answer.kind is Kind.LIMITED
    assert answer.hold == hold if hold is None else answer.hold is not None
    if hold is not None and answer.hold is not None:
        assert math.isclose(answer.hold, hold, abs_tol=1e-6)


def test_the_hold_of_a_rate_limit_is_the_longest_one() -> None:
    window = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5"}
    assert classify(429, {"Retry-After": "30", **window}, b"", now=NOW).hold == 30
    assert classify(200, window, b"[]", now=NOW).hold == 5


def test_what_is_too_long_for_an_error_is_not_read_as_one() -> None:
    body = LONG % (404, b"x" * 100_000, 404)
    answer = classify(404, JSON, body, now=NOW)
    assert (answer.kind, answer.reason) == (Kind.RETRY, "HTTP 404: not a response of the API: JSON")


def test_lone_surrogates_are_legal() -> None:
    document = classify(200, {}, b'[{"title": "\\ud83d"}]', now=NOW).document
    assert document == [{"title": "\ud83d"}]


def test_ordinary_nesting_is_decoded() -> None:
    assert classify(200, {}, b"[" * 100 + b"]" * 100, now=NOW).kind is Kind.OK


def test_reasons_are_one_short_line_without_keys() -> None:
    message = (
        "OAuth 1-234-abc\nBearer eyJhbGciOi.J9 token=eyJhbGciOiJIUzI1NiJ9.abc \x1b[31m\u202e" + "x" * 500
    )
    body = json.dumps({"message": message, "errors": []}).encode()
    reason = classify(403, JSON, body, now=NOW).reason
    assert "eyJ" not in reason
    assert "1-234-abc" not in reason
    assert reason.isprintable()
    assert len(reason) <= 100


def test_a_page_of_html_is_not_repeated() -> None:
    assert classify(502, HTML, b"<html>secret words</html>", now=NOW).reason == "HTTP 502: an HTML page"


def payloads(room: str) -> list[Any]:
    if not notes().is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(f"no reference notes at {notes()}"))]
    paths = sorted((notes() / "soundcloud" / "payloads" / room).glob("*.json"))
    assert paths, f"no payloads of {room} among the reference notes at {notes()}"
    return [pytest.param(json.loads(path.read_bytes()), id=f"{room}/{path.stem}") for path in paths]


def expected(status: int, body: Any, target: str) -> Kind:  # noqa: ANN401 - whatever JSON there was
    if status == 200:
        return Kind.OK if isinstance(body, dict | list) else Kind.RETRY
    if status == 302:
        return Kind.FOUND
    if status in {403, 404, 401, 429}:
        if body == "":
            # An empty 403 says nothing about the record.
            return Kind.DISALLOWED if status == 403 else Kind.LIMITED
        return {403: Kind.HIDDEN, 404: Kind.GONE, 401: Kind.UNAUTHORISED, 429: Kind.LIMITED}[status]
    assert status >= 500, target
    return Kind.RETRY


@pytest.mark.parametrize(
    "payload",
    [entry for room in ("http_ok", "http_error", "http_redirect", "from_issues") for entry in payloads(room)],
)
def test_payloads_seen_in_public(payload: dict[str, Any]) -> None:
    status = payload["status"]["code"] if isinstance(payload["status"], dict) else payload["status"]
    headers = {
        name: value if isinstance(value, str) else ", ".join(value)
        for name, value in payload["headers"].items()
    }
    body = payload["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = classify(status, headers, raw, now=NOW)
    assert answer.kind is expected(status, body, str(payload["request"]))
    assert answer.document == (body if answer.kind is Kind.OK else None)
    assert "REDACTED" not in answer.reason
