"""Published responses of the live API, which are not part of this repository."""

from __future__ import annotations

import csv
from typing import Any

import orjson
import pytest

from sgr_spiders.model.items import Fullness, Page, Track, User, Walk
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.parse import (
    BadDocumentError,
    ParsedPage,
    PrivateTargetError,
    parse_page,
    parse_resolved,
)
from tests.pipelines.counting import validate
from tests.reference import note

SINGLE = {"track_v1": "track", "user_v1": "user", "playlist_v1": "playlist"}


@pytest.fixture(scope="module")
def payloads() -> dict[str, Any]:
    directory = note("soundcloud/payloads")
    with (directory / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        names = [row["file"] for row in csv.DictReader(index, delimiter="\t")]
    return {
        name: orjson.loads((directory / name).read_bytes()) for name in names if (directory / name).exists()
    }


def parse(endpoint: str, document: object) -> ParsedPage:
    page = parse_page(endpoint, "1", document)
    return ParsedPage(
        **{name: getattr(page, name) for name in ("entries", "rejects", "received", "next_href")}
    )


def test_every_payload_goes_through_every_endpoint(payloads: dict[str, Any]) -> None:
    for document in payloads.values():
        body = document.get("body", document) if isinstance(document, dict) else document
        for endpoint in ENDPOINTS:
            for form in (document, body, [body]):
                try:
                    page = parse(endpoint, form)
                except BadDocumentError:
                    continue
                validate(Page(Walk(1, endpoint, "1"), page.entries, page.rejects, page.received))


def test_recorded_records_lose_no_field(payloads: dict[str, Any]) -> None:
    kept = 0
    for name, document in payloads.items():
        endpoint = SINGLE.get(name.partition("/")[0])
        if endpoint is None:
            continue
        page = parse(endpoint, document)
        page_item, stats = validate(Page(Walk(1, endpoint, "1"), page.entries, page.rejects, page.received))
        assert [entry.record.fullness for entry in page_item.entries] == [Fullness.OWN], name  # type: ignore[union-attr]
        # Only the line endings of old descriptions need cleaning.
        assert set(stats) <= {"text_cleaned"}, (name, page_item.rejects)
        kept += 1
    assert kept > 90


def test_recorded_tracks_bring_their_uploader(payloads: dict[str, Any]) -> None:
    for name, document in payloads.items():
        if name.startswith("track_v1/") and document.get("user"):
            (entry,) = parse("user_tracks", [document]).entries
            (uploader,) = entry.inside
            assert isinstance(uploader, User)
            assert isinstance(entry.record, Track)
            assert entry.record.artist_id == uploader.user_id == document["user"]["id"]
            assert entry.record.title == document["title"]


def test_recorded_redirects_resolve(payloads: dict[str, Any]) -> None:
    assert parse_resolved(payloads["resolve/001.json"]) == ("user", 1492543)
    assert parse_resolved(payloads["resolve/002.json"]) == ("track", 44276907)
    assert parse_resolved(payloads["http_redirect/002.json"]["body"]) == ("track", 122889665)
    for document in payloads.values():
        try:
            parse_resolved(document)
        except (BadDocumentError, PrivateTargetError):
            continue


def test_an_empty_body_is_not_an_empty_list(payloads: dict[str, Any]) -> None:
    with pytest.raises(BadDocumentError):
        parse("user_tracks", payloads["from_issues/023.json"]["body"])
