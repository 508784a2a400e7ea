from __future__ import annotations

import json

import pytest

from sgr_spiders.model.exceptions import NextHrefError
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from sgr_spiders.soundcloud.paging import first_position, next_cursor
from tests.reference import note

API = "https://api.soundcloud.com"
ACCESS = "access=playable,preview,blocked"
LIKES = f"/users/soundcloud:users:42/likes/tracks?{ACCESS}&linked_partitioning=true"


def padded(length: int) -> str:
    """Return a next_href of this length."""
    return f"{API}{LIKES}&cursor=".ljust(length, "x")


def likes(next_href: object, api_url: str = API) -> str | None:
    return next_cursor("user_likes", "42", next_href, api_url)


@pytest.mark.parametrize("next_href", [None, ""])
def test_a_walk_ends_without_a_next_href(next_href: object) -> None:
    assert likes(next_href) is None


@pytest.mark.parametrize("name", [name for name, endpoint in ENDPOINTS.items() if endpoint.paged])
def test_a_first_page_leads_to_itself(name: str) -> None:
    cursor = first_cursor(name, "42")
    assert next_cursor(name, "42", API + cursor, API) == cursor


@pytest.mark.parametrize(
    ("origin", "api_url"),
    [
        ("https://api.soundcloud.com", "https://api.soundcloud.com:443"),
        ("https://api.soundcloud.com:443", "https://api.soundcloud.com"),
        ("HTTPS://API.SoundCloud.com", "https://api.soundcloud.com/"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_the_api_is_known_with_and_without_its_port(origin: str, api_url: str) -> None:
    assert likes(f"{origin}{LIKES}&cursor=x", api_url) == f"{LIKES}&cursor=x"
    with pytest.raises(NextHrefError, match="on the API"):
        likes(f"{origin}/me", api_url)


@pytest.mark.parametrize(
    "origin",
    [
        "https://http.api.prod.api-public.srv.db.s-cloud.net",
        "http://api.soundcloud.com",
        "https://api.soundcloud.com:8443",
        "https://api.soundcloud.com.evil.example",
    ],
)
def test_a_foreign_origin_with_the_walks_path_is_rebuilt_on_the_api(origin: str) -> None:
    assert likes(f"{origin}{LIKES}&cursor=x") == f"{LIKES}&cursor=x"


@pytest.mark.parametrize(
    "spelling", ["42", "soundcloud:users:42", "soundcloud%3Ausers%3A42", "soundcloud%3ausers%3a42"]
)
def test_the_target_may_be_spelled_in_every_form(spelling: str) -> None:
    cursor = f"/users/{spelling}/likes/tracks?{ACCESS}&linked_partitioning=true&cursor=x"
    assert likes(API + cursor) == cursor
    assert likes("https://internal.s-cloud.net" + cursor) == cursor


@pytest.mark.parametrize(
    "path",
    [
        "/users/43/likes/tracks", "/users/soundcloud:users:43/likes/tracks", "/users/42/tracks",
        "/users/42/likes/playlists", "/users/42/likes/tracks/", "//users/42/likes/tracks", "/", "",
        "/users/soundcloud:tracks:42/likes/tracks", "/users/42/../43/likes/tracks",
        "/users/42%2Flikes/tracks", "/users/42;x/likes/tracks", "/me/likes/tracks",
    ],
)  # fmt: skip
@pytest.mark.parametrize("origin", [API, "https://internal.s-cloud.net"])
def test_another_path_is_refused_everywhere(origin: str, path: str) -> None:
    with pytest.raises(NextHrefError, match="next_href of user_likes '42'") as caught:
        likes(f"{origin}{path}?oauth_token=hush&cursor=private")
    assert "hush" not in str(caught.value)
    assert "private" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_cursor_stays() -> None:
    assert likes(padded(16_384)) == padded(16_384).removeprefix(API)


@pytest.mark.parametrize(
    ("next_href", "reason"),
    [
        (5, "not a string but int"),
        (True, "not a string but bool"),
        ([API + LIKES], "not a string but list"),
        ({}, "not a string but dict"),
        (padded(16_385), "16385 characters long, more than 16384"),
        (f"{API}{LIKES}\n", "control characters"),
        (f"{API}{LIKES}\x00", "control characters"),
        (f"https:\\\\api.soundcloud.com{LIKES}", "control characters or backslashes"),
        (f"{API}{LIKES}\ud800", "not a URL"),
        (f"https://api.soundcloud.com:port{LIKES}", "not a URL"),
        (f"https://[::1{LIKES}", "not a URL"),
        (f"ftp://api.soundcloud.com{LIKES}", "not an http"),
        (f"javascript:{LIKES}", "not an http"),
        (f"//api.soundcloud.com{LIKES}", "not an http"),
        (LIKES, "not an http"),
        (f" {API}{LIKES}", "not an http"),
        (f"https://{LIKES}", "not an http"),
        (f"https://user:pass@api.soundcloud.com{LIKES}", "username"),
        (f"https://api.soundcloud.com@evil.example{LIKES}", "username, on host 'evil.example'"),
    ],
)
def test_what_is_no_plain_url_is_refused(next_href: object, reason: str) -> None:
    with pytest.raises(NextHrefError, match=reason) as caught:
        likes(next_href)
    assert "pass" not in str(caught.value)
    assert "playable" not in str(caught.value)


@pytest.mark.parametrize(
    "cursor",
    [
        "cursor=2024-01-09T21:10:04.000Z,tracks,01712964786&page_size=50",
        "cursor=2024-01-09T21%3A10%3A04.000Z%2Ctracks%2C01712964786&page_size=50",
        "page_size=200&cursor=1567684271000",
        "cursor=a%2Bb+c%20d==",
        "cursor",
        "cursor=a&cursor=b",
    ],
)
def test_an_opaque_cursor_stays_as_it_is(cursor: str) -> None:
    assert likes(f"{API}/users/42/likes/tracks?{cursor}&{ACCESS}&linked_partitioning=1") == (
        f"/users/42/likes/tracks?{cursor}&{ACCESS}&linked_partitioning=1"
    )


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("cursor=x", f"cursor=x&{ACCESS}&linked_partitioning=true"),
        (f"{ACCESS}&cursor=x", f"{ACCESS}&cursor=x&linked_partitioning=true"),
        ("access=playable&cursor=x&linked_partitioning=true", f"{ACCESS}&cursor=x&linked_partitioning=true"),
        ("linked_partitioning=false&cursor=x", f"linked_partitioning=true&cursor=x&{ACCESS}"),
        (
            "access=playable%2Cpreview%2Cblocked&linked_partitioning=1",
            "access=playable%2Cpreview%2Cblocked&linked_partitioning=1",
        ),
        (
            "access=blocked,preview,playable&linked_partitioning=1",
            "access=blocked,preview,playable&linked_partitioning=1",
        ),
        (
            "access=playable&access=preview&access=blocked&linked_partitioning=1",
            f"{ACCESS}&linked_partitioning=1",
        ),
        ("", f"{ACCESS}&linked_partitioning=true"),
    ],
)  # fmt: skip
def test_parameters_of_the_first_page_are_put_back(query: str, wanted: str) -> None:
    assert likes(f"{API}/users/42/likes/tracks?{query}") == f"/users/42/likes/tracks?{wanted}"


def test_parameters_that_an_endpoint_does_not_take_are_not_added() -> None:
    cursor = "/tracks/676198187/reposters?cursor=1567684271000&page_size=200"
    assert next_cursor("track_reposters", "676198187", API + cursor, API) == cursor


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=lo%20fi&offset=50", "q=lo%20fi&offset=50"),
        ("q=lo+fi&offset=50", "q=lo+fi&offset=50"),
        ("q=lo fi&offset=50", "q=lo%20fi&offset=50"),
        ("offset=50", "offset=50&q=lo%20fi"),
        ("q=other&offset=50", "q=lo%20fi&offset=50"),
    ],
)
def test_a_search_keeps_its_words(query: str, wanted: str) -> None:
    cursor = next_cursor("search_users", "lo fi", f"{API}/users?linked_partitioning=1&{query}", API)
    assert cursor == f"/users?linked_partitioning=1&{wanted}"


@pytest.mark.parametrize(
    "name",
    ["client_id", "oauth_token", "secret_token", "access_token", "consumer_key", "Client_ID", "client%5Fid"],
)
def test_credentials_are_taken_out(name: str) -> None:
    assert likes(f"{API}{LIKES}&{name}=hush&cursor=x#oauth_token=hush") == f"{LIKES}&cursor=x"


def test_the_live_apis_internal_hosts() -> None:
    folder = note("soundcloud/payloads/from_issues")
    for name, endpoint, target in (
        ("017", "user_tracks", "1098233644"),
        ("018", "track_reposters", "676198187"),
        ("019", "user_tracks", "123"),
    ):
        body = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["body"]
        cursor = next_cursor(endpoint, target, body["next_href"], API)
        assert cursor is not None
        assert cursor.startswith(f"/{endpoint.split('_')[0]}s/{target}/")


def test_an_offset_is_the_place_of_the_first_item() -> None:
    assert first_position("") == 0
    assert first_position("/playlists/1/tracks?limit=200&offset=400") == 400
    assert first_position("/playlists/1/tracks?offset=-1&cursor=x") == 0
