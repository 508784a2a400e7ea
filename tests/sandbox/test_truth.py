"""Every list fetched over HTTP equals the world's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.client import ALL, ApiClient, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.sandbox.world import World

USER_LISTS: dict[str, Callable[[World, int], list[int] | None]] = {
    "tracks": lambda world, user: world.uploads(user),
    "likes/tracks": lambda world, user: world.library(user),
    "likes/playlists": lambda world, user: world.liked_playlists(user),
    "playlists": lambda world, user: world.playlists_of(user),
    "reposts/tracks": lambda world, user: world.reposted_tracks(user),
    "reposts/playlists": lambda world, user: world.reposted_playlists(user),
    "followers": lambda world, user: world.followers(user),
    "followings": lambda world, user: world.followings(user),
    "related": lambda world, user: world.related_users(user),
}
TRACK_LISTS: dict[str, Callable[[World, int], list[int] | None]] = {
    "favoriters": lambda world, track: world.likers(track),
    "reposters": lambda world, track: world.reposters(track),
    "related": lambda world, track: world.related_tracks(track),
    "comments": lambda world, track: [c.comment_id for c in world.comments_on(track) or ()],
}


@pytest.mark.parametrize("name", USER_LISTS)
def test_user_lists(api: ApiClient, world: World, name: str) -> None:
    people = [*(world.likers(world.seed_track_id) or ())[:12], world.seed_artist_id]
    walked = 0
    for user in people:
        expected = USER_LISTS[name](world, user)
        path = f"/users/soundcloud:users:{user}/{name}?{ALL}"
        if expected is None:
            assert api.get(path).status_code == 404
            continue
        # A small page size, so that there are cursors and short pages.
        assert api.ids(path, limit=7) == expected
        walked += len(expected)
    assert walked, "nothing was compared"


@pytest.mark.parametrize("name", TRACK_LISTS)
def test_track_lists(api: ApiClient, world: World, name: str) -> None:
    expected = TRACK_LISTS[name](world, world.seed_track_id)
    assert expected
    assert api.ids(f"/tracks/{world.seed_track_id}/{name}?{ALL}", limit=9) == expected


def test_playlists_keep_order_and_count_unavailable_tracks(api: ApiClient, world: World) -> None:
    shrunk = 0
    for playlist in world.playlists_with(world.seed_track_id):
        path = f"/playlists/soundcloud:playlists:{playlist}"
        whole = api.json(f"{path}?{ALL}")
        expected = world.playlist_tracks(playlist)
        assert [number(track["urn"]) for track in whole["tracks"]] == expected
        assert api.ids(f"{path}/tracks?{ALL}", limit=20) == expected
        assert whole["track_count"] == world.playlist_track_count(playlist)
        assert "tracks" not in api.json(f"{path}?show_tracks=false")
        assert api.ids(f"{path}/reposters") == world.playlist_reposters(playlist)
        shrunk += whole["track_count"] > len(whole["tracks"])
    assert shrunk


def test_search(api: ApiClient, world: World) -> None:
    assert api.ids(f"/tracks?q=paper+lanterns&{ALL}", limit=2) == world.search_tracks("paper lanterns")
    assert api.ids("/users?q=chillhop") == world.search_users("chillhop")
    found = world.search_playlists("paper lanterns")
    assert api.ids("/playlists?q=paper+lanterns", limit=1) == found
    assert len(found) >= 4
    page = api.json("/playlists?q=paper+lanterns&linked_partitioning=1")
    assert all("tracks" not in item for item in page["collection"])


def test_search_by_urns_and_filters(api: ApiClient, world: World) -> None:
    some = world.library(world.likers(world.seed_track_id)[0])  # type: ignore[index]
    assert some
    urns = ",".join(f"soundcloud:tracks:{track}" for track in [*some[:5], 4])
    assert api.ids(f"/tracks?urns={urns}&{ALL}") == some[:5]
    newer = "created_at[from]=2025-01-01%2000:00:00"
    found = api.ids(f"/tracks?q=lanterns&{newer}&{ALL}")
    assert 0 < len(found) < len(world.search_tracks("lanterns"))
    assert api.get("/tracks?q=x&created_at[from]=2025/01/01%2000:00:00%20%2B0000").status_code == 400
    assert api.get("/tracks").status_code == 400


def test_upload_order_and_aliases(api: ApiClient, world: World) -> None:
    path = f"/users/{world.seed_artist_id}/tracks?{ALL}"
    newest = world.uploads(world.seed_artist_id)
    assert newest
    for alias in ("sort", "direction", "order"):
        assert api.ids(f"{path}&{alias}=asc", limit=3) == newest[::-1]
        assert api.ids(f"{path}&{alias}=desc", limit=3) == newest


def test_access_filters_after_paging(api: ApiClient, world: World) -> None:
    user = max(world.likers(world.seed_track_id) or (), key=lambda liker: len(world.library(liker) or ()))
    usual = api.walk(f"/users/{user}/likes/tracks", limit=10)
    assert any(len(page["collection"]) < 10 for page in usual[:-1])
    assert api.ids(f"/users/{user}/likes/tracks") == world.library(user, ("playable", "preview"))
    blocked = api.walk(f"/users/{user}/likes/tracks?access=blocked", limit=3)
    assert any(not page["collection"] and page.get("next_href") for page in blocked)
    assert api.get(f"/users/{user}/likes/tracks?access=everything").status_code == 400


def test_objects_that_are_gone(api: ApiClient, world: World) -> None:
    hidden = [track for track in world.track_ids() if not world.track_is_visible(track)]
    lost = [user for user in world.user_ids() if not world.user_is_visible(user)]
    sets = [item for item in world.playlist_ids() if not world.playlist_is_visible(item)]
    for kind, gone in (("tracks", hidden), ("users", lost), ("playlists", sets)):
        assert gone
        for path in (
            f"/{kind}/{gone[0]}",
            f"/{kind}/soundcloud%3A{kind}%3A{gone[0]}",
            f"/{kind}/12",
            f"/{kind}/x",
        ):
            response = api.get(path)
            assert response.status_code == 404
            assert response.json()["status"] == "404 - Not Found"
    assert api.get(f"/tracks/{hidden[0]}/favoriters").status_code == 404
    assert api.get(f"/users/{lost[0]}/likes/tracks").status_code == 404


def test_hidden_and_empty_libraries(api: ApiClient, world: World) -> None:
    visible = [user for user in world.user_ids() if world.user_is_visible(user)]
    hidden = [user for user in visible if world.library(user) is None]
    empty = [user for user in visible if world.library(user) == []]
    assert hidden
    assert empty
    for user in hidden:
        assert api.get(f"/users/{user}").status_code == 200
        assert api.get(f"/users/{user}/likes/tracks").status_code == 404
        assert api.get(f"/users/{user}/likes/playlists").status_code == 404
    assert api.ids(f"/users/{empty[0]}/likes/tracks") == []


def test_a_believable_world(world: World) -> None:
    seed = world.seed_track_id
    likers = world.likers(seed) or []
    sizes = [len(library) for user in likers if (library := world.library(user)) is not None]
    assert 50 <= len(likers) <= 60
    assert sum(size > 200 for size in sizes) >= 3
    assert min(sizes) < 20
    assert None in [world.library(user) for user in world.user_ids() if world.user_is_visible(user)]
    overlap = set(likers) & set(world.reposters(seed) or ())
    assert 0 < len(overlap) < len(world.reposters(seed) or ())
    assert len(world.playlists_with(seed)) >= 10
    assert max(world.track_ids()) > 2**31
    assert max(world.user_ids()) > 2**31
    assert world.credits(seed)[0].kind == "featuring"
    assert world.label_of(seed) == "Chillhop Records"
    assert world.label_account("Chillhop Records") in world.user_ids()
    voices = {comment.user_id for comment in world.comments_on(seed) or ()}
    assert 5 < len(voices) < len(world.comments_on(seed) or ()) == 40
    at_home = [world.people.taste.home[world.people.ids.tolist().index(user)] for user in likers]
    assert sum(home == 0 for home in at_home) > len(likers) / 2
