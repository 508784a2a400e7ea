from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from tests.reference import note

NAMES = {
    "resolve", "track", "user", "playlist", "track_favoriters", "track_reposters", "track_comments",
    "track_related", "user_tracks", "user_likes", "user_reposts", "user_playlists", "playlist_tracks",
    "search_tracks", "search_users", "search_playlists", "tracks_by_id", "users_by_id",
}  # fmt: skip
# The crawl requests pages, not offsets, and nothing private; the rest are search filters.
UNUSED = {"offset", "secret_token", "sort", "genres", "tags", "bpm", "duration", "created_at"}


def test_the_names_are_those_that_walks_have() -> None:
    assert set(ENDPOINTS) == NAMES


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(note("soundcloud/openapi.yaml").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("name", sorted(NAMES))
def test_parameters_are_those_of_the_specification(name: str, specification: dict[str, Any]) -> None:
    endpoint = ENDPOINTS[name]
    parent = endpoint.path.split("/")[1].removesuffix("s")
    listed = specification["paths"][endpoint.path.replace("{urn}", f"{{{parent}_urn}}")]["get"]["parameters"]
    shared = specification["components"]["parameters"]
    parameters = [shared[item["$ref"].rpartition("/")[2]] if "$ref" in item else item for item in listed]
    query = {parameter["name"] for parameter in parameters if parameter["in"] == "query"} - UNUSED
    if endpoint.path in {"/tracks", "/users"}:
        # A request searches, or it looks up records.
        query.discard("q" if endpoint.target == "ids" else "urns")
    sent = {param for param, _ in parse_qsl(urlsplit(first_cursor(name, "1")).query)}
    assert sent == query
    limit = dict(endpoint.params).get("limit")
    assert limit is None or 1 <= int(limit) <= 200


SHOWN = "access=playable,preview,blocked"


@pytest.mark.parametrize(
    ("name", "target", "cursor"),
    [
        ("track", "123", "/tracks/soundcloud:tracks:123"),
        ("user", "soundcloud:users:7", "/users/soundcloud:users:7"),
        ("playlist", "7", f"/playlists/soundcloud:playlists:7?{SHOWN}&show_tracks=true"),
        ("track_reposters", "1", "/tracks/soundcloud:tracks:1/reposters?limit=200"),
        (
            "user_likes",
            "42",
            f"/users/soundcloud:users:42/likes/tracks?{SHOWN}&limit=200&linked_partitioning=true",
        ),
        (
            "search_users",
            "50% off & més",
            "/users?q=50%25%20off%20%26%20m%C3%A9s&limit=200&linked_partitioning=true",
        ),
        (
            "resolve",
            "https://soundcloud.com/a/b?c=d",
            "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%3Fc%3Dd",
        ),
    ],
)
def test_the_first_page(name: str, target: str, cursor: str) -> None:
    assert first_cursor(name, target) == cursor


def test_pages_of_playlists_with_their_tracks_are_short() -> None:
    for name in ("user_playlists", "search_playlists"):
        assert dict(ENDPOINTS[name].params)["limit"] == "20"


@pytest.mark.parametrize("target", ["", "abc", "0", "soundcloud:users:1", "1/../../me"])
def test_a_target_of_another_kind_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="walk track_comments"):
        first_cursor("track_comments", target)


def test_half_a_character_in_a_search_does_not_break_the_walk() -> None:
    assert first_cursor("search_users", "a\ud800").startswith("/users?q=a%3F&")
