"""The API itself: turns a request into a page or an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import numpy as np
import orjson

from sgr_spiders.sandbox import page_faults
from sgr_spiders.sandbox import vocabulary as words
from sgr_spiders.sandbox.answers import Answer, RefusedError, api_error, json_answer
from sgr_spiders.sandbox.listings import ROUTES, oldest_first
from sgr_spiders.sandbox.objects import ObjectWriter, api_date
from sgr_spiders.sandbox.page_faults import Page
from sgr_spiders.sandbox.paging import MAX_PER_PAGE, Listing, cut
from sgr_spiders.sandbox.population import ACCESS_NAMES
from sgr_spiders.sandbox.queries import number_of, search
from sgr_spiders.sandbox.seeding import Bools, Indices, mix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.sandbox.faults import FaultRule
    from sgr_spiders.sandbox.options import ShapeOptions
    from sgr_spiders.sandbox.world import World

_LISTABLE = ("tracks", "users", "playlists")
_DEFAULT_ACCESS = "playable,preview"
_TRUE = ("true", "1")
_SITES = ("soundcloud.com", "www.soundcloud.com", "m.soundcloud.com")
_SHORT_SITE = "on.soundcloud.com"


@dataclass(frozen=True)
class ApiRequest:
    """The parts of a request that the API uses; ``path`` is as sent, still quoted."""

    method: str
    path: str
    query: dict[str, str]
    host: str

    @classmethod
    def read(cls, method: str, target: str, host: str) -> ApiRequest:
        path, _, query = target.partition("?")
        return cls(method, path, dict(parse_qsl(query, keep_blank_values=True)), host)

    @property
    def wants_collection(self) -> bool:
        return self.query.get("linked_partitioning", "").lower() in _TRUE

    def link(self, query: Mapping[str, str]) -> str:
        """Return an absolute URL with this path on the requested host."""
        return f"http://{self.host}{self.path}?{urlencode(query)}"


class Api:
    """The API of one world."""

    def __init__(self, world: World, shape: ShapeOptions, most_per_page: int = MAX_PER_PAGE) -> None:
        self.world, self.shape, self.most_per_page = world, shape, most_per_page
        self.writer = ObjectWriter(world, shape)

    def refresh(self) -> None:
        """Drop cached objects; call this after the world has changed."""
        self.writer = ObjectWriter(self.world, self.shape)

    def answer(self, request: ApiRequest, rules: Iterable[FaultRule] = ()) -> Answer:
        """Return the response, with the page faults among ``rules`` applied."""
        if request.method != "GET":
            return api_error(405)
        try:
            return self._route(request, page_faults.select(rules))
        except RefusedError as refusal:
            return api_error(refusal.status, str(refusal))

    def _route(self, request: ApiRequest, faults: page_faults.PageFaults) -> Answer:
        kind, *rest = unquote(request.path).strip("/").split("/")
        if kind == "resolve" and not rest:
            return self._resolve(request)
        if kind == "me":
            raise RefusedError(401)
        if kind not in _LISTABLE:
            raise RefusedError(404)
        if not rest:
            return self._search(request, kind, faults)
        index = self._visible(kind, number_of(rest[0], kind))
        below = "/".join(rest[1:])
        if not below:
            return self._object(request, kind, index)
        if (kind, below) == ("users", "web-profiles"):
            return self._web_profiles(index)
        return self._list(request, (kind, below), index, faults)

    def _visible(self, kind: str, number: int | None) -> int:
        """Return the index of a visible object, or refuse the request with 404."""
        world = self.world
        find, visible = {
            "tracks": (world.track_index, world.track_visible),
            "users": (world.user_index, world.user_visible),
            "playlists": (world.playlist_index, world.playlist_visible),
        }[kind]
        index = None if number is None else find(number)
        if index is None or not visible[index]:
            raise RefusedError(404)
        return index

    # --- single objects ----------------------------------------------------------------

    def _object(self, request: ApiRequest, kind: str, index: int) -> Answer:
        if kind == "tracks":
            return Answer(200, self.writer.track(index))
        if kind == "users":
            return Answer(200, self.writer.user(index))
        return Answer(200, self._playlist(index, request.query))

    def _playlist(self, index: int, query: Mapping[str, str]) -> bytes:
        """Return a playlist with its tracks; a search omits them unless ``show_tracks`` is set."""
        default = "false" if "q" in query else "true"
        if query.get("show_tracks", default).lower() not in _TRUE:
            return self.writer.playlist(index, None)
        entries = self.world.playlists.tracks_of(index)
        return self.writer.playlist(index, entries[self._access_mask(query, entries)].tolist())

    def _web_profiles(self, person: int) -> Answer:
        people = self.world.people
        number, link = int(people.ids[person]), people.permalinks[person]
        profiles = [
            {
                "kind": "web-profile",
                "urn": f"soundcloud:web-profiles:{number * 10 + position}",
                "id": number * 10 + position,
                "service": service,
                "title": service.capitalize(),
                "url": address.format(name=link),
                "username": link,
                "created_at": api_date(int(people.joined_s[person])),
            }
            for position, (service, address) in enumerate(words.SERVICES[: mix(47, number) % 4])
        ]
        return json_answer(200, profiles)

    # --- lists -------------------------------------------------------------------------

    def _access_mask(self, query: Mapping[str, str], found: Indices) -> Bools:
        """Return a mask of the tracks visible at the requested access levels."""
        levels = query.get("access", _DEFAULT_ACCESS).split(",")
        codes = [ACCESS_NAMES.index(level) for level in levels if level in ACCESS_NAMES]
        if len(codes) < len(levels):
            raise RefusedError(400, "invalid access")
        requested = np.zeros(len(ACCESS_NAMES), dtype=np.bool_)
        requested[codes] = True
        return self.world.track_visible[found] & requested[self.world.catalogue.access[found]]

    def _search(self, request: ApiRequest, kind: str, faults: page_faults.PageFaults) -> Answer:
        listing = search(self.world, kind, request.query)
        page = self._page(request, listing, "offset", faults)
        page = page_faults.make_endless(page, request.query, faults)
        collection = kind == "users" or request.wants_collection
        return self._write(request, page, faults, collection=collection, null_at_end=True)

    def _list(
        self, request: ApiRequest, name: tuple[str, str], index: int, faults: page_faults.PageFaults
    ) -> Answer:
        route = ROUTES.get(name)
        if route is None:
            raise RefusedError(404)
        listing = route.find(self.world, index)
        if name == ("users", "tracks") and _wants_ascending(request.query):
            listing = oldest_first(listing)
        page = self._page(request, listing, route.cursor, faults)
        collection = request.wants_collection or not route.either
        return self._write(request, page, faults, collection=collection, null_at_end=route.null_at_end)

    def _page(
        self, request: ApiRequest, listing: Listing, style: str, faults: page_faults.PageFaults
    ) -> Page:
        """Cut the page before filtering it, as the API does, so it may be short or empty."""
        query = page_faults.true_query(request.query)
        taken = cut(listing, style, query, self.most_per_page, faults.shift)
        if faults.empty:
            return Page([], None, taken.limit)
        start = max(0, taken.start - 1) if faults.duplicates else taken.start
        items = self._items(request.query, listing.kind, listing.indices[start : taken.stop])
        if faults.duplicates:
            items += items[:1]
        items = page_faults.add_items(items, listing.kind, request.query, faults)
        page = page_faults.begin_again(Page(items, taken.next_query, taken.limit), request.query, faults)
        return page_faults.invent_cursor(page, request.query, faults)

    def _items(self, query: Mapping[str, str], kind: str, found: Indices) -> list[bytes]:
        writer, world = self.writer, self.world
        if kind == "tracks":
            return [writer.track(index) for index in found[self._access_mask(query, found)].tolist()]
        if kind == "users":
            return [writer.user(index) for index in found[world.user_visible[found]].tolist()]
        if kind == "comments":
            return [writer.comment(index) for index in found.tolist()]
        return [self._playlist(index, query) for index in found[world.playlist_visible[found]].tolist()]

    def _write(
        self,
        request: ApiRequest,
        page: Page,
        faults: page_faults.PageFaults,
        *,
        collection: bool,
        null_at_end: bool,
    ) -> Answer:
        if not collection or faults.array:
            return Answer(200, b"[" + b",".join(page.items) + b"]")
        link = None if page.next_query is None else request.link(page.next_query)
        link = page_faults.change_link(link, request.link(request.query), request.query, faults)
        tail = b"}"
        if link is not None or null_at_end:
            tail = b',"next_href":' + orjson.dumps(link) + b"}"
        return Answer(200, b'{"collection":[' + b",".join(page.items) + b"]" + tail)

    # --- resolve -----------------------------------------------------------------------

    def _resolve(self, request: ApiRequest) -> Answer:
        url = request.query.get("url")
        if not url:
            raise RefusedError(400, "url is required")
        kind, number = self._resolve_url(url)
        name = number if self.shape.uri == "numeric" else f"soundcloud:{kind}:{number}"
        location = f"http://{request.host}/{kind}/{name}"
        body = {"status": "302 - Found", "location": location}
        return json_answer(302, body, {"Location": location})

    def _resolve_url(self, url: str) -> tuple[str, int]:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        path = [part for part in unquote(parts.path).split("/") if part]
        if parts.hostname == _SHORT_SITE and len(path) == 1 and path[0][:1] == "t":
            number = number_of(path[0][1:], "tracks")
            self._visible("tracks", number)
            return "tracks", number or 0
        if parts.hostname not in _SITES or not path:
            raise RefusedError(404)
        person = self.world.person_by_permalink(path[0])
        if person is None or not self.world.user_visible[person]:
            raise RefusedError(404)
        return self._resolve_below_user(person, path[1:])

    def _resolve_below_user(self, person: int, path: list[str]) -> tuple[str, int]:
        world = self.world
        if not path or path in (["likes"], ["tracks"], ["sets"], ["reposts"]):
            return "users", int(world.people.ids[person])
        if path[0] == "sets":
            for playlist in world.sets_of(person).tolist():
                if world.playlist_visible[playlist] and self.writer.playlist_permalink(playlist) == path[1]:
                    return "playlists", int(world.playlists.ids[playlist])
            raise RefusedError(404)
        for track in world.uploads_of(person).tolist():
            if world.track_visible[track] and self.writer.track_permalink(track) == path[0]:
                return "tracks", int(world.catalogue.ids[track])
        raise RefusedError(404)


def _wants_ascending(query: Mapping[str, str]) -> bool:
    for name in ("sort", "direction", "order"):
        if name in query:
            if query[name] not in ("asc", "desc"):
                raise RefusedError(400, f"invalid {name}")
            return query[name] == "asc"
    return False
