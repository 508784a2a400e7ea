"""Fields that only some versions of the API send become columns, from whatever form they have."""

from __future__ import annotations

from typing import Any

import pytest

from sgr_spiders.model.items import Fullness, Page, Playlist, Track, User, Walk
from sgr_spiders.soundcloud.parse import parse_page
from sgr_spiders.soundcloud.raw import unpack
from tests.pipelines.counting import validate
from tests.soundcloud.documents import playlist, track, user

PUBLISHER = {
    "id": 1, "urn": "soundcloud:tracks:1", "artist": "Mara Quill", "album_title": "Paper Tides",
    "isrc": "QZ0000000001", "upc_or_ean": "0123456789012", "p_line": "2020 Tidal", "c_line": "2021 Tidal",
    "publisher": "Tidal Songs", "writer_composer": "M. Quill", "explicit": False, "contains_music": True,
    "iswc": None, "release_title": "Tides",
}  # fmt: skip
WEBSITE_TRACK: dict[str, Any] = {
    "kind": "track", "id": 1, "title": "Paper", "permalink": "paper", "duration": 30_000, "likes_count": 4,
    "full_duration": 213_456, "last_modified": "2021-02-03T04:05:06Z", "policy": "SNIP", "genre": "",
    "monetization_model": "SUB_HIGH_TIER", "release_date": "2020-05-01T00:00:00Z",
    "publisher_metadata": PUBLISHER, "user_id": 7, "public": True,
}  # fmt: skip
BADGES = {"verified": True, "pro": False, "pro_unlimited": True}


def judge(endpoint: str, document: Any) -> Page:  # noqa: ANN401 - JSON
    parsed = parse_page(endpoint, "1", document)
    page = Page(Walk(1, endpoint, "1"), parsed.entries, parsed.rejects, parsed.received)
    return validate(page)[0]


def read(endpoint: str, document: Any) -> Any:  # noqa: ANN401 - JSON, and any record
    page = judge(endpoint, document)
    assert page.rejects == []
    return page.entries[0].record


def dated(**parts: Any) -> tuple[str | None, list[str | None]]:
    """Return the day of release of a track with these *parts*, and the rejected fields."""
    page = judge("track", track(**parts))
    record = page.entries[0].record
    assert isinstance(record, Track)
    return record.release_date, [reject.field for reject in page.rejects]


def test_a_track_of_the_website() -> None:
    found = read("track", WEBSITE_TRACK)
    assert (found.permalink, found.full_duration, found.duration_ms) == ("paper", 213_456, 30_000)
    assert (found.policy, found.monetization_model) == ("SNIP", "SUB_HIGH_TIER")
    assert (found.last_modified, found.release_date) == ("2021-02-03T04:05:06Z", "2020-05-01")
    assert (found.metadata_artist, found.isrc) == ("Mara Quill", "QZ0000000001")
    assert (found.album_title, found.upc_or_ean) == ("Paper Tides", "0123456789012")
    assert (found.p_line, found.c_line) == ("2020 Tidal", "2021 Tidal")
    assert (found.publisher, found.writer_composer) == ("Tidal Songs", "M. Quill")
    assert (found.explicit, found.contains_music) == (False, True)
    assert found.favoritings_count == 4
    rest = {"id": 1, "urn": "soundcloud:tracks:1", "release_title": "Tides"}
    assert unpack(found.raw) == {"public": True, "publisher_metadata": rest}


def test_a_field_of_the_track_itself_comes_first() -> None:
    found = read("track", track(isrc="OWN", metadata_artist="", publisher_metadata=PUBLISHER))
    assert (found.isrc, found.metadata_artist) == ("OWN", "Mara Quill")
    assert unpack(found.raw)["publisher_metadata"]["isrc"] == "QZ0000000001"
    assert PUBLISHER["artist"] == "Mara Quill"


def test_a_track_of_the_old_api() -> None:
    old: dict[str, Any] = {
        "track_type": "remix",
        "original_format": "wav",
        "updated_at": "2015/01/01 22:55:52 +0000",
    }
    found = read("track", track(**old, release_date="", publisher_metadata=None, policy=None))
    assert (found.track_type, found.original_format) == ("remix", "wav")
    assert (found.last_modified, found.release_date, found.policy) == ("2015-01-01T22:55:52Z", None, None)
    assert found.raw is None


@pytest.mark.parametrize(
    ("parts", "day"),
    [
        ((2020, 2, 29), "2020-02-29"),
        ((1850, 1, 1), "1850-01-01"),
        ((2020, None, None), None),
        ((2020, 2, None), None),
        ((None, 2, 3), None),
    ],
)
def test_a_day_of_release_needs_all_its_parts(parts: tuple[Any, ...], day: str | None) -> None:
    year, month, day_of_month = parts
    assert dated(release_year=year, release_month=month, release_day=day_of_month) == (day, [])


@pytest.mark.parametrize(
    ("parts", "rejected"),
    [
        ((2019, 2, 29), []),
        ((2019, 4, 31), []),
        ((0, 1, 1), []),
        ((205, 1, 1), []),
        ((9999, 1, 1), []),
        ((20199, 1, 1), ["release_year"]),
        ((2019, 13, 1), ["release_month"]),
        ((2019, 1, 0), ["release_day"]),
        ((-5, 1, 1), ["release_year"]),
        (("2019", 1, 1), ["release_year"]),
        ((2019, True, 1), ["release_month"]),
        (([2019], {}, 1.5), ["release_year", "release_month", "release_day"]),
    ],
)
def test_a_day_that_does_not_exist_is_null(parts: tuple[Any, ...], rejected: list[str]) -> None:
    year, month, day = parts
    given = {"release_year": year, "release_month": month, "release_day": day}
    assert dated(**given) == (None, rejected)
    assert dated(**given, release_date="2019-02-28") == ("2019-02-28", rejected)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2014-11-07", "2014-11-07"),
        ("2014-11-07T00:00:00Z", "2014-11-07"),
        ("2014/11/07 00:00:00 +0000", "2014-11-07"),
        ("2020-05-01T00:00:00+02:00", "2020-05-01"),
        ("2020-05-01T23:30:00-05:00", "2020-05-01"),
        ("20200501T230000Z", "2020-05-01"),
        ("", None),
        (None, None),
    ],
)
def test_a_date_of_release_stands_in_for_its_parts(given: str | None, found: str | None) -> None:
    assert dated(release_date=given, release_year=2013) == (found, [])


@pytest.mark.parametrize(
    "given", ["soon", "2014-13-07", "0001-01-01T00:00:00Z", 20141107, {"year": 2014}, True]
)
def test_a_date_of_release_that_is_none_is_rejected(given: object) -> None:
    assert dated(release_date=given) == (None, ["release_date"])


def test_a_user_of_the_website() -> None:
    given: dict[str, Any] = {"badges": BADGES, "country_code": "NO", "likes_count": 5, "comments_count": 0}
    found = read("user", user(**given))
    assert (found.verified, found.badges) == (True, "pro_unlimited,verified")
    assert (found.country_code, found.likes_count, found.comments_count) == ("NO", 5, 0)
    assert read("user", user(verified=False, badges=BADGES)).verified is False
    assert read("user", user(badges=dict.fromkeys(BADGES, False))).badges == ""
    assert read("user", user(badges=None, verified=None)).badges is None
    assert read("user", user(badges={"pro": None, "verified": True})).badges == "verified"
    assert read("user", user(country_code="")).country_code is None


def test_a_playlist_of_the_website() -> None:
    given: dict[str, Any] = {
        "permalink": "tides", "published_at": "2020-05-01T10:00:00Z", "set_type": "ep", "is_album": False,
        "reposts_count": 3, "release_year": 2020, "release_month": 5, "release_day": 1,
    }  # fmt: skip
    found = read("playlist", playlist(**given))
    assert (found.permalink, found.published_at) == ("tides", "2020-05-01T10:00:00Z")
    assert (found.set_type, found.is_album, found.reposts_count) == ("ep", False, 3)
    assert found.release_date == "2020-05-01"


@pytest.mark.parametrize(
    ("endpoint", "document", "field"),
    [
        ("track", track(publisher_metadata={"explicit": "no"}), "explicit"),
        ("track", track(publisher_metadata={"album_title": ["x"]}), "album_title"),
        ("track", track(full_duration=-1), "full_duration"),
        ("track", track(full_duration="213456"), "full_duration"),
        ("track", track(policy=5), "policy"),
        ("track", track(permalink={}), "permalink"),
        ("track", track(last_modified="yesterday"), "last_modified"),
        ("track", track(updated_at=5), "last_modified"),
        ("user", user(verified="yes"), "verified"),
        ("user", user(badges=["pro"]), "badges"),
        ("user", user(badges={"pro": 1}), "badges"),
        ("user", user(likes_count=2**63), "likes_count"),
        ("user", user(country_code="Norway"), "country_code"),
        ("playlist", playlist(is_album="ep"), "is_album"),
        ("playlist", playlist(published_at="2020-13-01T00:00:00Z"), "published_at"),
    ],
)
def test_a_value_of_another_type_is_nulled_and_rejected(
    endpoint: str, document: dict[str, Any], field: str
) -> None:
    page = judge(endpoint, document)
    assert [reject.field for reject in page.rejects] == [field]
    record = page.entries[0].record
    assert isinstance(record, Track | User | Playlist)
    assert getattr(record, field) is None
    assert record.fullness == Fullness.OWN


@pytest.mark.parametrize("given", [5, "x", [], {}, {"isrc": None}])
def test_publisher_metadata_without_fields_says_nothing(given: object) -> None:
    found = read("track", track(publisher_metadata=given))
    assert (found.isrc, found.publisher) == (None, None)


def test_a_track_of_which_a_playlist_says_only_its_rights_is_a_stub() -> None:
    mini = {"kind": "track", "id": 5, "monetization_model": "NOT_APPLICABLE", "policy": "ALLOW"}
    page = judge("playlist", playlist(tracks=[mini]))
    tracks = [record for record in page.entries[0].inside if isinstance(record, Track)]
    assert tracks == [Track(5)]
