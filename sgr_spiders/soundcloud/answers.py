"""What an answer of the API means, from its status, headers and body alone."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import orjson

from sgr_spiders.text.escape import for_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_HOLD = 24 * 3600.0
"""The longest hold an answer is believed to ask for, in seconds: the API documents windows of up to
24 hours (PT24H); anything above is taken for a mistake and bounded to this."""

MAX_NESTING = 1024
"""The deepest nesting of a document that is accepted: orjson's own limit, held by the second decoder too.
Records are held to a much smaller one when they are parsed (``raw.MAX_DEPTH``)."""

MAX_NUMBER = 400
"""The most digits of an integer that are accepted; real ones have up to twenty."""


Document = dict[str, Any] | list[Any]
"""A decoded JSON object or list."""


class Kind(Enum):
    """What to do about an answer."""

    OK = "ok"
    """A document."""
    FOUND = "found"
    """A redirect. Only ``/resolve`` may use it."""
    GONE = "gone"
    """What was asked for is deleted, private, or never was."""
    HIDDEN = "hidden"
    """It exists, but is not for us: to a harvest the same as gone."""
    REFUSED = "refused"
    """The request is wrong or the answer unusable; asking again would not help."""
    UNAUTHORISED = "unauthorised"
    """The token is missing, expired or revoked."""
    LIMITED = "limited"
    """Too many requests."""
    RETRY = "retry"
    """A passing fault; ask again."""
    DISALLOWED = "disallowed"
    """"Access to this API has been disallowed": seen in overload, may pass. Ask again slowly, then stop."""
    BLOCKED = "blocked"
    """A block page or a bot challenge: stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what it means.

    ``document`` is the JSON of an ``OK``, as the decoder of ``classify`` gives it; ``hold`` the seconds a
    ``LIMITED`` asks us to wait, ``None`` when it names none; ``location`` where a ``FOUND`` points.
    ``reason`` is one short line that is safe to log and store.
    """

    kind: Kind
    document: object = None
    reason: str = ""
    hold: float | None = None
    location: str | None = None


class UnusableDocumentError(ValueError):
    """A body is no document we accept. ``final``: the same body would come again. Raised by ``decode``."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    decoder: Callable[[bytes], object] | None = None,
) -> Answer:
    """Say what an answer means. ``now`` (seconds since the epoch) turns named times into holds.

    *decoder* takes the place of ``decode`` for what was asked for, and fails as that does.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    if "x-amzn-waf-action" in fields:
        return Answer(Kind.BLOCKED, reason=f"bot challenge (HTTP {status}, x-amzn-waf-action)")
    if status == 200:
        return _success(body, decoder or decode)
    if status in _BY_STATUS:
        return _BY_STATUS[status](fields, body, now)
    if 300 <= status < 400:
        return _redirect(status, fields)
    passing = status in _PASSING or 200 <= status < 300 or 500 <= status < 600
    return Answer(Kind.RETRY if passing else Kind.REFUSED, reason=_reason(status, body))


def decode(body: bytes) -> Document:
    """Decode a JSON object or list, once with the fast decoder and, where that refuses, once strictly.

    The second decoder is there for lone surrogates (``"\\ud800"``): legal JSON, seen in comments.
    """
    if not body.strip():
        raise UnusableDocumentError("empty body")
    document: object
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _decode_strictly(body)
    if not isinstance(document, dict | list):
        raise UnusableDocumentError("the JSON is neither an object nor a list")
    return document


def hold_named(fields: Mapping[str, str], body: bytes, *, now: float) -> float | None:
    """The seconds to wait that a 429 names, by ``Retry-After`` or ``reset_time``, the longer if both.

    Times in the past name nothing: asking again at once would be wrong after a 429.
    """
    ends = [_retry_after(fields.get("retry-after", ""), now), *_reset_times(body)]
    named = [end - now for end in ends if end is not None and end > now]
    return min(max(named), MAX_HOLD) if named else None


_DISALLOWED = "access to this api has been disallowed"
_ERROR_KEYS = frozenset({"errors", "error", "code", "status", "message"})


def _success(body: bytes, decoder: Callable[[bytes], object]) -> Answer:
    try:
        return Answer(Kind.OK, document=decoder(body))
    except UnusableDocumentError as error:
        return Answer(Kind.REFUSED if error.final else Kind.RETRY, reason=f"HTTP 200: {error}")


def _redirect(status: int, fields: Mapping[str, str]) -> Answer:
    location = fields.get("location", "").strip()
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


def _unauthorised(_fields: Mapping[str, str], body: bytes, _now: float) -> Answer:
    return Answer(Kind.UNAUTHORISED, reason=_reason(401, body))


def _gone(_fields: Mapping[str, str], body: bytes, _now: float) -> Answer:
    return Answer(Kind.GONE, reason=_reason(410, body))


def _limited(fields: Mapping[str, str], body: bytes, now: float) -> Answer:
    return Answer(Kind.LIMITED, reason=_reason(429, body), hold=hold_named(fields, body, now=now))


def _forbidden(fields: Mapping[str, str], body: bytes, _now: float) -> Answer:
    if not body.strip() and "json" in fields.get("content-type", "").lower():
        return Answer(Kind.HIDDEN, reason="HTTP 403")
    document = _error_document(body)
    if document is None:
        # HTML comes from the edge; so may an empty body or a gateway's text. Calling any of these
        # hidden would write off every record of a run that is in truth blocked.
        return Answer(Kind.BLOCKED, reason=_reason(403, body))
    if _DISALLOWED in _message(document).lower():
        return Answer(Kind.DISALLOWED, reason=_reason(403, body))
    return Answer(Kind.HIDDEN, reason=_reason(403, body))


def _not_found(_fields: Mapping[str, str], body: bytes, _now: float) -> Answer:
    document = _error_document(body)
    if document is None or not _ERROR_KEYS & document.keys():
        # "404 page not found" is the router speaking, not the API: the record may well exist.
        return Answer(Kind.RETRY, reason=_reason(404, body, "not an answer of the API"))
    return Answer(Kind.GONE, reason=_reason(404, body))


def _error_document(body: bytes) -> dict[str, Any] | None:
    try:
        document = decode(body)
    except UnusableDocumentError:
        return None
    return document if isinstance(document, dict) else None


def _message(document: Mapping[str, Any]) -> str:
    """The text of an error in either of its shapes."""
    errors = document.get("errors")
    entries = errors if isinstance(errors, list) else []
    texts = [document.get("message"), document.get("error")]
    texts += [entry.get("error_message") for entry in entries if isinstance(entry, dict)]
    texts.append(document.get("status"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _reason(status: int, body: bytes, note: str = "") -> str:
    document = _error_document(body)
    text = for_log(_message(document)) if document is not None else _plain(body)
    return ": ".join(part for part in (f"HTTP {status}", note, text) if part)


def _plain(body: bytes) -> str:
    text = body[:1000].decode("utf-8", errors="replace").strip()
    if text.startswith("<"):
        return "an HTML page"
    return "JSON" if text.startswith(("{", "[")) else for_log(text)


def _retry_after(value: str, now: float) -> float | None:
    """When the header says to come back: it holds seconds, or a date."""
    value = value.strip()
    if re.fullmatch(r"\d{1,300}(\.\d{1,300})?", value):
        return now + min(float(value), MAX_HOLD)
    try:
        return _utc(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None


def _reset_times(body: bytes) -> list[float | None]:
    document = _error_document(body) or {}
    errors = document.get("errors")
    entries = errors if isinstance(errors, list) else []
    metas = [entry.get("meta") for entry in entries if isinstance(entry, dict)]
    return [_reset_time(meta.get("reset_time")) for meta in metas if isinstance(meta, dict)]


def _reset_time(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return _utc(datetime.strptime(value.strip(), "%Y/%m/%d %H:%M:%S %z"))
    except (ValueError, OverflowError):
        return None


def _utc(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _decode_strictly(body: bytes) -> object:
    try:
        document = json.loads(body, parse_constant=_no_constant, parse_int=_integer, parse_float=_number)
    except RecursionError:
        raise UnusableDocumentError("nested too deeply", final=True) from None
    except ValueError as error:
        # The decoder's own text gives the place, the body stays out of it.
        place = f" ({error.msg} at {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise UnusableDocumentError(f"not JSON{place}") from None
    if _is_deeper(document, MAX_NESTING):
        raise UnusableDocumentError("nested too deeply", final=True)
    return document


def _is_deeper(document: object, limit: int) -> bool:
    level = [document]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER:
        raise ValueError("a number with too many digits")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


_PASSING = frozenset({408, 425})
_BY_STATUS: Mapping[int, Callable[[Mapping[str, str], bytes, float], Answer]] = {
    401: _unauthorised,
    403: _forbidden,
    404: _not_found,
    410: _gone,
    429: _limited,
}
