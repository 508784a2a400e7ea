"""For any response, parsing returns a page or a documented error, and validation returns clean records."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from sgr_spiders.model.exceptions import NextHrefError
from sgr_spiders.model.items import Engagement, Page, PlaylistTrack, Record, Walk
from sgr_spiders.soundcloud.endpoints import ENDPOINTS
from sgr_spiders.soundcloud.paging import next_cursor
from sgr_spiders.soundcloud.parse import BadDocumentError, PrivateTargetError, parse_page, parse_resolved
from sgr_spiders.soundcloud.raw import _is_withheld, pack, unpack
from tests.pipelines.counting import validate
from tests.soundcloud.documents import comment, playlist, track, user

if TYPE_CHECKING:
    from collections.abc import Callable

text = st.text(st.characters(), max_size=8) | st.sampled_from(
    [
        "public",
        "track",
        "soundcloud:tracks:1",
        "2024/01/09 21:10:04 +0000",
        "a\r\nb",
        "\u202eabc",
        "\ud800",
        "\x00",
        "7",
    ]
)
scalar = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | text
keys = st.sampled_from(
    sorted(
        {
            *track(),
            *user(),
            *playlist(),
            *comment(),
            "tracks",
            "collection",
            "next_href",
            "location",
            "likes_count",
        }
    )
) | st.text(max_size=5)
json = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=12,
)
endpoints = st.sampled_from(sorted(ENDPOINTS))


MAKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "track": track,
    "user": user,
    "playlist": playlist,
    "comment": comment,
}


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw a response of the right form with some values replaced."""
    endpoint = draw(endpoints)
    make: Callable[..., dict[str, Any]] = MAKERS.get(ENDPOINTS[endpoint].record, track)
    items = [
        make(**draw(st.dictionaries(st.sampled_from(sorted(make())), json, max_size=4))) for _ in range(3)
    ]
    if make is playlist:
        items[0]["tracks"] = [
            track(),
            draw(json),
            track(2, **draw(st.dictionaries(st.sampled_from(sorted(track())), json))),
        ]
    return endpoint, items if ENDPOINTS[endpoint].paged else items[0]


def is_clean(value: object) -> bool:
    if isinstance(value, str):
        value.encode()  # no lone surrogates
        lines = value.replace("\r\n", "\n")
        return not any(ord(char) < 32 and char not in "\n\t" for char in lines) and "\u202e" not in value
    if isinstance(value, bool) or value is None or isinstance(value, bytes):
        return True
    if isinstance(value, int):
        return 0 <= value < 2**63
    return isinstance(value, float) and 0 < value < 1000


def check(endpoint: str, document: object) -> None:
    try:
        parsed = parse_page(endpoint, "1", document)
    except BadDocumentError:
        return
    before = len(parsed.entries)
    page, stats = validate(Page(Walk(1, endpoint, "1"), parsed.entries, parsed.rejects, parsed.received))
    assert before - len(page.entries) <= stats.get("records_rejected", 0)
    for entry in page.entries:
        for record in (entry.record, *entry.inside):
            check_record(record)
        if entry.link is not None:
            check_record(entry.link)
    for reject in page.rejects:
        assert reject.reason.isascii()
        assert reject.reason.isprintable()
        if reject.raw is not None:
            unpack(reject.raw)


TIMES = {"not_before", "not_after"}
"""Fields of engagements that only the spill fills."""


def check_record(record: Record) -> None:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    assert all(map(is_clean, values.values())), values
    if isinstance(record, (Engagement, PlaylistTrack)):
        assert None not in {name: value for name, value in values.items() if name not in TIMES}.values()
    if values.get("raw") is not None:
        unpack(values["raw"])


@given(endpoints, json)
@example("user_likes", {"collection": [{"id": 1, "title": [[[]]]}]})
def test_any_json(endpoint: str, document: object) -> None:
    check(endpoint, document)
    check(endpoint, [document])


@given(nearly_right())
def test_nearly_right_answers(answer: tuple[str, Any]) -> None:
    check(*answer)


@given(json)
def test_any_answer_of_resolve(document: object) -> None:
    try:
        resolved = parse_resolved(document)
    except (BadDocumentError, PrivateTargetError):
        return
    if resolved is not None:
        assert resolved[0] in {"track", "user", "playlist"}
        assert 0 < resolved[1] < 2**63


@given(json | st.text().map(lambda tail: f"https://api.soundcloud.com/users/1/tracks?{tail}"))
def test_any_next_href(next_href: object) -> None:
    try:
        cursor = next_cursor("user_tracks", "1", next_href, "https://api.soundcloud.com")
    except NextHrefError:
        return
    assert cursor is None or cursor.startswith("/users/1/tracks?")
    if cursor is not None:
        assert (
            next_cursor("user_tracks", "1", f"https://a.example{cursor}", "https://api.soundcloud.com")
            == cursor
        )


@given(
    st.dictionaries(
        # Hypothesis finds the withheld names in the code and tries them; `pack` drops these.
        st.text(st.characters(codec="utf-8")).filter(lambda name: not _is_withheld(name)),
        st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    )
)
def test_any_fields_come_back(document: dict[str, Any]) -> None:
    packed = pack(document)
    assert (unpack(packed) if packed else {}) == {
        key: value
        for key, value in document.items()
        if not (isinstance(value, str) and "secret_token" in value)
    }
    orjson.dumps(document)
