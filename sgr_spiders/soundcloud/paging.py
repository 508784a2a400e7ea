"""Pagination: check ``next_href`` and convert it to a cursor on the API's own origin.

``next_href`` is external data. The live API has returned the names of internal hosts, but the token
must never leave the API, so the next request always goes to the API's origin. The path must be the
walk's own.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, unquote_plus, urlsplit

from sgr_spiders.model.exceptions import NextHrefError
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, Endpoint, encode_param
from sgr_spiders.soundcloud.urns import parse_key

MAX_LENGTH: Final = 16_384

_CREDENTIALS: Final = frozenset(
    {
        "access_token",
        "client_id",
        "client_secret",
        "consumer_key",
        "oauth_token",
        "refresh_token",
        "secret_token",
    }
)
_KEPT_PARAMS: Final = frozenset({"access", "linked_partitioning", "show_tracks", "q"})
"""Parameters of the first page that later pages also need; the API replaces ``limit`` by ``page_size``."""
_SAME_AS_TRUE: Final = frozenset({"true", "1"})
_PORTS: Final = {"http": 80, "https": 443}
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_URL_CHARACTERS: Final = "".join(map(chr, range(0x21, 0x7F)))


def next_cursor(walk_endpoint: str, target: str, next_href: object, api_url: str) -> str | None:
    """Return path and query of the walk's next page on the API's origin, or ``None`` at the end.

    The order of the parameters and the spelling of the cursor stay. Credentials are removed, and
    parameters of the first page are restored if they are missing or different.

    Raises:
        NextHrefError: if ``next_href`` does not continue the walk.
    """
    if next_href is None or next_href == "":
        return None
    endpoint = ENDPOINTS[walk_endpoint]
    walk = f"next_href of {walk_endpoint} {_quote(target)}"
    url = _split(walk, next_href)
    if not _is_own_path(endpoint, target, url.path):
        where = (
            "the API" if _origin(url) == _origin(urlsplit(api_url)) else f"host {_quote(url.hostname or '')}"
        )
        raise NextHrefError(f"{walk} leads to another path, {_quote(url.path)} on {where}")
    query = _query(endpoint, target, url.query)
    return f"{url.path}?{query}" if query else url.path


def first_position(cursor: str) -> int:
    """Return the position of a cursor's first item in its list if the cursor has an ``offset``, else 0."""
    for name, value in parse_qsl(urlsplit(cursor).query):
        if name == "offset" and value.isdecimal() and value.isascii() and len(value) <= 9:
            return int(value)
    return 0


def _split(walk: str, next_href: object) -> SplitResult:
    if not isinstance(next_href, str):
        raise NextHrefError(f"{walk} is not a string but {type(next_href).__name__}")
    if len(next_href) > MAX_LENGTH:
        raise NextHrefError(f"{walk} is {len(next_href)} characters long, more than {MAX_LENGTH}")
    # Check this first, because urlsplit() drops some of them.
    if _CONTROLS.search(next_href):
        raise NextHrefError(f"{walk} contains control characters or backslashes")
    try:
        url = urlsplit(quote(next_href, safe=_URL_CHARACTERS))
        url.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        raise NextHrefError(f"{walk} is not a URL") from None
    if url.scheme not in _PORTS or not url.hostname:
        raise NextHrefError(f"{walk} is not an http or https URL")
    if "@" in url.netloc:
        raise NextHrefError(f"{walk} contains a username, on host {_quote(url.hostname)}")
    return url


def _is_own_path(endpoint: Endpoint, target: str, path: str) -> bool:
    wanted = endpoint.path.split("/")
    found = path.split("/")
    if len(wanted) != len(found):
        return False
    for expected, segment in zip(wanted, found, strict=True):
        if expected == "{urn}":
            target_id = parse_key(target, endpoint.target)
            if target_id is None or parse_key(unquote(segment), endpoint.target) != target_id:
                return False
        elif expected != segment:
            return False
    return True


def _query(endpoint: Endpoint, target: str, query: str) -> str:
    missing = {name: value for name, value in endpoint.params if name in _KEPT_PARAMS}
    if endpoint.target in {"query", "ids"} and endpoint.target_param is not None:
        missing[endpoint.target_param] = endpoint.param_value(target)
    wanted = dict(missing)
    parts = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if not part or name.lower() in _CREDENTIALS:
            continue
        if name in wanted:
            if missing.pop(name, None) is None:
                continue  # given twice
            same = _is_equivalent(name, unquote_plus(value), wanted[name])
            parts.append(part if same else encode_param(name, wanted[name]))
        else:
            parts.append(part)
    parts += [encode_param(name, value) for name, value in missing.items()]
    return "&".join(parts)


def _is_equivalent(name: str, found: str, wanted: str) -> bool:
    """Return whether a parameter has the requested meaning."""
    if name == "access":
        return set(found.split(",")) == set(wanted.split(","))
    return found == wanted or (wanted in _SAME_AS_TRUE and found in _SAME_AS_TRUE)


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, url.hostname or "", url.port or _PORTS.get(url.scheme)


def _quote(text: str) -> str:
    return ascii(text[:80])
