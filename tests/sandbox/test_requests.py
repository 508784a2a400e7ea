"""URLs, tokens, limits and cursors that the server accepts or refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests

from tests.sandbox.client import ALL, TIMEOUT_S, ApiClient
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from sgr_spiders.sandbox.world import World


def token(sandbox: SandboxProcess, basic: tuple[str, str] | None = None, **form: str) -> requests.Response:
    return requests.post(f"{sandbox.url}/oauth/token", data=form, auth=basic, timeout=TIMEOUT_S)


def test_authorization(sandbox: SandboxProcess, api: ApiClient) -> None:
    path = f"/tracks/{sandbox.seed_track_id}"
    assert api.get(path).status_code == 200
    for header in (api.token, f"Bearer {api.token}", "OAuth nonsense", ""):
        response = api.get(path, Authorization=header)
        assert response.status_code == 401
        assert response.json()["status"] == "401 - Unauthorized"
    assert api.get("/me").status_code == 401
    assert requests.get(sandbox.url + path, timeout=TIMEOUT_S).status_code == 401
    seen = sandbox.log()
    assert [entry["token_ok"] for entry in seen[-7:]] == [True, False, False, False, False, True, False]
    assert seen[-1]["had_authorization"] is False
    assert seen[-2]["path"] == "/me"


def test_client_credentials(sandbox: SandboxProcess) -> None:
    grant = {"grant_type": "client_credentials"}
    good = token(sandbox, ("anything", "sandbox"), **grant)
    assert good.status_code == 200
    assert good.json() | {"access_token": 0, "refresh_token": 0} == {
        "access_token": 0, "refresh_token": 0, "token_type": "Bearer", "expires_in": 3599, "scope": "",
    }  # fmt: skip
    for refused in (
        token(sandbox, ("anything", "wrong"), **grant),
        token(sandbox, ("bad-app", "sandbox"), **grant),
        token(sandbox, None, client_id="a", client_secret="sandbox", **grant),
        token(sandbox, ("a", "sandbox"), client_id="a", client_secret="sandbox", **grant),
        token(sandbox, None, **grant),
    ):
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert token(sandbox, ("a", "sandbox"), grant_type="password").json() == {"error": "unsupported_grant"}
    assert token(sandbox, ("a", "sandbox")).json() == {"error": "invalid_request"}
    assert requests.get(f"{sandbox.url}/oauth/token", timeout=TIMEOUT_S).status_code == 405


def test_refresh_tokens_work_once(sandbox: SandboxProcess) -> None:
    first = token(sandbox, ("app", "sandbox"), grant_type="client_credentials").json()
    form = {"grant_type": "refresh_token", "client_id": "app", "client_secret": "sandbox"}
    old = first["refresh_token"]
    assert token(sandbox, ("app", "sandbox"), refresh_token=old, **form).json() == {
        "error": "invalid_request"
    }
    assert token(sandbox, None, refresh_token=old, **{**form, "client_id": "other"}).status_code == 400
    second = token(sandbox, None, refresh_token=old, **form)
    assert second.status_code == 200
    assert second.json()["refresh_token"] != old
    reused = token(sandbox, None, refresh_token=old, **form)
    assert (reused.status_code, reused.json()) == (400, {"error": "invalid_grant"})
    assert token(sandbox, None, refresh_token=second.json()["refresh_token"], **form).status_code == 200


def test_exchange_limits_and_lifetime() -> None:
    with SandboxProcess("--app-exchanges", "2", "--ip-exchanges", "4", "--token-lifetime", "1") as limited:
        grant = {"grant_type": "client_credentials"}
        responses = [token(limited, ("app", "sandbox"), **grant) for _ in range(3)]
        assert [response.status_code for response in responses] == [200, 200, 429]
        assert responses[2].json() == {"error": "rate_limit_exceeded"}
        assert responses[2].headers["www-authenticate"] == "Basic"
        # A failed attempt also counts against the IP address.
        assert token(limited, ("bad", "sandbox"), **grant).status_code == 401
        last = token(limited, ("other", "sandbox"), **grant)
        assert last.status_code == 429
        assert last.json()["errors"][0]["meta"]["rate_limit"]["max_nr_of_requests"] == 4
        refresh = {"grant_type": "refresh_token", "client_id": "app", "client_secret": "sandbox"}
        fresh = token(limited, None, refresh_token=responses[0].json()["refresh_token"], **refresh).json()
        assert fresh["expires_in"] == 1
        header = {"Authorization": f"OAuth {fresh['access_token']}"}
        limited.set_faults(["slow:seconds=1.1,times=1"])
        url = f"{limited.url}/tracks/{limited.seed_track_id}"
        assert requests.get(url, headers=header, timeout=TIMEOUT_S).status_code == 401


def test_sign_out(sandbox: SandboxProcess, api: ApiClient) -> None:
    header = {"Authorization": f"OAuth {api.token}"}
    assert requests.post(f"{sandbox.url}/sign-out", headers=header, timeout=TIMEOUT_S).status_code == 200
    assert api.get(f"/tracks/{sandbox.seed_track_id}").status_code == 401


def test_robots(sandbox: SandboxProcess) -> None:
    text = requests.get(f"{sandbox.url}/robots.txt", timeout=TIMEOUT_S).text
    assert text.split("\n")[:2] == ["User-agent: *", "Disallow: /"]


def test_resolve(api: ApiClient, world: World) -> None:
    seed, artist = world.seed_track_id, world.seed_artist_id
    link = api.json(f"/tracks/{seed}")["permalink_url"]
    assert "utm_medium=api" in link
    person = f"https://soundcloud.com/{world.permalink_of(artist)}"
    playlist = world.playlists_with(seed)[0]
    playlist_link = api.json(f"/playlists/{playlist}")["permalink_url"]
    for url, target in (
        (link, f"/tracks/soundcloud:tracks:{seed}"),
        (link.partition("?")[0], f"/tracks/soundcloud:tracks:{seed}"),
        (f"https://on.soundcloud.com/t{seed}", f"/tracks/soundcloud:tracks:{seed}"),
        (person, f"/users/soundcloud:users:{artist}"),
        (f"{person}/likes", f"/users/soundcloud:users:{artist}"),
        (playlist_link, f"/playlists/soundcloud:playlists:{playlist}"),
    ):
        response = api.get("/resolve?url=" + quote(url, safe=""))
        assert response.status_code == 302, url
        location = response.headers["Location"]
        assert location == api.sandbox.url + target
        assert response.json() == {"status": "302 - Found", "location": location}
        assert api.get(location).status_code == 200
    for url in ("https://soundcloud.com/nobody-here", f"{person}/no-such-track", "https://example.com/x"):
        assert api.get(f"/resolve?url={url}").status_code == 404
    assert api.get("/resolve").status_code == 400


CURSORS = {
    "/users/{user}/tracks": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,tracks,\d{11}",
    "/users/{user}/playlists": r"\d{4}-.*Z,playlists,\d{11}",
    "/users/{liker}/likes/tracks": r"\d{4}-.*Z,user-track-likes,000-\d{20}-\d{20}",
    "/tracks/{seed}/favoriters": r"\d{16}",
    "/tracks/{seed}/reposters": r"\d{13}",
    "/users/{user}/followers": r"\d{13}",
}


@pytest.mark.parametrize("path", CURSORS)
def test_cursor_styles(api: ApiClient, world: World, path: str) -> None:
    liker = next(
        user for user in world.likers(world.seed_track_id) or () if len(world.library(user) or ()) > 9
    )
    where = path.format(user=world.seed_artist_id, liker=liker, seed=world.seed_track_id)
    link = api.json(f"{where}?{ALL}&linked_partitioning=true&limit=1")["next_href"]
    query = query_of(link)
    assert link.startswith(f"{api.sandbox.url}{where}?")
    assert re.fullmatch(CURSORS[path], query["cursor"])
    assert query["page_size"] == "1"
    assert query["access"] == "playable,preview,blocked"
    assert "limit" not in query
    assert api.get(f"{where}?cursor=nonsense").status_code == 400


@pytest.mark.parametrize("path", ["/tracks?q=lanterns", "/tracks/{seed}/comments", "/tracks/{seed}/related"])
def test_offset_styles(api: ApiClient, world: World, path: str) -> None:
    where = path.format(seed=world.seed_track_id)
    joint = "&" if "?" in where else "?"
    query = query_of(api.json(f"{where}{joint}linked_partitioning=true&limit=2")["next_href"])
    assert (query["offset"], query["limit"]) == ("2", "2")


def query_of(link: str) -> dict[str, Any]:
    pairs = urlsplit(link).query.split("&")
    return {key: unquote(value) for key, _, value in (pair.partition("=") for pair in pairs)}


def test_limits_and_shapes(api: ApiClient, world: World) -> None:
    big = max(world.user_ids(), key=lambda user: len(world.library(user) or ()))
    path = f"/users/{big}/likes/tracks?{ALL}"
    assert isinstance(api.json(path), list)
    assert len(api.json(path)) <= 50
    page = api.json(f"{path}&linked_partitioning=1&limit=10000")
    assert 150 < len(page["collection"]) <= 200
    assert page["next_href"]
    for bad in ("0", "-1", "x", ""):
        assert api.get(f"{path}&limit={bad}").status_code == 400
    assert "collection" in api.json(f"/tracks/{world.seed_track_id}/favoriters")
    last = api.walk(path)[-1]
    assert "next_href" not in last
    ended = api.walk(f"/tracks/{world.seed_track_id}/comments")[-1]
    assert ended["next_href"] is None
    assert isinstance(api.json(f"/users/{big}/web-profiles"), list)


def test_next_href_has_the_requested_host(api: ApiClient, world: World) -> None:
    response = api.get(f"/tracks/{world.seed_track_id}/favoriters?limit=1", Host="localhost:1234")
    assert response.json()["next_href"].startswith("http://localhost:1234/tracks/")
