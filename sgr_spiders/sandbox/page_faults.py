"""Faults that change a page before it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sgr_spiders.sandbox.odd_items import ODD, invent, odd_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.sandbox.faults import FaultRule

_INTERNAL_HOST = "http.api.prod.api-public.srv.db.s-cloud.net"
_ROUND = "round"
"""The parameter that counts the pages or rounds of a list, so that the URLs differ."""
_TRUE_CURSOR = "at"
"""The parameter with the real cursor where ``cursor`` contains an invented time."""
_INVENTED_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_FUTURE = "2999-01-01T00:00:00.000Z"
_ELSEWHERE = "api.soundcloud.example"


@dataclass(frozen=True)
class Page:
    """Items of a page and the query of the next one."""

    items: list[bytes]
    next_query: dict[str, str] | None
    limit: int


@dataclass(frozen=True)
class PageFaults:
    """The page faults that strike one request."""

    names: frozenset[str] = frozenset()
    shift: int = 0
    evil_part: str = "host"
    odd: str = ""
    new: int = 0
    cursors: str = ""

    @property
    def duplicates(self) -> bool:
        return "duplicate_items" in self.names

    @property
    def empty(self) -> bool:
        return "empty_list" in self.names

    @property
    def array(self) -> bool:
        return "array_shape" in self.names


_NONE = PageFaults()


def select(rules: Iterable[FaultRule]) -> PageFaults:
    """Return the page faults among the rules that strike."""
    mine = {rule.name: rule for rule in rules if rule.stage == "page"}
    if not mine:
        return _NONE
    shift = int(mine["shifting_pages"].get("shift")) if "shifting_pages" in mine else 0
    part = mine["evil_next_href"].get("to") if "evil_next_href" in mine else "host"
    odd = mine["odd_item"].get("what") if "odd_item" in mine else ""
    new = int(mine["endless_list"].get("new")) if "endless_list" in mine else 0
    cursors = mine["odd_cursors"].get("as") if "odd_cursors" in mine else ""
    return PageFaults(frozenset(mine), shift, part, odd, new, cursors)


def add_items(items: list[bytes], kind: str, query: Mapping[str, str], faults: PageFaults) -> list[bytes]:
    """Return the items of a page in a list of *kind*, with those that the active faults invent."""
    middle = len(items) // 2
    found = [*items[:middle], *(odd_items(kind, faults.odd) if faults.odd else ()), *items[middle:]]
    first = len(ODD) + int(query.get(_ROUND, "0")) * faults.new
    return found + [invent(kind, first + number) for number in range(faults.new)]


def begin_again(page: Page, query: Mapping[str, str], faults: PageFaults) -> Page:
    """Return the page, if it is the last one, with the first page as its next, under a new cursor."""
    if "endless_list" not in faults.names:
        return page
    following = str(int(query.get(_ROUND, "0")) + 1)
    if page.next_query is not None:
        return replace(page, next_query={**page.next_query, _ROUND: following})
    kept = {key: value for key, value in query.items() if key not in ("cursor", "offset", "page_size")}
    return replace(page, next_query={**kept, "limit": str(page.limit), _ROUND: following})


def invent_cursor(page: Page, query: Mapping[str, str], faults: PageFaults) -> Page:
    """Return the page with an invented time in the cursor of the next one."""
    following = page.next_query
    if not faults.cursors or following is None or "cursor" not in following:
        return page
    pages = int(query.get(_ROUND, "0")) + 1
    rising = f"{_INVENTED_FROM + timedelta(days=pages):%Y-%m-%dT%H:%M:%S}.000Z"
    cursor = {"rising": rising, "future": _FUTURE, "opaque": f"page{pages}"}[faults.cursors]
    true = {_TRUE_CURSOR: following["cursor"], _ROUND: str(pages)}
    return replace(page, next_query={**following, "cursor": cursor, **true})


def true_query(query: Mapping[str, str]) -> Mapping[str, str]:
    """Return the query with the real cursor."""
    if _TRUE_CURSOR not in query:
        return query
    others = {name: value for name, value in query.items() if name != _TRUE_CURSOR}
    return others | {"cursor": query[_TRUE_CURSOR]}


def make_endless(page: Page, query: Mapping[str, str], faults: PageFaults) -> Page:
    """Return the page with a next page even after the end, so that a search never ends."""
    if "endless_empty_search" not in faults.names or page.next_query is not None:
        return page
    offset = int(query.get("offset", "0")) + page.limit
    return replace(page, next_query={**query, "offset": str(offset), "limit": str(page.limit)})


def change_link(link: str | None, here: str, query: Mapping[str, str], faults: PageFaults) -> str | None:
    """Return next_href as changed by the active faults; ``here`` is this page's own URL."""
    names = faults.names
    if "repeat_next_href" in names and ("cursor" in query or "offset" in query):
        link = here
    if link is None:
        return None
    parts = urlsplit(link)
    if "drop_access" in names:
        kept = [(key, value) for key, value in parse_qsl(parts.query) if key != "access"]
        parts = parts._replace(query=urlencode(kept))
    if "foreign_next_href" in names:
        parts = parts._replace(netloc=_INTERNAL_HOST)
    if "evil_next_href" in names:
        changes = {
            "host": {"netloc": _ELSEWHERE},
            "port": {"netloc": f"{parts.hostname}:1"},
            "scheme": {"scheme": "ftp"},
            "userinfo": {"netloc": f"{parts.netloc}@{_ELSEWHERE}"},
            "path": {"path": "/me"},
        }
        parts = parts._replace(**changes[faults.evil_part])
    return urlunsplit(parts)
