from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from pipelines.validate import KINDS, render_value
from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Entry,
    Fullness,
    Mention,
    Page,
    Playlist,
    PlaylistTrack,
    Record,
    Reject,
    Track,
    User,
    Walk,
)
from sgr_spiders.text.escape import for_database
from tests.pipelines.counting import validate

KEYS: dict[type, dict[str, Any]] = {
    Track: {"track_id": 1},
    User: {"user_id": 1},
    Playlist: {"playlist_id": 1},
    Comment: {"comment_id": 1, "track_id": 2},
    PlaylistTrack: {"playlist_id": 1, "track_id": 2, "position": 0},
    Engagement: {"user_id": 1, "track_id": 2, "kind": "like"},
    Mention: {"track_id": 1, "kind": "mention", "name": "someone"},
}


def page_with(*records: Any) -> Page:
    return Page(Walk(1, "user_likes", "42"), [Entry(record) for record in records], received=len(records))


def validate_one(record: object) -> tuple[Any, list[Reject], dict[str, int]]:
    page, stats = validate(page_with(record))
    return page.entries[0].record if page.entries else None, page.rejects, stats


def record_with(kind: type, /, **values: Any) -> object:
    return kind(**{**KEYS[kind], **values})


def test_every_field_is_declared() -> None:
    assert set(KINDS) == set(KEYS)
    for kind in KINDS:
        declared = [field.name for field in fields_of(kind)]
        assert declared == [column.name for column in fields(kind) if column.name not in {"fullness", "raw"}]
        assert {field.name for field in fields_of(kind) if field.required} == set(KEYS[kind])


def test_a_good_page_stays_as_it_is() -> None:
    track = Track(
        1,
        "Title",
        7,
        duration_ms=0,
        bpm=120.5,
        access="blocked",
        created_at="2024-01-09T21:10:04Z",
        commentable=True,
        release_year=2024,
        release_month=12,
        release_day=31,
    )
    page = page_with(track)
    page.entries[0].inside = [User(7, "a"), Engagement(42, 1, "like"), PlaylistTrack(3, 1, 0)]
    before = repr(page)
    assert validate(page) == (page, {})
    assert repr(page) == before


def test_other_items_pass() -> None:
    item = {"something": "else"}
    assert validate(item)[0] is item  # type: ignore[arg-type, comparison-overlap]


# Keys


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("bad", [None, True, 0.5, "1", [], -1, 2**63])
def test_a_bad_key_costs_the_record(kind: type, bad: object) -> None:
    for name in KEYS[kind]:
        record, rejects, stats = validate_one(record_with(kind, **{name: bad}))
        if name == "name" and bad == "1":
            continue
        assert record is None
        (reject,) = rejects
        assert reject.kind == KINDS[kind]
        assert reject.field is None
        assert reject.reason == f"bad {name}: {render_value(bad)}"
        assert stats == {"records_rejected": 1}


def test_zero_is_a_position_but_not_an_id() -> None:
    assert validate_one(Track(0))[0] is None
    assert validate_one(PlaylistTrack(1, 1, 0))[0] is not None


def test_a_bad_record_is_rejected_with_its_embedded_records() -> None:
    page = page_with(Track(0), Track(2))
    page.entries[0].inside = [User(7)]
    page, stats = validate(page)
    assert [entry.record for entry in page.entries] == [Track(2)]
    assert stats == {"records_rejected": 1}


def test_a_bad_embedded_record_is_rejected_alone() -> None:
    page = page_with(Track(1))
    page.entries[0].inside = [User(0), User(2), Engagement(0, 1, "like")]
    page, stats = validate(page)
    assert page.entries[0].inside == [User(2)]
    assert [reject.kind for reject in page.rejects] == ["user", "engagement"]
    assert stats == {"records_rejected": 2}


def test_a_rejected_record_keeps_its_id_and_raw_if_it_has_one() -> None:
    assert validate_one(Comment(5, 0, raw=b"x"))[1] == [Reject("comment", 5, None, "bad track_id: 0", b"x")]
    assert validate_one(Track(0))[1] == [Reject("track", None, None, "bad track_id: 0")]


def test_of_a_rejected_record_only_the_bad_key_is_named() -> None:
    # Whatever else is wrong with it: these fields are not nulled, because nothing of it is stored.
    record, rejects, stats = validate_one(Track(0, title=5, duration_ms=-1))  # type: ignore[arg-type]
    assert (record, [reject.reason for reject in rejects]) == (None, ["bad track_id: 0"])
    assert stats == {"records_rejected": 1}


# Optional fields

WRONG: dict[str, list[Any]] = {
    "count": [-1, 2**63, 1.5, True, "5", [], {}, float("nan"), float("inf")],
    "id": [0, -1, True, "7", 2**63],
    "text": [5, True, [], {}, "x" * 100_001, b"bytes"],
    "bool": [0, 1, "true", [], 1.0],
    "date": ["", "soon", "2024/01/09 21:10:04 +0000", "2024-13-09T21:10:04Z", 5, []],
    "bpm": [0, -1, 1000, 10**400, float("nan"), float("inf"), True, "120", []],
    "access": ["", "full", "Playable", 5, []],
    "year": [-1, 10_000, "2024"],
    "month": [0, 13],
    "day": [0, 32],
}
FIELDS = [
    (Track, "artist_id", "id"), (Track, "title", "text"), (Track, "duration_ms", "count"),
    (Track, "playback_count", "count"), (Track, "favoritings_count", "count"), (Track, "bpm", "bpm"),
    (Track, "access", "access"), (Track, "streamable", "bool"), (Track, "created_at", "date"),
    (Track, "release_year", "year"), (Track, "release_month", "month"), (Track, "release_day", "day"),
    (User, "username", "text"), (User, "followers_count", "count"), (User, "last_modified", "date"),
    (Playlist, "owner_id", "id"), (Playlist, "track_count", "count"), (Playlist, "playlist_type", "text"),
    (Comment, "user_id", "id"), (Comment, "body", "text"), (Comment, "timestamp_ms", "count"),
    (Mention, "user_id", "id"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "wrong"), FIELDS)
def test_a_bad_value_is_nulled_and_named(kind: type, name: str, wrong: str) -> None:
    for bad in WRONG[wrong]:
        record, rejects, stats = validate_one(record_with(kind, **{name: bad}))
        assert getattr(record, name) is None
        record_id = getattr(record, f"{KINDS[kind]}_id", None)
        assert rejects == [Reject(KINDS[kind], record_id, name, f"bad {name}: {render_value(bad)}")]
        assert stats == {"fields_nulled": 1}


def test_other_fields_survive_a_bad_one() -> None:
    record, rejects, stats = validate_one(
        Track(1, "Title\x00", duration_ms=-5, playback_count=-1, comment_count=3, raw=b"x")
    )
    assert record == Track(1, "Title", comment_count=3, raw=b"x")
    assert [reject.field for reject in rejects] == ["duration_ms", "playback_count"]
    assert [reject.raw for reject in rejects] == [None, None], "the record keeps it"
    assert stats == {"fields_nulled": 2, "text_cleaned": 1}


def test_whole_floats_are_integers() -> None:
    record, rejects, _ = validate_one(Track(1.0, duration_ms=3.0, bpm=120))  # type: ignore[arg-type]
    assert (record.track_id, record.duration_ms, record.bpm) == (1, 3, 120.0)
    assert [type(value) for value in (record.track_id, record.duration_ms, record.bpm)] == [int, int, float]
    assert rejects == []


def test_a_shared_record_is_validated_once() -> None:
    uploader = User(7, "a\x00", followers_count=-1)
    page = page_with(Track(1), Track(2))
    for entry in page.entries:
        entry.inside = [uploader]
    page, stats = validate(page)
    assert stats == {"text_cleaned": 1, "fields_nulled": 1}
    assert [entry.inside for entry in page.entries] == [[User(7, "a")], [User(7, "a")]]


# Text


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("a\x00b", "ab"),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\x9bb\x85", "ab"),
        ("one\r\ntwo\rthree", "one\r\ntwo\nthree"),
        ("half \ud83d of it", "half \ufffd of it"),
        ("\ufffe\uffff\ufdd0\U0001ffff\U0010fffe", "\ufffd" * 5),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
    ],
)
def test_text_is_cleaned(given: str, cleaned: str) -> None:
    record, rejects, stats = validate_one(Track(1, "title", description=given))
    assert record.description == cleaned == for_database(given)
    assert rejects == []
    assert stats == {"text_cleaned": 1}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "plain",
        "tab\tand\nline",
        "é ☃ 漢字 🎧",
        "👩\u200d🎤",
        "مرحبا\u200f",
        "no\xa0break",
        "\u2028",
        "\ue000",
        "\ufeff",
        "x" * 100_000,
    ],
)
def test_other_text_stays(given: str) -> None:
    record, _, stats = validate_one(Comment(1, 2, body=given))
    assert record.body == given
    assert stats == {}


def test_each_long_text_is_checked_by_itself() -> None:
    long = "x" * 100_000
    assert validate_one(Track(1, long, description=long)) == (Track(1, long, description=long), [], {})


# Reasons


def test_a_value_is_rendered_short_and_escaped() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert render_value(deep) == "a list"
    assert render_value("é\n\x1b" + "x" * 100).isascii()
    assert len(render_value("x" * 1000)) < 80
    assert render_value(10**5000).endswith("bits")
    while deep:  # free level by level: some Python versions cannot free deep lists at once
        deep = deep[0]


def test_fullness_and_raw_are_left_alone() -> None:
    record: Record = Track(1, fullness=Fullness.OWN, raw=b"x")
    assert validate_one(record)[0] == Track(1, fullness=Fullness.OWN, raw=b"x")
