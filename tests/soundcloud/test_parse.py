from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Fullness,
    Playlist,
    PlaylistTrack,
    Reject,
    Track,
    User,
)
from sgr_spiders.soundcloud.parse import (
    BadDocumentError,
    ParsedPage,
    PrivateTargetError,
    parse_page,
    parse_resolved,
)
from sgr_spiders.soundcloud.raw import unpack
from tests.soundcloud.documents import comment, playlist, track, user


def the_track(**changes: Any) -> Track:
    record = parse_page("track", "1", track(**changes)).entries[0].record
    assert isinstance(record, Track)
    return record


def the_playlist(**changes: Any) -> Playlist:
    record = parse_page("playlist", "3", playlist(**changes)).entries[0].record
    assert isinstance(record, Playlist)
    return record


def the_comment(**changes: Any) -> Comment:
    record = parse_page("track_comments", "1", [comment(**changes)]).entries[0].record
    assert isinstance(record, Comment)
    return record


def raw_of(record: Track | User | Playlist | Comment) -> dict[str, Any]:
    return {} if record.raw is None else unpack(record.raw)


def reasons(page: ParsedPage) -> list[str]:
    return [reject.reason for reject in page.rejects]


# Forms of a response


@pytest.mark.parametrize(
    ("endpoint", "item"),
    [
        ("track_favoriters", user()), ("track_reposters", user()), ("track_comments", comment()),
        ("track_related", track()), ("user_tracks", track()), ("user_likes", track()),
        ("user_reposts", track()), ("user_playlists", playlist()), ("playlist_tracks", track()),
        ("search_tracks", track()), ("search_users", user()), ("search_playlists", playlist()),
    ],
)  # fmt: skip
def test_a_list_comes_in_both_shapes(endpoint: str, item: dict[str, Any]) -> None:
    as_array = parse_page(endpoint, "1", [item])
    as_collection = parse_page(endpoint, "1", {"collection": [item], "next_href": "https://x"})
    assert as_array.entries == as_collection.entries
    assert len(as_array.entries) == as_array.received == 1
    assert as_array.next_href is None
    assert as_collection.next_href == "https://x"
    assert parse_page(endpoint, "1", {"collection": []}).next_href is None


@pytest.mark.parametrize(
    "document", [None, "", "text", 1, 1.5, True, {}, {"collection": None}, {"errors": []}]
)
def test_another_form_is_no_list(document: object) -> None:
    with pytest.raises(BadDocumentError, match="user_likes: expected a list or a collection"):
        parse_page("user_likes", "1", document)


@pytest.mark.parametrize("document", [None, "", [], [track()]])
def test_another_form_is_no_object(document: object) -> None:
    with pytest.raises(BadDocumentError, match="track: expected an object"):
        parse_page("track", "1", document)


def test_single_objects() -> None:
    assert isinstance(parse_page("user", "7", user()).entries[0].record, User)
    assert the_track().track_id == 1
    assert the_playlist().playlist_id == 3
    assert isinstance(parse_page("resolve", "https://soundcloud.com/a/b", track()).entries[0].record, Track)
    assert reasons(parse_page("resolve", "https://soundcloud.com/a/b", {"kind": "app"}))


# Columns: records are built by position, so each column is checked.


def columns(record: object, derived: set[str]) -> set[str]:
    return {field.name for field in fields(record) if field.name not in derived}  # type: ignore[arg-type]


RENAMED = {"duration_ms": "duration", "timestamp_ms": "timestamp"}
DATES = {"created_at", "last_modified", "published_at"}
OF_STUBS = {"policy", "monetization_model"}
"""Columns whose keys a stub may have."""


@pytest.mark.parametrize(
    ("endpoint", "record", "derived"),
    [
        ("track", Track(1), {"track_id", "artist_id", "fullness", "raw", *OF_STUBS}),
        ("user", User(1), {"user_id", "fullness", "raw"}),
        ("playlist", Playlist(1), {"playlist_id", "owner_id", "fullness", "raw"}),
    ],
)
def test_every_column_gets_its_own_key(endpoint: str, record: object, derived: set[str]) -> None:
    for name in columns(record, derived):
        value = "2024-01-09T21:10:04Z" if name in DATES else f"value of {name}"
        document = {"urn": f"soundcloud:{endpoint}s:1", RENAMED.get(name, name): value}
        found = parse_page(endpoint, "1", document).entries[0].record
        filled = {column for column in columns(found, derived) if getattr(found, column) is not None}
        assert filled == {name}
        assert getattr(found, name) == value
        assert found.raw is None


# Identifiers


@pytest.mark.parametrize(
    ("identity", "track_id"),
    [
        ({"urn": "soundcloud:tracks:5", "id": 6}, 5),
        ({"urn": None, "id": 6}, 6),
        ({"urn": "soundcloud:tracks:x", "id": "6"}, 6),
        ({"urn": "soundcloud:tracks:9223372036854775807", "id": None}, 2**63 - 1),
        ({"urn": None, "id": None, "uri": "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A8"}, 8),
    ],
)
def test_the_urn_is_the_key(identity: dict[str, Any], track_id: int) -> None:
    assert the_track(**identity).track_id == track_id


@pytest.mark.parametrize(
    "identity",
    [
        {"urn": "soundcloud:tracks:x", "id": None},
        {"urn": "soundcloud:tracks:0", "id": 0},
        {"urn": "soundcloud:tracks:9223372036854775808", "id": 2**63},
        {"urn": "soundcloud:users:5", "id": 5},
        {"urn": None, "id": True},
        {"urn": None, "id": 1.5},
        {"urn": ["soundcloud:tracks:1"], "id": {}},
        {"urn": None, "id": 6, "kind": None},
        {"urn": None, "id": 6, "kind": "system-playlist"},
        {"urn": 6, "id": 6, "kind": ["track"]},
        {"urn": "soundcloud:system-playlists:5", "id": 6},
    ],
)
def test_without_a_usable_id_a_record_is_rejected(identity: dict[str, Any]) -> None:
    page = parse_page("track", "1", track(uri=None, **identity))
    assert not page.entries
    assert page.received == 1
    (reject,) = page.rejects
    assert (reject.kind, reject.record_id, reject.field, reject.reason) == (
        "track",
        None,
        None,
        "has no usable id",
    )
    assert reject.raw is not None
    assert unpack(reject.raw)["item"]["title"] == "Track 1"


@pytest.mark.parametrize("identity", [{}, {"uri": "https://api.soundcloud.com/users/9"}])
def test_an_id_without_a_kind_is_not_an_uploader(identity: dict[str, str]) -> None:
    page = parse_page("user_tracks", "7", [track(user={"id": 9, **identity}, user_id=7)])
    assert page.entries[0].inside == [User(7)]
    assert [reject.kind for reject in page.rejects] == ["user"]


@pytest.mark.parametrize("item", [None, "text", 1, [], [track()], True])
def test_what_is_no_object_is_rejected(item: object) -> None:
    page = parse_page("user_likes", "42", [item, track()])
    assert len(page.entries) == 1
    assert page.received == 2
    assert "not an object" in page.rejects[0].reason


def test_a_record_of_another_kind_is_rejected() -> None:
    assert reasons(parse_page("user_likes", "42", [user()])) == ["is a user, not a track"]


# Odd values


def test_hidden_counts_stay_null() -> None:
    hidden = the_track(playback_count=None, favoritings_count=None, reveal_stats=False)
    assert hidden.playback_count is None
    assert hidden.favoritings_count is None
    assert hidden.comment_count is None
    assert hidden.reveal_stats is False


def test_likes_count_stands_in_for_favoritings_count_of_tracks() -> None:
    assert the_track(likes_count=4).favoritings_count == 4
    assert "likes_count" not in raw_of(the_track(likes_count=4))
    assert the_track(likes_count=4, favoritings_count=0).favoritings_count == 0
    assert raw_of(the_track(likes_count=4, favoritings_count=0)) == {"likes_count": 4}


def test_addresses_lose_what_tracks_where_they_came_from() -> None:
    assert the_track().permalink_url == "https://soundcloud.com/user-7/track-1"
    assert (
        the_track(artwork_url="https://i1.sndcdn.com/a.jpg?x").artwork_url == "https://i1.sndcdn.com/a.jpg?x"
    )


def test_dates() -> None:
    assert the_track().created_at == "2024-01-09T21:10:04Z"
    assert the_track(created_at="2024-01-09T21:10:04.000Z").created_at == "2024-01-09T21:10:04Z"
    assert the_track(created_at="soon").created_at == "soon"
    assert the_track(created_at=None).created_at is None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (4960, 4960), ("4960", 4960), ("4960.7", 4960), (4960.0, 4960), (4960.9, 4960), (None, None),
        ("", ""), ("soon", "soon"), (True, True), ("9" * 5000, "9" * 5000), (-1, -1),
    ],
)  # fmt: skip
def test_a_comments_place_in_its_track(given: object, found: object) -> None:
    place = the_comment(timestamp=given).timestamp_ms
    assert place == found
    assert type(place) is type(found)


def test_empty_text_stays_but_an_empty_access_is_none() -> None:
    record = the_track(genre="", description="", access="")
    assert (record.genre, record.description, record.access) == ("", "", None)


@pytest.mark.parametrize(
    ("types", "found"),
    [
        ({"playlist_type": "album"}, "album"), ({"playlist_type": "", "type": "ep"}, "ep"),
        ({"type": "ep"}, "ep"), ({"playlist_type": "", "type": ""}, ""), ({"playlist_type": ""}, ""),
        ({}, None),
    ],
)  # fmt: skip
def test_a_playlists_type_has_two_names(types: dict[str, str], found: str | None) -> None:
    assert the_playlist(**types).playlist_type == found


# Embedded users


def test_the_uploader_comes_before_what_refers_to_it() -> None:
    (entry,) = parse_page("user_likes", "42", [track()]).entries
    (uploader,) = entry.inside
    assert isinstance(uploader, User)
    assert (uploader.user_id, uploader.username, uploader.fullness) == (7, "User 7", Fullness.EMBEDDED)
    assert isinstance(entry.record, Track)
    assert (entry.record.artist_id, entry.record.fullness) == (7, Fullness.OWN)
    assert entry.link == Engagement(42, 1, "like")


def test_a_null_user_is_fine() -> None:
    (entry,) = parse_page("user_tracks", "7", [track(user=None)]).entries
    assert entry.inside == []
    assert isinstance(entry.record, Track)
    assert entry.record.artist_id is None


@pytest.mark.parametrize(
    "reference", [{"user_id": 7}, {"user_urn": "soundcloud:users:7"}, {"user": {"id": 7, "kind": "user"}}]
)
def test_a_user_known_by_id_only_is_a_stub(reference: dict[str, Any]) -> None:
    (entry,) = parse_page("user_tracks", "7", [track(**{"user": None, **reference})]).entries
    assert entry.inside == [User(7)]
    assert isinstance(entry.record, Track)
    assert entry.record.artist_id == 7


@pytest.mark.parametrize("broken", ["text", [], {"username": "nobody"}, {"urn": "soundcloud:tracks:1"}])
def test_a_broken_user_does_not_cost_the_track(broken: object) -> None:
    page = parse_page("user_tracks", "7", [track(user=broken)])
    assert len(page.entries) == 1
    assert [reject.kind for reject in page.rejects] == ["user"]


def test_a_misspelled_urn_of_the_specification_s_own_example() -> None:
    example = {
        "urn": "souncloud:users:12345",
        "kind": "user",
        "uri": "https://api.soundcloud.com/users/12345",
        "username": "a",
    }
    assert the_comment(user=example, user_urn=None).user_id == 12345


def test_the_uploader_of_a_whole_page_is_built_once() -> None:
    page = parse_page("user_tracks", "7", [track(1), track(2), track(3, user=user(followers_count=6))])
    first, second, third = (entry.inside[0] for entry in page.entries)
    assert first is second
    assert first is not third


# Engagements and comments


@pytest.mark.parametrize(
    ("endpoint", "target", "item", "engagement"),
    [
        ("track_favoriters", "1", user(9), Engagement(9, 1, "like")),
        ("track_reposters", "1", user(9), Engagement(9, 1, "repost")),
        ("user_likes", "9", track(1), Engagement(9, 1, "like")),
        ("user_reposts", "9", track(1), Engagement(9, 1, "repost")),
    ],
)
def test_engagements(endpoint: str, target: str, item: dict[str, Any], engagement: Engagement) -> None:
    (entry,) = parse_page(endpoint, target, [item]).entries
    assert entry.link == engagement
    assert engagement not in entry.inside


def test_a_comment_engages_its_author() -> None:
    (entry,) = parse_page("track_comments", "1", [comment()]).entries
    assert entry.inside[-1] == Engagement(9, 1, "comment")
    assert entry.link is None


@pytest.mark.parametrize("endpoint", ["track_related", "user_tracks", "search_tracks"])
def test_other_lists_tell_of_no_engagement(endpoint: str) -> None:
    (entry,) = parse_page(endpoint, "9", [track()]).entries
    assert entry.link is None
    assert not any(isinstance(record, Engagement) for record in entry.inside)


def test_a_comment_and_its_author() -> None:
    (entry,) = parse_page("track_comments", "1", [comment()]).entries
    author = entry.inside[0]
    assert isinstance(author, User)
    assert author.fullness == Fullness.AUTHOR
    assert entry.record == Comment(5, 1, 9, "nice", 4960, "2024-01-09T21:10:04Z")


def test_a_comment_without_author_or_track() -> None:
    (entry,) = parse_page("track_comments", "1", [comment(user=None, user_urn=None, track_urn=None)]).entries
    assert entry.inside == []
    assert isinstance(entry.record, Comment)
    assert (entry.record.track_id, entry.record.user_id) == (1, None)


# Playlists


def test_a_playlist_brings_its_tracks_at_their_first_place() -> None:
    tracks = [
        track(1),
        {"id": 2, "kind": "track", "policy": "ALLOW"},
        track(1),
        {"urn": "soundcloud:tracks:4"},
    ]
    (entry,) = parse_page("user_playlists", "8", [playlist(tracks=tracks)]).entries
    placed = [record for record in entry.inside if isinstance(record, PlaylistTrack)]
    assert placed == [PlaylistTrack(3, 1, 0), PlaylistTrack(3, 2, 1), PlaylistTrack(3, 4, 3)]
    found = [record for record in entry.inside if isinstance(record, Track)]
    assert [(embedded.track_id, embedded.fullness) for embedded in found] == [
        (1, Fullness.EMBEDDED), (2, Fullness.STUB), (1, Fullness.EMBEDDED), (4, Fullness.STUB),
    ]  # fmt: skip
    assert found[1] == Track(2)
    kinds = [type(record).__name__ for record in entry.inside]
    assert kinds[:4] == ["User", "User", "Track", "PlaylistTrack"]
    assert isinstance(entry.record, Playlist)
    assert entry.record.owner_id == 8


@pytest.mark.parametrize("tracks", [None, []])
def test_a_playlist_without_tracks(tracks: object) -> None:
    (entry,) = parse_page("search_playlists", "x", [playlist(tracks=tracks)]).entries
    assert [type(record) for record in entry.inside] == [User]


def test_tracks_that_are_no_list_are_named() -> None:
    page = parse_page("playlist", "3", playlist(tracks={"allOf": []}))
    assert len(page.entries) == 1
    (reject,) = page.rejects
    assert (reject.kind, reject.record_id, reject.field) == ("playlist", 3, "tracks")


def test_a_broken_or_private_track_does_not_cost_the_playlist() -> None:
    tracks = [track(1, sharing="private"), "text", {"title": "no id"}, track(2)]
    page = parse_page("playlist", "3", playlist(tracks=tracks))
    (entry,) = page.entries
    assert [record for record in entry.inside if isinstance(record, PlaylistTrack)] == [
        PlaylistTrack(3, 2, 3)
    ]
    assert page.rejects[0] == Reject("track", None, None, "private")
    assert len(page.rejects) == 3
    assert page.received == 1


def test_a_playlists_label_is_a_user() -> None:
    (entry,) = parse_page("playlist", "3", playlist(label=user(11))).entries
    assert [record.user_id for record in entry.inside if isinstance(record, User)] == [11, 8]
    assert isinstance(entry.record, Playlist)
    assert raw_of(entry.record) == {"label_id": 11}
    assert raw_of(the_playlist(label=None, label_id=None)) == {}


def test_places_go_on_where_the_page_begins() -> None:
    page = parse_page(
        "playlist_tracks", "3", [track(1), track(1, sharing="private"), track(1), track(2)], 200
    )
    placed = [entry.link for entry in page.entries]
    assert placed == [PlaylistTrack(3, 1, 200), None, PlaylistTrack(3, 2, 203)]


def test_a_repeated_item_stays_repeated() -> None:
    assert len(parse_page("user_likes", "42", [track(), track()]).entries) == 2


def test_a_bare_entry_of_a_list_is_a_stub() -> None:
    (entry,) = parse_page("user_likes", "42", [{"urn": "soundcloud:tracks:1", "kind": "track"}]).entries
    assert entry.record == Track(1)
    (entry,) = parse_page("search_users", "x", [{"urn": "soundcloud:users:1", "avatar_url": None}]).entries
    assert entry.record == User(1)


# Private records


@pytest.mark.parametrize(
    "changes",
    [
        {"sharing": "private"},
        {"sharing": "unlisted"},
        {"sharing": ""},
        {"sharing": 0},
        {"uri": "https://api.soundcloud.com/tracks/1?secret_token=s-abc"},
        {"permalink_url": "https://soundcloud.com/user-7/track-1?secret_token=abc"},
        {"permalink_url": "https://soundcloud.com/user-7/track-1/s-AbC12"},
        {"permalink_url": "https://soundcloud.com/user-7/sets/track-1/s-AbC12?utm_medium=api"},
        {"sharing": None, "secret_uri": "https://api.soundcloud.com/tracks/1?secret_token=s-abc"},
    ],
)
def test_nothing_of_a_private_record_is_kept(changes: dict[str, Any]) -> None:
    page = parse_page("user_likes", "42", [track(**changes)])
    rejects = [Reject("track", None, None, "private")]
    assert page == ParsedPage([], rejects, 1, private=[("track", track()["id"])])


@pytest.mark.parametrize(
    "changes",
    [
        {"sharing": None},
        {"permalink_url": "https://soundcloud.com/user-7/s-AbC12"},
        {"permalink_url": "https://soundcloud.com/user-7/sets/s-AbC12"},
        {"permalink_url": "http://[/s-"},
        {"secret_uri": "https://api.soundcloud.com/tracks/1?secret_token=s-abc"},
        {"description": "do not pass on your secret_token"},
    ],
)
def test_what_only_looks_private_is_kept(changes: dict[str, Any]) -> None:
    page = parse_page("user_likes", "42", [track(**changes)])
    assert len(page.entries) == 1
    assert page.entries[0].record.raw is None


# Unknown fields


def test_unknown_fields_are_kept() -> None:
    new = {"mood": "blue", "lufs": -9.5, "list": [1, {"a": None}], "nothing": None, "zero": 0, "empty": ""}
    assert raw_of(the_track(**new)) == {key: value for key, value in new.items() if value is not None}
    assert raw_of(the_comment(mood="blue")) == {"mood": "blue"}
    assert raw_of(the_playlist(mood="blue")) == {"mood": "blue"}
    assert the_track().raw is None


def test_audio_secrets_and_the_callers_own_traces_are_not() -> None:
    withheld = {
        "secret_uri": "https://api.soundcloud.com/tracks/1?secret_token=s-abc", "secret_token": "s-abc",
        "stream_url": "https://api.soundcloud.com/tracks/1/stream", "download_url": "x",
        "user_favorite": True, "user_playback_count": 3, "media": {"transcodings": []},
        "track_authorization": "eyJ",
        "hls_aac_160_url": "x", "http_mp3_128_url": "x", "preview_mp3_128_url": "x", "streams": {},
    }  # fmt: skip
    assert the_track(**withheld).raw is None
    nested = the_track(
        rights={"deeper": [withheld, {"ok": 1, "link": "https://x?secret_token=s-abc"}], **withheld}
    )
    assert raw_of(nested) == {"rights": {"deeper": [{}, {"ok": 1}]}}
    assert raw_of(the_track(link="https://x?secret_token=s-abc", ok=1)) == {"ok": 1}


def nest(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


def test_depth_has_a_limit() -> None:
    assert raw_of(the_track(mood=nest(31)))["mood"] == nest(31)
    for depth in (32, 150, 400):
        page = parse_page("track", "1", track(mood=nest(depth)))
        assert page.entries == []
        assert page.rejects == [Reject("track", 1, None, "nested too deeply")]
    deep_user = parse_page("user_tracks", "7", [track(user=user(mood=nest(400)))])
    assert reasons(deep_user) == ["nested too deeply"]
    assert len(deep_user.entries) == 1


def test_depth_where_text_should_be_is_left_to_validation() -> None:
    page = parse_page(
        "user_tracks", "7", [track(user=user(city=nest(300))), track(user=user(city=nest(300)))]
    )
    assert len(page.entries) == 2


# Resolving


@pytest.mark.parametrize(
    "location",
    [
        "https://api.soundcloud.com/tracks/123",
        "https://api.soundcloud.com/tracks/soundcloud:tracks:123",
        "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A123?client_id=x",
        "http://api.soundcloud.com/tracks/123.json?client_id=x",
        "soundcloud:tracks:123",
        {"status": "302 - Found", "location": "https://api.soundcloud.com/tracks/123"},
        {"kind": "track", "id": 123, "title": "answered directly"},
        {"urn": "soundcloud:tracks:123"},
    ],
)
def test_what_was_resolved(location: object) -> None:
    assert parse_resolved(location) == ("track", 123)


def test_users_and_playlists_resolve_too() -> None:
    assert parse_resolved("https://api.soundcloud.com/users/soundcloud:users:42") == ("user", 42)
    assert parse_resolved("https://api.soundcloud.com/playlists/42") == ("playlist", 42)


@pytest.mark.parametrize(
    "answer",
    [
        "https://api.soundcloud.com/tracks/123?secret_token=s-hush",
        {"status": "302 - Found", "location": "https://api.soundcloud.com/tracks/123?secret_token=s-hush"},
        track(sharing="private", secret_uri="s-hush"),
    ],
)
def test_a_private_target_is_told_apart(answer: object) -> None:
    with pytest.raises(PrivateTargetError) as caught:
        parse_resolved(answer)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        "", "https://soundcloud.com/a", "/me", "https://[", "https://api.soundcloud.com/tracks/x",
        "soundcloud:tracks:x", None, 5, [], {}, {"location": 5}, {"kind": "track", "id": 1.5},
    ],
)  # fmt: skip
def test_nothing_resolved(answer: object) -> None:
    with pytest.raises(BadDocumentError, match="resolve:"):
        parse_resolved(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "https://api.soundcloud.com/comments/123",
        "https://api.soundcloud.com/tracks/1/comments/123",
        "https://api.soundcloud.com/system-playlists/soundcloud:system-playlists:artist-stations:5",
        "soundcloud:system-playlists:artist-stations:5",
        {"location": "https://api.soundcloud.com/comments/soundcloud:comments:5"},
        comment(),
        {"kind": "app"},
    ],
)
def test_something_else_resolved(answer: object) -> None:
    assert parse_resolved(answer) is None


def test_a_rejected_record_is_one_reject_whatever_is_wrong_inside_it() -> None:
    page = parse_page("user_likes", "1", [track(user="text", mood=nest(100)), track(2)])
    assert [(reject.kind, reject.record_id, reject.reason) for reject in page.rejects] == [
        ("track", 1, "nested too deeply")
    ]
    assert [entry.record.record_id for entry in page.entries] == [2]


def test_nothing_of_what_is_inside_a_private_record_is_kept() -> None:
    page = parse_page("user_playlists", "1", [playlist(sharing="private", user="text", tracks=["text"])])
    assert page.rejects == [Reject("playlist", None, None, "private")]
