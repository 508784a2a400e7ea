"""Responses, and the API's error bodies."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

JSON = "application/json; charset=utf-8"
HTML = "text/html"
TEXT = "text/plain; charset=utf-8"
_LINK = "https://developers.soundcloud.com/docs/api/explorer/open-api"


@dataclass(frozen=True)
class Answer:
    """A complete response."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A refused request; `Api.answer` turns it into an error response."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status, self.message = status, message


def json_answer(status: int, value: object, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, orjson.dumps(value), headers=headers or {})


def api_error(status: int, message: str = "") -> Answer:
    """Return an error in the API's full form."""
    phrase = f"{status} - {HTTPStatus(status).phrase}"
    errors = [] if status == HTTPStatus.UNAUTHORIZED else [{"error_message": message or phrase}]
    body = {
        "code": status,
        "message": message,
        "link": _LINK,
        "status": phrase,
        "errors": errors,
        "error": None,
    }
    return json_answer(status, body)


def oauth_error(status: int, code: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error in the token endpoint's short form."""
    return json_answer(status, {"error": code}, headers)
