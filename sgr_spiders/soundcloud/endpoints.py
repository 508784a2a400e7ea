"""The endpoints that a harvest reads, as listed in the official specification.

Only parameters that the specification lists for an endpoint are sent; a test compares this table
with it. ``secret_token`` is never sent, because private records are never harvested.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from sgr_spiders.soundcloud.urns import parse_key, urn

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCESS: Final = ("access", "playable,preview,blocked")
"""Without it, lists omit blocked tracks."""
LINKED: Final = ("linked_partitioning", "true")
"""Without it, some lists are plain arrays that end after one page."""
SHOW_TRACKS: Final = ("show_tracks", "true")
LIMIT: Final = ("limit", "200")
"""The API's maximum."""
DEFAULT_LIMIT: Final = 50
"""The number of items per page that the API returns if none is asked for."""
PLAYLIST_LIMIT: Final = ("limit", "20")
"""A short page, because each playlist contains up to 500 tracks."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The requests and responses of one kind of walk.

    ``path`` contains ``{urn}`` in place of the target. ``target`` is the type of the target: the ID of a
    track, user or playlist, a ``query``, a ``url``, or ``ids`` of tracks or users, separated by commas.
    ``record`` is the type of the records in the response (``any``: a track, a user or a playlist).
    ``engagement`` is the engagement between user and track that each item implies. ``paged`` endpoints return
    lists, the others one object.
    """

    name: str
    path: str
    record: Literal["track", "user", "playlist", "comment", "any"]
    target: Literal["track", "user", "playlist", "query", "url", "ids"]
    params: tuple[tuple[str, str], ...] = ()
    engagement: Literal["like", "repost", "comment"] | None = None
    paged: bool = True

    @property
    def usual_limit(self) -> int:
        """The number of items per page that the API is asked for or uses by default; 0 without pages."""
        return int(dict(self.params).get(LIMIT[0], DEFAULT_LIMIT)) if self.paged else 0

    @property
    def target_param(self) -> str | None:
        """The query parameter of the target, or ``None`` if the target is in the path."""
        return {"query": "q", "url": "url", "ids": "urns"}.get(self.target)

    def param_value(self, target: str) -> str:
        """Return the value of that parameter."""
        if self.target != "ids":
            return target
        return ",".join(urn(self.record, int(record_id)) for record_id in target.split(","))


_TABLE: Final = (
    Endpoint("resolve", "/resolve", "any", "url", paged=False),
    Endpoint("track", "/tracks/{urn}", "track", "track", paged=False),
    Endpoint("user", "/users/{urn}", "user", "user", paged=False),
    Endpoint("playlist", "/playlists/{urn}", "playlist", "playlist", (ACCESS, SHOW_TRACKS), paged=False),
    Endpoint("track_favoriters", "/tracks/{urn}/favoriters", "user", "track", (LIMIT, LINKED), "like"),
    Endpoint("track_reposters", "/tracks/{urn}/reposters", "user", "track", (LIMIT,), "repost"),
    Endpoint("track_comments", "/tracks/{urn}/comments", "comment", "track", (LIMIT, LINKED), "comment"),
    Endpoint("track_related", "/tracks/{urn}/related", "track", "track", (ACCESS, LIMIT, LINKED)),
    Endpoint("user_tracks", "/users/{urn}/tracks", "track", "user", (ACCESS, LIMIT, LINKED)),
    Endpoint("user_likes", "/users/{urn}/likes/tracks", "track", "user", (ACCESS, LIMIT, LINKED), "like"),
    Endpoint(
        "user_reposts", "/users/{urn}/reposts/tracks", "track", "user", (ACCESS, LIMIT, LINKED), "repost"
    ),
    Endpoint(
        "user_playlists",
        "/users/{urn}/playlists",
        "playlist",
        "user",
        (ACCESS, SHOW_TRACKS, PLAYLIST_LIMIT, LINKED),
    ),
    # The specification lists no limit here.
    Endpoint("playlist_tracks", "/playlists/{urn}/tracks", "track", "playlist", (ACCESS, LINKED)),
    Endpoint("search_tracks", "/tracks", "track", "query", (ACCESS, LIMIT, LINKED)),
    Endpoint("tracks_by_id", "/tracks", "track", "ids", (ACCESS, LIMIT, LINKED)),
    Endpoint("users_by_id", "/users", "user", "ids", (LIMIT, LINKED)),
    Endpoint("search_users", "/users", "user", "query", (LIMIT, LINKED)),
    Endpoint(
        "search_playlists", "/playlists", "playlist", "query", (ACCESS, SHOW_TRACKS, PLAYLIST_LIMIT, LINKED)
    ),
)

ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType({endpoint.name: endpoint for endpoint in _TABLE})


def first_cursor(endpoint_name: str, target: str) -> str:
    """Return path and query, on the API's origin, of a walk's first page.

    Raises:
        ValueError: if the target is invalid for the endpoint.
    """
    endpoint = ENDPOINTS[endpoint_name]
    params = endpoint.params
    path = endpoint.path
    if endpoint.target_param is not None:
        params = ((endpoint.target_param, endpoint.param_value(target)), *params)
    else:
        target_id = parse_key(target, endpoint.target)
        if target_id is None:
            raise ValueError(f"walk {endpoint_name}: {target!r} is not a {endpoint.target} ID")
        path = path.replace("{urn}", urn(endpoint.target, target_id))
    query = "&".join(encode_param(name, value) for name, value in params)
    return f"{path}?{query}" if query else path


def encode_param(name: str, value: str) -> str:
    """Return ``name=value`` for a query, with literal commas, which the API requires in lists.

    Colons are literal in URNs: a list of 200 would be a third longer.
    """
    safe = ",:" if name == "urns" else ","
    return f"{name}={quote(value, safe=safe, errors='replace')}"
