"""The meaning of an API response, from its status, headers and body."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import orjson

from sgr_spiders.soundcloud import lenient_json
from sgr_spiders.soundcloud.rate_limits import read_date, seconds_to_wait, seconds_until_renewal
from sgr_spiders.text.escape import for_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Document = dict[str, Any] | list[Any]
"""A decoded JSON object or list."""


class Kind(Enum):
    """The kinds of responses, by how to handle them."""

    OK = "ok"
    """A document."""
    FOUND = "found"
    """A redirect, expected only from ``/resolve``."""
    GONE = "gone"
    """The API itself says that the record is deleted or private, or never existed."""
    HIDDEN = "hidden"
    """The API itself says that the record is not accessible; a harvest treats it as gone."""
    REFUSED = "refused"
    """The request is wrong or the response unusable; a retry would not help."""
    UNAUTHORISED = "unauthorised"
    """The token is missing, expired or revoked."""
    LIMITED = "limited"
    """Too many requests."""
    RETRY = "retry"
    """A transient error; retry."""
    DISALLOWED = "disallowed"
    """The gateway before the API refuses this client or this request; it says nothing about the record."""
    BLOCKED = "blocked"
    """A block page or a bot challenge; stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A classified response.

    ``document`` is the JSON of an ``OK``, decoded by the decoder of ``classify``; of a ``RETRY``, it contains
    the readable items of a damaged list, to be used if retries do not help. ``hold`` is the pause in seconds
    that a ``LIMITED`` requests, or that follows any other response because no requests are left.
    ``location`` is the target of a ``FOUND``.
    ``reason`` is one short line that is safe to log and store. ``size`` is the length of an ``OK`` body, and
    ``date`` the time of an ``OK`` by the API's clock, in seconds since the epoch.
    ``is_heavy``: the response is too large, or the API could not put it together; a smaller page may succeed.
    ``is_final``: the API refuses such a request, whoever sends it, e.g. because the endpoint is retired.
    """

    kind: Kind
    document: object = None
    reason: str = ""
    hold: float | None = None
    location: str | None = None
    size: int = 0
    is_heavy: bool = False
    is_final: bool = False
    date: float | None = None


class UnusableDocumentError(ValueError):
    """A body is not an acceptable document. ``salvage`` contains the readable items of a damaged list."""

    def __init__(self, reason: str, *, salvage: object = None) -> None:
        super().__init__(reason)
        self.salvage = salvage


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    decoder: Callable[[bytes], object] | None = None,
) -> Answer:
    """Classify a response; ``now`` (seconds since the epoch) converts times in it to pauses.

    *decoder* replaces ``decode`` for successful responses and raises the same errors.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    answer = _read(_Response(status, fields, body, now), decoder or decode)
    if answer.kind is Kind.LIMITED:
        return answer
    hold = seconds_until_renewal(fields, now=now)
    return answer if hold is None else replace(answer, hold=hold)


def decode(body: bytes) -> Document:
    """Decode a JSON object or list with the fast decoder or, if that fails, with a lenient one."""
    if not body.strip():
        raise UnusableDocumentError("empty body")
    document: object
    try:
        document = orjson.loads(body.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError:
        document = _decode_leniently(body)
    if not isinstance(document, dict | list):
        raise UnusableDocumentError("the JSON is neither an object nor a list")
    return document


def requested_hold(fields: Mapping[str, str], body: bytes, *, now: float) -> float | None:
    """Return the pause in seconds that a refusal with this *body* requests; see ``seconds_to_wait``."""
    return _Response(429, fields, body, now).requested_hold()


_GENERATOR = "x-generator"
"""Header of the responses that the gateway (Tyk) writes itself."""

_TOO_FAST = re.compile(r"rate.?limit|too many requests|slow down", re.IGNORECASE)
_ABOUT_CLIENT = re.compile(
    r"quota|disallowed|key (has expired|is inactive|not authori[sz]ed)|endpoint is forbidden", re.IGNORECASE
)
"""Texts about this client: those of the gateway, in whatever form they come."""

_CONTENT = frozenset({"collection", "id", "kind", "urn", "location"})
"""Fields of a document that is not only an error."""

_MAX_ERROR_BYTES = 64 * 1024
"""The size of a body from which it is not read as an error; real ones have a few hundred bytes."""


@dataclass(frozen=True)
class _Response:
    """A response; what its body says as an error is read once, when it is needed."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    now: float

    @cached_property
    def error(self) -> dict[str, Any] | None:
        """The body as a JSON object, or ``None`` if it is not one."""
        if len(self.body) > _MAX_ERROR_BYTES:
            return None
        try:
            document = decode(self.body)
        except UnusableDocumentError:
            return None
        return document if isinstance(document, dict) else None

    @property
    def text(self) -> str:
        """The text of the error."""
        return _plain(self.body) if self.error is None else _message(self.error)

    def reason(self, note: str = "") -> str:
        """Return the status, a *note* and the text as one line."""
        return ": ".join(part for part in (f"HTTP {self.status}", note, for_log(self.text)) if part)

    def requested_hold(self) -> float | None:
        """Return the pause in seconds that the response requests."""
        metas = [entry.get("meta") for entry in _entries(self.error or {})]
        reset_times = [meta.get("reset_time") for meta in metas if isinstance(meta, dict)]
        return seconds_to_wait(self.fields, reset_times, now=self.now)


def _read(response: _Response, decoder: Callable[[bytes], object]) -> Answer:
    status, reason = response.status, response.reason
    if "x-amzn-waf-action" in response.fields:
        return Answer(Kind.BLOCKED, reason=f"bot challenge (HTTP {status}, x-amzn-waf-action)")
    if status == 200:
        return _success(response, decoder)
    if status in _BY_STATUS:
        return _BY_STATUS[status](response)
    if 300 <= status < 400:
        return _redirect(response)
    if status in _TRANSIENT or 200 <= status < 300 or 500 <= status < 600:
        return Answer(Kind.RETRY, reason=reason(), is_heavy=status == 408 or status >= 500)
    # A page of HTML comes from the CDN edge or a proxy, and says nothing about the request.
    is_final = 400 <= status < 500 and not _is_page(response.body)
    return Answer(Kind.REFUSED, reason=reason(), is_heavy=status in _TOO_LARGE, is_final=is_final)


def _success(response: _Response, decoder: Callable[[bytes], object]) -> Answer:
    try:
        document = decoder(response.body)
    except UnusableDocumentError as error:
        return Answer(Kind.RETRY, document=error.salvage, reason=f"HTTP 200: {error}", is_heavy=True)
    if isinstance(document, dict) and _is_only_an_error(document):
        return Answer(Kind.RETRY, reason=response.reason("an error instead of a document"))
    date = read_date(response.fields)
    return Answer(Kind.OK, document=document, size=len(response.body), date=date)


def _is_only_an_error(document: Mapping[str, Any]) -> bool:
    named = document.keys() & {"error", "errors", "fault", "message"}
    return bool(named) and not document.keys() & _CONTENT


def _redirect(response: _Response) -> Answer:
    status, location = response.status, response.fields.get("location", "").strip()
    if not location or status not in {301, 302, 303, 307, 308}:
        return Answer(Kind.REFUSED, reason=f"HTTP {status} without a location")
    if _is_secret(location):
        return Answer(Kind.HIDDEN, reason="a secret link")
    return Answer(Kind.FOUND, reason=f"HTTP {status}", location=location)


def _is_secret(location: str) -> bool:
    try:
        return "secret_token" in parse_qs(urlsplit(location).query, keep_blank_values=True)
    except ValueError:
        return False


def _unauthorised(response: _Response) -> Answer:
    return Answer(Kind.UNAUTHORISED, reason=response.reason())


def _limited(response: _Response) -> Answer:
    return Answer(Kind.LIMITED, reason=response.reason(), hold=response.requested_hold())


def _overloaded(response: _Response) -> Answer:
    # With a time it asks for fewer requests; without one it is one of the edge's short errors.
    hold = response.requested_hold() if "retry-after" in response.fields else None
    kind = Kind.RETRY if hold is None else Kind.LIMITED
    return Answer(kind, reason=response.reason(), hold=hold)


def _forbidden(response: _Response) -> Answer:
    if _TOO_FAST.search(response.text):
        return _limited(response)
    if response.error is not None:
        is_about_record = _is_of_api(response, response.error) and not _ABOUT_CLIENT.search(response.text)
        return Answer(Kind.HIDDEN if is_about_record else Kind.DISALLOWED, reason=response.reason())
    if not response.body.strip() and "json" in response.fields.get("content-type", "").lower():
        return Answer(Kind.DISALLOWED, reason=response.reason())
    # A page or a text comes from the CDN edge or a proxy.
    return Answer(Kind.BLOCKED, reason=response.reason())


def _not_there(response: _Response) -> Answer:
    if response.error is not None and _is_of_api(response, response.error):
        return Answer(Kind.GONE, reason=response.reason())
    # "404 page not found" and the like come from a router, not the API: the record may exist.
    return Answer(Kind.RETRY, reason=response.reason("not a response of the API"))


def _is_of_api(response: _Response, document: Mapping[str, Any]) -> bool:
    """Return whether an error is in the API's own long form. Only these can be about a record.

    The form is ``code``, ``message``, ``link``, ``status``, ``errors``; older responses have only ``errors``.
    """
    status = response.status
    if "tyk" in response.fields.get(_GENERATOR, "").lower():
        return False
    if document.get("code") == status and "message" in document:
        phrase = document.get("status")
        has_phrase = isinstance(phrase, str) and phrase.startswith(f"{status} - ")
        return has_phrase or isinstance(document.get("errors"), list) or "link" in document
    return any("error_message" in entry for entry in _entries(document))


def _message(document: Mapping[str, Any]) -> str:
    """Return the text of an error, in the forms of the API and of common gateways."""
    inner = [value for value in (document.get("error"), document.get("fault")) if isinstance(value, dict)]
    texts = [document.get("message"), document.get("error")]
    texts += [entry.get("error_message") for entry in _entries(document)]
    texts += [error.get(name) for error in inner for name in ("message", "faultstring")]
    texts.append(document.get("status"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _entries(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = document.get("errors")
    return [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []


def _is_page(body: bytes) -> bool:
    return body[:1000].lstrip().startswith(b"<")


def _plain(body: bytes) -> str:
    text = body[:1000].decode("utf-8", errors="replace").strip()
    if _is_page(body):
        return "an HTML page"
    return "JSON" if text.startswith(("{", "[")) else text


def _decode_leniently(body: bytes) -> object:
    try:
        return lenient_json.decode(body)
    except lenient_json.DamagedError as error:
        raise UnusableDocumentError(f"not JSON ({error})", salvage=error.document) from None


_TRANSIENT = frozenset({408, 425})
_TOO_LARGE = frozenset({413, 414})
"""Content too large, and URI too long; some servers mean the page that was asked for."""
_BY_STATUS: Mapping[int, Callable[[_Response], Answer]] = {
    401: _unauthorised,
    403: _forbidden,
    404: _not_there,
    410: _not_there,
    429: _limited,
    503: _overloaded,
}
