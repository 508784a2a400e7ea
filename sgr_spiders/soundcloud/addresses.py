"""The addresses of pages on soundcloud.com, as users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sgr_spiders.soundcloud.urns import Kind, locate, parse_key, parse_urn

PageKind = Literal["track", "user", "playlist"]

SITE: Final = "soundcloud.com"
SHARE_HOST: Final = f"on.{SITE}"
"""The host of share links, whose paths are codes in upper and lower case."""
SITE_HOSTS: Final = frozenset({SITE, f"www.{SITE}", f"m.{SITE}"})
_API_HOSTS: Final = frozenset({f"api.{SITE}", f"api-v2.{SITE}"})

_NAME: Final = re.compile("[A-Za-z0-9_-]+")
_SECRET: Final = re.compile("s-[A-Za-z0-9]+")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST: Final = re.compile(rf"(?i)(?:[a-z0-9-]+\.)?{re.escape(SITE)}(?:[:/?#]|$)")
PRIVATE_LINK: Final = "a secret link; private records are never harvested"
USER_PAGES: Final = frozenset(
    {"albums", "comments", "followers", "following", "likes", "popular-tracks", "reposts", "sets", "tracks"}
)
"""The second path segments of URLs that list items of a user, in the position of a track's name."""
SITE_PAGES: Final = frozenset({"charts", "discover", "search", "stations", "tags", "upload", "you"})
"""The first path segments of URLs that are not pages of users."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The address of a page: its ``url`` without query, and the ``kind`` of its record.

    The kind is ``None`` for a share link, which may lead to any record.
    """

    url: str
    kind: PageKind | None


def is_address(text: str) -> bool:
    """Return whether *text* is meant as an address: it has a scheme, or begins with a host of the site."""
    return _SCHEME.match(text) is not None or _HOST.match(text) is not None


def parse_address(text: str) -> PageAddress:
    """Return the page at the address *text*, without tracking; the scheme may be missing.

    Raises:
        ValueError: It is not the address of a track, user or playlist, or a secret link.
    """
    parts = _split(text)
    if parts.netloc != SHARE_HOST and parts.netloc not in SITE_HOSTS:
        raise ValueError(f"not a URL on {SITE}")
    path = [segment for segment in parts.path.split("/") if segment]
    if any(_SECRET.fullmatch(segment) for segment in path[3 if path[1:2] == ["sets"] else 2 :]):
        raise ValueError(PRIVATE_LINK)
    if not all(_NAME.fullmatch(segment) for segment in path):
        raise ValueError("not the URL of a track, playlist or user")
    if parts.netloc == SHARE_HOST:
        if len(path) != 1:
            raise ValueError("not the URL of a track, playlist or user")
        return PageAddress(f"https://{SHARE_HOST}/{path[0]}", None)
    return PageAddress(f"https://{SITE}/{'/'.join(path)}", _kind_at(path))


def parse_permalink(text: str) -> PageAddress | None:
    """Return the page with the permalink *text*: ``user/track``, ``user/sets/playlist`` or ``user``.

    A slash may precede it. The answer is ``None`` if it is not a permalink.
    """
    if not re.fullmatch(r"/?[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+){0,2}/?", text):
        return None
    try:
        return parse_address(f"https://{SITE}/{text.strip('/')}")
    except ValueError:
        return None


def parse_reference(text: str) -> tuple[Kind, int] | None:
    """Return kind and ID in a URN, a pair such as ``playlist:7``, or a URL of the API, else ``None``."""
    found = parse_urn(text) or _parse_pair(text)
    if found is not None or not is_address(text):
        return found
    try:
        parts = _split(text)
    except ValueError:
        return None
    return locate(f"https://{parts.netloc}{parts.path}") if parts.netloc in _API_HOSTS else None


def mask_secret(text: str) -> str:
    """Return *text*, perhaps a secret link, without its secret."""
    return re.sub(r"(?i)(/s-|secret_token(?:=|%3D))[\w-]+", r"\1...", text)


def _parse_pair(text: str) -> tuple[Kind, int] | None:
    kind, _, digits = text.partition(":")
    if kind in {"track", "user", "playlist"} and digits.isdecimal():
        record_id = parse_key(digits, kind)
        return None if record_id is None else (kind, record_id)  # type: ignore[return-value]  # checked
    return None


def _split(text: str) -> SplitResult:
    if not text.isascii() or not text.isprintable() or "\\" in text:
        raise ValueError("not a URL")
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"https://{text}")
    except ValueError as error:
        raise ValueError("not a URL") from error
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with https://")
    if any(key.lower() == "secret_token" for key, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(PRIVATE_LINK)
    return parts._replace(netloc=parts.netloc.lower())


def _kind_at(path: list[str]) -> PageKind:
    if (path and path[0].lower() in SITE_PAGES) or (len(path) == 2 and path[1].lower() in USER_PAGES):
        raise ValueError("a page of the site, not of a track, playlist or user")
    match path:
        case [_]:
            return "user"
        case [_, _]:
            return "track"
        case [_, "sets", _]:
            return "playlist"
    raise ValueError("not the URL of a track, playlist or user")
