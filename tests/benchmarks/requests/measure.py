"""Count the requests of a harvest, and fetch the same collections with as few as the API allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from tests.crawls.crawling import Harvester
from tests.sandbox.client import ApiClient
from tests.sandbox_process import SandboxProcess

AIM: Final = 1.10
LARGEST_PAGE: Final = "200"
"""The specification's maximum, independent of the harvester's value, which is what is measured."""
UNKNOWN: Final = "(other)"
_PATHS: Final = [
    (re.compile(re.escape(endpoint.path).replace(re.escape("{urn}"), "[^/]+")), name)
    for name, endpoint in ENDPOINTS.items()
    # Only a run that refetches looks up records, at the paths of searches.
    if endpoint.target != "ids"
]


@dataclass(frozen=True)
class Figures:
    """The requests sent to an endpoint, or to all, and the minimum for the same records."""

    name: str
    sent: int
    least: int

    @property
    def ratio(self) -> float:
        return self.sent / self.least if self.least else float("inf")


@dataclass(frozen=True)
class Collection:
    """A collection of the ledger, with the maximum number of items fetched."""

    endpoint: str
    target: str
    cap: int


def api_requests(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    """Return the requests since the sandbox's log was cleared, without those for tokens."""
    return [entry for entry in sandbox.log() if entry["path"] != "/oauth/token"]


def endpoint_of(path: str) -> str:
    return next((name for pattern, name in _PATHS if pattern.fullmatch(path)), UNKNOWN)


def collections_of(harvester: Harvester) -> list[Collection]:
    """Return every collection of the ledger with its largest cap."""
    rows = harvester.query(
        "SELECT endpoint, target, coalesce(max(cap), 1) FROM walks LEFT JOIN walk_requests USING (walk_id) "
        "GROUP BY walk_id ORDER BY endpoint, target"
    )
    return [Collection(*row) for row in rows]


def figures(harvester: Harvester) -> list[Figures]:
    """Return the figures by endpoint for the requests that the harvester recorded."""
    sent = Counter(endpoint_of(entry["path"]) for entry in harvester.requests)
    least: Counter[str] = Counter()
    with requests.Session() as session:
        client = ApiClient(harvester.sandbox, session)
        for collection in collections_of(harvester):
            least[collection.endpoint] += pages_needed(client, collection)
    return [Figures(name, sent[name], least[name]) for name in sorted(sent.keys() | least.keys())]


def total(rows: Iterable[Figures]) -> Figures:
    rows = list(rows)
    return Figures("total", sum(row.sent for row in rows), sum(row.least for row in rows))


def pages_needed(client: ApiClient, collection: Collection) -> int:
    """Return the number of pages of 200 needed for the collection up to its cap, at least 1."""
    seen: set[str] = set()
    pages = 0
    for pages, items in enumerate(_pages(client, collection), 1):  # noqa: B007 - only their number matters
        seen.update(item["urn"] for item in items)
        if len(seen) >= collection.cap:
            break
    return pages


def _pages(client: ApiClient, collection: Collection) -> Iterator[list[dict[str, Any]]]:
    url: str | None = _first_page(collection)
    while url is not None:
        answer = client.get(url)
        if answer.status_code in {302, 404}:  # a resolved URL; gone, or a library that is hidden
            yield []
            return
        assert answer.status_code == 200, (url, answer.status_code)
        page = answer.json()
        yield page.get("collection", [])
        url = page.get("next_href")


def _first_page(collection: Collection) -> str:
    """Return the URL of the largest page that the specification allows, without the tracks of playlists."""
    parts = urlsplit(first_cursor(collection.endpoint, collection.target))
    query = dict(parse_qsl(parts.query))
    if "limit" in query:
        query |= {"limit": LARGEST_PAGE, "linked_partitioning": "true"}
    if "show_tracks" in query:
        query["show_tracks"] = "false"
    return f"{parts.path}?{urlencode(query)}"
