"""The behaviour of layers beyond single configuration keys, which ``test_keys.py`` covers."""

from __future__ import annotations

from typing import Any

import pytest

from sgr_spiders.config.harvest import ContextualLayer as ContextualSection
from sgr_spiders.config.harvest import PlaylistDepth as PlaylistSection
from sgr_spiders.layers.base import SEED_STEP, EndedWalk, Seed
from sgr_spiders.layers.contextual_layer import ContextualLayer
from sgr_spiders.layers.playlist_depth import PlaylistDepth
from sgr_spiders.model.items import (
    Comment,
    Engagement,
    Fullness,
    Mention,
    Playlist,
    Selection,
    Track,
    User,
    WalkRequest,
)
from sgr_spiders.soundcloud.parse import parse_page
from sgr_spiders.soundcloud.raw import pack, unpack
from tests.layers.driving import World, as_view, when_all_ended
from tests.layers.test_keys import (
    CONTEXTUAL,
    LABEL_LAYER,
    LISTENERS,
    WORLDS,
    run,
    seed,
    track,
    tracks,
)

NOBODY = World({})


def test_walks_are_requested_with_the_counts_of_the_api() -> None:
    assert run("user_depth", *WORLDS["user_depth"]).expected == {
        "track_favoriters 7": 5,
        "track_reposters 7": 3,
        **{f"user_likes {user}": user for user in LISTENERS},
    }
    assert run("artist_depth", *WORLDS["artist_depth"]).expected == {"user_tracks 1": 3}
    assert run("commentary_layer", *WORLDS["commentary_layer"]).expected == {"track_comments 7": 6}
    assert run("label_layer", *WORLDS["label_layer"], max_labels_per_track=1).expected == {}
    assert run("contextual_layer", *WORLDS["contextual_layer"]).expected == {"user_tracks 54": 2}
    assert run("playlist_depth", *WORLDS["playlist_depth"]).expected == {
        "track_favoriters 7": 5,
        "user_playlists 21": 2,
        "user_playlists 24": 3,
        "user_playlists 25": 1,
        **{f"playlist_tracks {number}": 3 for number in (32, 41, 43, 44, 46, 51, 52, 53)},
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("artist_depth", []),
        ("playlist_depth", ["search_playlists paper tides search 50"]),
        ("semantic_depth", ["search_tracks paper tides hits 100", "search_tracks paper hits 100",
                            "search_tracks tides hits 100"]),
        ("contextual_layer", []),
    ],
)  # fmt: skip
def test_a_seed_without_an_artist(name: str, asked: list[str]) -> None:
    around = seed("Paper Tides", artist=None)
    answers = run(name, around, NOBODY, **({"include_liker_playlists": False} if "playlist" in name else {}))
    assert answers.asked == asked
    assert answers.kept == answers.named == []


def test_a_seed_without_a_title_is_not_searched_for() -> None:
    around = Seed(Track(7, artist_id=1), User(1), {})
    assert run("semantic_depth", around, NOBODY).asked == []
    assert run("artist_depth", around, NOBODY).asked == ["user_tracks 1 uploads 1000"]
    assert run("contextual_layer", around, NOBODY).asked == []
    assert "search" not in " ".join(run("playlist_depth", around, NOBODY).asked)


def test_own_and_doubled_mentions_take_no_places() -> None:
    artist = User(1, username="Mara Quill", permalink="mara-quill", fullness=Fullness.OWN)
    around = seed("Paper Tides w/ Sabi @sabi-q", artist, description="by @Mara-Quill, art by @otto")
    asked = run("contextual_layer", around, NOBODY, max_entities=2).asked
    assert [request.split()[1] for request in asked] == [
        "https://soundcloud.com/sabi-q",
        "https://soundcloud.com/otto",
    ]


def test_with_neither_features_nor_remixes_nothing_is_searched() -> None:
    answers = run("artist_depth", *WORLDS["artist_depth"], include_features=False, include_remixes=False)
    assert answers.asked == ["user_tracks 1 uploads 1000"]


def test_an_artist_whose_name_differs_in_symbols_is_credited() -> None:
    artist = User(1, username="mara_quill", fullness=Fullness.OWN)
    hits = [track(71, "Mara Quill & Otto - Dusk"), track(72, "Otto - Mara Quill"), track(73, "Mara Quill")]
    world = World({("search_tracks", "mara_quill"): hits})
    assert run("artist_depth", seed("Paper Tides", artist), world).kept == ["track 71"]


# semantic_depth


def test_a_hit_exactly_at_the_threshold_is_kept_and_the_seed_never() -> None:
    around = seed("Glass Harbour Lanterns")
    hits = [track(7, "Glass Harbour Lanterns"), track(82, "Lanterns"), track(83, "Glass Harbour Lanterns")]
    world = World({("search_tracks", "glass harbour lanterns"): hits})
    kept = run("semantic_depth", around, world, name_similarity_threshold=0.4444).kept
    assert kept == ["track 82 0.44", "track 83 1.00"]
    above = run("semantic_depth", around, world, name_similarity_threshold=0.4445).kept
    assert above == ["track 83 1.00"]


# commentary_layer: the page of the track, if the API lists no comments

PAGE = "https://soundcloud.com/mara-quill/paper-tides"


def written(number: int, permalink: str, on: int = 7, body: str = "a tune") -> Comment:
    author = {"user": {"permalink": permalink, "username": permalink.upper()}}
    return Comment(number, on, None, body, raw=pack(author))


RENDERED = World(
    {
        ("track_page", PAGE): [
            written(-1, "bo"), written(-2, "ann", body="ok"), written(-3, "bo", body="no"),
            written(-4, "cy"), written(-5, "dee", on=8), Comment(-6, 7, None, "by nobody"),
        ],
        ("resolve", "https://soundcloud.com/ann"): [User(41, username="Ann")],
        ("resolve", "https://soundcloud.com/bo"): [User(42, username="Bo")],
        ("user_likes", "41"): tracks(411),
        ("user_likes", "42"): tracks(421),
    }
)  # fmt: skip
ASKED_BEFORE = ["track_comments 7 comments 100", f"track_page {PAGE} page 1000000000"]
AUTHORS = [f"resolve https://soundcloud.com/{name} authors 1" for name in ("bo", "ann", "cy")]


def rendered(most: int = 100, on: dict[str, Any] | None = None, **changes: Any) -> Any:  # noqa: ANN401
    around = seed("Paper Tides", **({"permalink_url": PAGE} | (on or {})))
    settings = {"html_fallback": True, "max_commenters": most, **changes}
    return run("commentary_layer", around, RENDERED, **settings)


def test_the_page_of_a_track_without_comments_names_its_fans() -> None:
    answers = rendered()
    assert answers.asked == [
        *ASKED_BEFORE,
        *AUTHORS,
        "user_likes 42 library 1000000000",
        "user_likes 41 library 1000000000",
    ]
    assert answers.facts == [
        User(42, "BO", "bo", "https://soundcloud.com/bo", fullness=1),
        Comment(-1, 7, 42, "a tune", raw=written(-1, "bo").raw),
        Engagement(42, 7, "comment"),
        Comment(-3, 7, 42, "no", raw=written(-3, "bo").raw),
        User(41, "ANN", "ann", "https://soundcloud.com/ann", fullness=1),
        Comment(-2, 7, 41, "ok", raw=written(-2, "ann").raw),
        Engagement(41, 7, "comment"),
    ]


def test_the_settings_also_apply_to_the_page() -> None:
    assert rendered(most=1).asked == [
        "track_comments 7 comments 1", ASKED_BEFORE[1], AUTHORS[0], "user_likes 42 library 1000000000"
    ]  # fmt: skip
    assert rendered(min_comment_length=3).asked == [
        *ASKED_BEFORE, *AUTHORS, "user_likes 42 library 1000000000"
    ]  # fmt: skip
    assert rendered(harvest_commenter_libraries=False).asked == [*ASKED_BEFORE, *AUTHORS]
    assert rendered(html_fallback=False).asked == ASKED_BEFORE[:1]


@pytest.mark.parametrize(
    "on",
    [
        {"comment_count": 0},
        {"commentable": False},
        {"reveal_comments": False},
        {"permalink_url": None},
        {"permalink_url": "https://soundcloud.com/mara-quill/sets/paper-tides"},
    ],
)
def test_a_page_that_can_show_no_comments_is_not_rendered(on: dict[str, Any]) -> None:
    assert rendered(on=on).asked == ASKED_BEFORE[:1]


def test_without_commenters_the_page_is_not_rendered() -> None:
    assert rendered(most=0).asked == []


@pytest.mark.parametrize("on", [{"comment_count": 3}, {"commentable": True}, {"reveal_comments": True}])
def test_a_page_that_may_show_comments_is_rendered(on: dict[str, Any]) -> None:
    answers = rendered(on=on)
    assert answers.asked[:2] == ASKED_BEFORE
    assert answers.expected.get(f"track_page {PAGE}") == on.get("comment_count")


# label_layer and contextual_layer: owners of accounts, and shared caps


def test_accounts_with_the_name_of_a_label_rank_by_followers_then_by_id() -> None:
    around, _ = WORLDS["label_layer"]
    accounts = list(LABEL_LAYER.walks["search_users", "Harbour Discs"])

    def chosen(*numbers: int) -> list[str]:
        some = [account for account in accounts if account.record_id in numbers]
        world = World({("search_users", "Harbour Discs"): some})
        return run("label_layer", around, world, max_labels_per_track=1).kept

    assert chosen(91, 92, 93, 94) == ["user 92 1.00"]
    assert chosen(91, 93, 94) == ["user 93 1.00"]
    assert chosen(94) == ["user 94 1.00"]
    assert chosen(91) == ["user 91 0.94"]  # no account has exactly this name
    assert chosen() == []
    assert run("label_layer", around, NOBODY, max_labels_per_track=1).asked == [
        "search_users Harbour Discs accounts 50",
        "search_tracks Harbour Discs hits 1000",
    ]


def test_an_account_without_the_generic_words_of_labels_matches() -> None:
    around = seed("Paper Tides", label_name="Tidal Records")

    def chosen(*accounts: User) -> list[str]:
        world = World({("search_users", "Tidal Records"): list(accounts)})
        return run("label_layer", around, world).kept

    like_it = User(95, username="Tidal Recurds", followers_count=900)
    assert chosen(like_it, User(98, username="Tidal")) == ["user 98 1.00"]
    assert chosen(like_it) == ["user 95 0.92"]
    # An unknown number of followers counts as 0.
    assert chosen(User(97, username="Tidal"), User(98, username="Tidal", followers_count=1)) == [
        "user 98 1.00"
    ]


def test_uploads_come_before_hits_and_the_search_waits_for_them() -> None:
    answers = run("label_layer", *WORLDS["label_layer"], max_labels_per_track=1)
    assert answers.asked == [
        "search_users Harbour Discs accounts 50",
        "user_tracks 92 uploads 200",
        "search_tracks Harbour Discs hits 1000",
    ]
    assert answers.kept == ["user 92 1.00", "track 301", "track 302", "track 311", "track 313"]


def test_a_publisher_that_is_not_a_mapping_is_ignored() -> None:
    around = seed("Paper Tides", unknown={"publisher_metadata": "Blue Crane Music"})
    assert run("label_layer", around, LABEL_LAYER).asked == []


@pytest.mark.parametrize(
    ("publisher", "found"),
    [
        ({"p_line": "2019 Tidal Press", "c_line": "", "publisher": None}, ["Tidal Press"]),
        ({"c_line": "2019 Tidal Press"}, ["Tidal Press"]),
        (
            {"publisher": "Blue Crane Records", "record_label": "Harbour Discs"},
            ["Harbour Discs", "Blue Crane Records"],
        ),
        ({"p_line": "2019 Tidal Press", "p_line_for_display": "℗ 2019 Tidal Press"}, ["Tidal Press"]),
        ({"artist": "Mara Quill"}, []),
    ],
)
def test_labels_of_a_publisher_are_found_in_columns_and_beside_them(
    publisher: dict[str, str | None], found: list[str]
) -> None:
    document = {"kind": "track", "id": 7, "title": "Paper Tides", "publisher_metadata": publisher}
    record = parse_page("track", "7", document).entries[0].record
    assert isinstance(record, Track)
    around = Seed(record, None, unpack(record.raw) if record.raw else {})
    answers = run("label_layer", around, NOBODY)
    assert answers.asked == [
        *(f"search_users {name} accounts 50" for name in found),
        *(f"search_tracks {name} hits 1000" for name in found),
    ]


def test_the_name_of_a_collaborator_matches_only_users() -> None:
    around = seed("Paper Tides", description="with @wren")
    world = World({("resolve", "https://soundcloud.com/wren"): [track(5)]})
    answers = run("contextual_layer", around, world)
    assert (answers.kept, answers.named) == ([], ["mention of 7: wren"])


def test_a_mentioned_name_is_not_searched_for_again() -> None:
    answers = run("contextual_layer", seed("Paper Tides w/ @wren"), CONTEXTUAL)
    assert answers.asked == ["resolve https://soundcloud.com/wren profiles 1", "user_tracks 51 uploads 50"]
    # Titles are not searched for the mention either: it names an account, not an artist.
    assert "track 599" not in answers.kept


def test_credits_come_before_mentions_whatever_the_order_of_the_setting() -> None:
    patterns = ("mentions", "production", "featuring")
    answers = run(
        "contextual_layer", *WORLDS["contextual_layer"], extraction_patterns=patterns, max_entities=4
    )
    assert list(dict.fromkeys(line.partition(":")[0] for line in answers.named)) == [
        "featuring of 7", "producer of 7", "mention of 7"
    ]  # fmt: skip
    assert "mention of 7: wren" in answers.named
    assert "mention of 7: lark" not in answers.named


def test_guests_in_the_artist_credit_are_collaborators() -> None:
    around = seed("Paper Tides", metadata_artist="Mara Quill & Ilse Brand")
    wanted = list(ContextualLayer(ContextualSection()).found(SEED_STEP, around, around.track))
    assert Mention(7, "featuring", "Ilse Brand") in wanted
    targets = [want.target for want in wanted if isinstance(want, WalkRequest)]
    assert targets == ["Ilse Brand"]


# playlist_depth


def test_max_playlists_keeps_those_with_the_seed_first_and_in_order() -> None:
    def owned(owner: int, *ids: int) -> list[Playlist]:
        return [
            Playlist(playlist_id, owner_id=owner, track_count=1, fullness=Fullness.OWN) for playlist_id in ids
        ]

    likers = [User(5, followers_count=10, playlist_count=1), User(6, followers_count=90, playlist_count=2)]
    view = as_view(
        {
            "likers": [EndedWalk("7", likers)],
            "artist": [EndedWalk("1", owned(1, 30, 20, 10))],
            "liker": [EndedWalk("5", owned(5, 50)), EndedWalk("6", owned(6, 61, 60))],
            "search": [EndedWalk("paper tides", owned(9, 90))],
        },
        {10: [8], 20: [7, 8], 30: [8], 50: [7], 60: [7], 61: [8], 90: [7]},
    )

    def kept(cap: int) -> list[int]:
        layer = PlaylistDepth(PlaylistSection(max_playlists=cap))
        wanted = when_all_ended(layer, seed("Paper Tides"), view)
        return [item.record_id for item in wanted if isinstance(item, Selection) and item.kind == "playlist"]

    assert kept(200) == [20, 60, 50, 90, 10, 30]
    assert kept(5) == [20, 60, 50, 90, 10]
    assert kept(2) == [20, 60]
    assert kept(0) == []


def test_playlists_without_tracks_or_owner() -> None:
    empty = [Playlist(61, owner_id=None, track_count=0), Playlist(62, owner_id=None, track_count=None)]
    world = World({("search_playlists", "paper tides"): empty}, {61: [7], 62: [7, 8]})
    answers = run("playlist_depth", seed("Paper Tides"), world)
    assert [line for line in answers.asked if line.startswith("playlist_tracks")] == [
        "playlist_tracks 62 contents 500"
    ]
    assert answers.kept == ["playlist 62", "track 7", "track 8"]


def test_a_playlist_of_the_artist_is_kept_only_if_the_artist_owns_it() -> None:
    # A playlist of another user, which is in the artist's list because of a collaboration.
    around, _ = WORLDS["playlist_depth"]
    lists = [Playlist(63, owner_id=2, track_count=1), Playlist(64, owner_id=1, track_count=1)]
    world = World({("user_playlists", "1"): lists}, {63: [8], 64: [9]})
    assert run("playlist_depth", around, world).kept == ["playlist 64", "user 1", "track 9"]
