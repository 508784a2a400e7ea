"""Recorded exchanges are processed as in a crawl: first cursor, parsing, next cursor, validation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import pytest
from betamax import Betamax

from sgr_spiders.model.items import Engagement, PlaylistTrack, User, Walk
from sgr_spiders.soundcloud.answers import Answer, classify
from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from sgr_spiders.soundcloud.pages import page_from_answer
from sgr_spiders.soundcloud.raw import unpack
from tests.contract.exchanges import FOLDER, LIVE_FOLDER, ORIGIN, TARGETS, session, targets
from tests.contract.record import Recorder
from tests.pipelines.counting import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from sgr_spiders.model.items import Page

FOLDERS = [FOLDER, *([LIVE_FOLDER] if (LIVE_FOLDER / TARGETS).exists() else [])]
LISTS = [name for name, endpoint in ENDPOINTS.items() if endpoint.paged]
OBJECTS = ["track", "user", "playlist"]


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with session() as opened:
        yield opened


def answer(http: requests.Session, cursor: str) -> Answer:
    response = http.get(ORIGIN + cursor, allow_redirects=False)
    return classify(response.status_code, response.headers, response.content, now=0)


def pages(http: requests.Session, folder: Path, endpoint: str) -> list[Page]:
    """Return all recorded pages of a walk, as a crawl would spill them."""
    target = targets(folder)[endpoint]
    cursor: str | None = first_cursor(endpoint, target)
    found: list[Page] = []
    with Betamax(http, cassette_library_dir=str(folder)).use_cassette(endpoint) as tape:
        recorded = len(tape.current_cassette.interactions)
        while cursor is not None and len(found) < recorded:
            walk = Walk(1, endpoint, target, cursor, len(found), sum(page.received for page in found))
            page = page_from_answer(walk, answer(http, cursor), ORIGIN)
            assert page.status is None
            _, stats = validate(page)
            assert set(stats) <= {"text_cleaned"}
            cursor = page.next_cursor
            found.append(page)
    assert len(found) == recorded
    return found


def test_every_endpoint_is_recorded(folder: Path) -> None:
    assert set(targets(folder)) == set(ENDPOINTS)
    assert {file.stem for file in folder.glob("*.json")} == {*ENDPOINTS, "targets"}


@pytest.mark.parametrize("endpoint", LISTS)
def test_lists(http: requests.Session, folder: Path, endpoint: str) -> None:
    rules = ENDPOINTS[endpoint]
    for page in pages(http, folder, endpoint):
        assert page.received == len(page.entries) + sum(reject.reason == "private" for reject in page.rejects)
        for entry in page.entries:
            assert type(entry.record).__name__.lower() == rules.record
            records = (*entry.inside, entry.link)
            kinds = {record.kind for record in records if isinstance(record, Engagement)}
            assert kinds == ({rules.engagement} if rules.engagement else set())
            if entry.record.raw is not None:
                assert unpack(entry.record.raw)


@pytest.mark.parametrize("endpoint", LISTS)
def test_lists_are_not_empty(http: requests.Session, endpoint: str) -> None:
    assert pages(http, FOLDER, endpoint)[0].entries


@pytest.mark.parametrize("endpoint", ["track_favoriters", "track_reposters", "track_comments"])
def test_some_lists_have_a_second_page(http: requests.Session, endpoint: str) -> None:
    first, second = pages(http, FOLDER, endpoint)
    assert first.next_cursor == second.walk.cursor
    kept = [entry.record for page in (first, second) for entry in page.entries]
    assert all(record not in kept[: len(first.entries)] for record in kept[len(first.entries) :])


@pytest.mark.parametrize("endpoint", OBJECTS)
def test_objects(http: requests.Session, folder: Path, endpoint: str) -> None:
    (page,) = pages(http, folder, endpoint)
    (entry,) = page.entries
    assert str(getattr(entry.record, f"{endpoint}_id")) == targets(folder)[endpoint]
    assert endpoint == "user" or any(isinstance(record, User) for record in entry.inside)


def test_a_playlist_contains_the_same_tracks_as_its_track_list(http: requests.Session, folder: Path) -> None:
    def positions(endpoint: str) -> list[PlaylistTrack]:
        entries = pages(http, folder, endpoint)[0].entries
        found = [record for entry in entries for record in (*entry.inside, entry.link)]
        return [record for record in found if isinstance(record, PlaylistTrack)]

    assert positions("playlist") == positions("playlist_tracks") != []


def test_resolve_returns_the_track(http: requests.Session, folder: Path) -> None:
    recorded = targets(folder)
    walk = Walk(1, "resolve", recorded["resolve"])
    with Betamax(http, cassette_library_dir=str(folder)).use_cassette("resolve"):
        found = answer(http, first_cursor(walk.endpoint, walk.target))
    assert page_from_answer(walk, found, ORIGIN).resolved == ("track", int(recorded["track"]))


SECRETS = re.compile(
    r"authorization|oauth |bearer |access_token|refresh_token|client_secret|set-cookie|\"cookie|secret_token"
    r"|client_id|consumer_key|eyJ[\w-]{10}|utm_source=id_(?!0\b)",
    re.IGNORECASE,
)
API_HOSTS = re.compile(
    r"https?://(127\.0\.0\.1|localhost|\[::1\]|api[\w.-]*\.soundcloud\.com|[\w.-]*s-cloud\.net)[:/]"
)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_nothing_secret_is_committed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert SECRETS.search(text) is None
    assert API_HOSTS.search(text) is None
    if file.name == TARGETS:
        return
    for exchange in orjson.loads(text)["http_interactions"]:
        request, response = exchange["request"], exchange["response"]
        assert request["headers"] == {}
        assert {name.lower() for name in response["headers"]} <= {"content-type", "location"}
        document = orjson.loads(response["body"]["string"])
        addresses = [request["uri"], response["url"], *response["headers"].get("Location", [])]
        addresses += [document[name] for name in ("next_href", "location") if document.get(name)]
        placeholder = urlsplit(ORIGIN)
        for address in addresses:
            assert urlsplit(address)[:2] == placeholder[:2]


def test_the_recorder_writes_no_secret(tmp_path: Path) -> None:
    recorder = Recorder("https://api.soundcloud.com", "hush-token", tmp_path, ("hush-id", "hush-secret"))
    body = {"next_href": "https://api.soundcloud.com/me?client_id=hush-id", "echo": "hush-token hush-secret"}
    interaction = SimpleNamespace(
        data={
            "request": {
                "headers": {"Authorization": ["OAuth hush-token"], "Cookie": ["hush"]},
                "uri": "https://api.soundcloud.com/users?q=a",
            },
            "response": {
                "headers": {"Set-Cookie": ["hush"], "Content-Type": ["application/json"], "Location": []},
                "body": {"string": json.dumps(body)},
            },
        }
    )
    recorder.scrub(interaction, None)
    written = json.dumps(interaction.data)
    assert "hush" not in written
    assert "api.soundcloud.com" not in written
    assert f"{ORIGIN}/users?q=a" in written
