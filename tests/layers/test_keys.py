"""Every setting of a layer has exactly the documented effect, with a value that cuts, and disabled.

Each layer has a small world here, with more of everything than the caps allow. A case consists of one key,
a value, and everything that the layer then requests and keeps; all other settings have their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sgr_spiders.config.harvest import LAYER_NAMES, DeepHarvest, HarvestConfig
from sgr_spiders.layers import build
from sgr_spiders.layers.base import Seed
from sgr_spiders.model.items import Comment, Fullness, Playlist, Track, User
from tests.layers.driving import LayerResult, World, drive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sgr_spiders.model.items import MainRecord

ARTIST = User(1, username="Mara Quill", track_count=3, fullness=Fullness.OWN)


def track(number: int, title: str = "", artist: int | None = 9, **more: Any) -> Track:
    return Track(number, title=title or f"Number {number}", artist_id=artist, fullness=Fullness.OWN, **more)


def tracks(*numbers: int) -> list[MainRecord]:
    return [track(number) for number in numbers]


def seed(title: str, artist: User | None = ARTIST, unknown: Mapping[str, object] = {}, **more: Any) -> Seed:
    return Seed(track(7, title, 1 if artist else None, **more), artist, unknown)


# user_depth: five users like the seed; three repost it, of whom two also like it

LISTENERS = (11, 12, 13, 14, 15)
USER_DEPTH = World(
    {
        ("track_favoriters", "7"): [User(n, public_favorites_count=n) for n in LISTENERS],
        ("track_reposters", "7"): [User(14), User(16), User(15)],
        **{("user_likes", str(n)): tracks(7, n * 10, n * 10 + 1) for n in (*LISTENERS, 16)},
    }
)


def listening(users: Mapping[int, int], most: int = 500, reposters: int | None = 500) -> set[str]:
    """Return the walks of the likers, the reposters, and the libraries of *users* up to *most* tracks."""
    walks = {f"user_likes {user} library {most}" for user in users if most}
    walks |= {f"track_reposters 7 reposters {reposters}"} if reposters else set()
    return walks


def heard(users: Mapping[int, int]) -> set[str]:
    """Return the kept records: *users*, with a number of tracks of each library."""
    kept = {f"user {user}" for user in users}
    for user, most in users.items():
        kept |= {f"track {number}" for number in (7, user * 10, user * 10 + 1)[:most]}
    return kept


# playlist_depth: likers with equal numbers of followers; playlists with and without the seed


def playlist(number: int, owner: int, count: int | None = 3) -> Playlist:
    return Playlist(number, owner_id=owner, track_count=count, fullness=Fullness.OWN)


PLAYLIST_DEPTH = World(
    {
        ("user_playlists", "1"): [playlist(32, 1), playlist(31, 1), playlist(33, 1, 0)],
        ("track_favoriters", "7"): [
            User(21, followers_count=5, playlist_count=2),
            User(23, followers_count=80, playlist_count=0),
            User(24, followers_count=9, playlist_count=3),
            User(22, followers_count=9, playlist_count=None),
            User(25, followers_count=None, playlist_count=1),
        ],
        ("user_playlists", "21"): [playlist(41, 21)],
        ("user_playlists", "22"): [playlist(44, 22), playlist(43, 22), playlist(42, 22)],
        ("user_playlists", "24"): [playlist(45, 24)],
        ("user_playlists", "25"): [playlist(46, 25)],
        ("search_playlists", "paper tides"): [playlist(53, 26), playlist(52, 26), playlist(51, 27)],
    },
    {
        31: [8, 7, 9], 32: [8, 9], 33: [], 41: [7, 101], 42: [102, 7, 7], 43: [103, 104], 44: [7, 105, 106],
        45: [107], 46: [108, 7], 51: [7, 109], 52: [110], 53: [111, 112, 7],
    },
    embedded=frozenset({31, 42, 45}),
)  # fmt: skip
OF_ARTIST = "user_playlists 1 artist 1000000000"
ALL_LIKERS = "track_favoriters 7 likers 1000000000"
BY_TITLE = "search_playlists paper tides search 50"
LOOKED_AT = {OF_ARTIST, ALL_LIKERS, BY_TITLE}
OF_LIKERS = {f"user_playlists {user} liker 50" for user in (21, 22, 24, 25)}
HELD = {
    32: [1, 8, 9], 31: [1, 7, 8, 9], 33: [1], 41: [21, 7, 101], 42: [22, 102, 7], 44: [22, 7, 105, 106],
    46: [25, 108, 7], 51: [27, 7, 109], 53: [26, 111, 112, 7],
}  # fmt: skip
"""The owner and the tracks of each playlist that may be kept."""


def contents(*playlists: int, most: int = 500) -> set[str]:
    return {f"playlist_tracks {number} contents {most}" for number in playlists}


def holding(*playlists: int, most: int = 500) -> set[str]:
    kept = {f"playlist {number}" for number in playlists}
    for number in playlists:
        owner, *held = HELD[number]
        kept |= {f"user {owner}", *(f"track {number}" for number in held[:most])}
    return kept


# artist_depth: uploads, and tracks of others with each kind of credit for the artist

ARTIST_DEPTH = World(
    {
        ("user_tracks", "1"): tracks(7, 61, 62, 63),
        ("search_tracks", "Mara Quill"): [
            track(61, "Slow Light (feat. Mara Quill)", 1),  # the artist's own
            track(71, "Slow Light (Mara Quill Remix)"),
            track(72, "Slow Light (feat. Mara Quill)"),
            track(73, "Mara Quill - Slow Light"),
            track(74, "Mara Quill - Slow Light (Otto Remix)"),
            track(75, "Slow Light (prod. Mara Quill)"),
            track(76, "The Mara Quill story"),
            track(77, "Mara Quillon - Slow Light"),
            track(78, "Dusk (Mara Quill Remix)"),
        ],
    }
)
SEARCHED = {"user_tracks 1 uploads 1000", "search_tracks Mara Quill appearances 1000"}
UPLOADED = {"track 7", "track 61", "track 62", "track 63"}
REMIXED = {"remixer of 71: Mara Quill 1", "remixer of 78: Mara Quill 1"}
FEATURED = {"featuring of 72: Mara Quill 1", "producer of 75: Mara Quill 1"}


# semantic_depth: each term has its own hits

SEMANTIC_DEPTH = World(
    {
        ("search_tracks", "glass harbour lanterns"): [
            track(7, "Glass Harbour Lanterns"),
            track(81, "Glass Harbour"),
            track(82, "Iron Lanterns"),
            track(83, "Lanterns, Glass, Harbour"),
        ],
        ("search_tracks", "harbour lanterns"): [
            track(82, "Iron Lanterns"),
            track(84, "Glass Harbor Lantern"),
        ],
        ("search_tracks", "glass harbour"): [
            track(85, "Lanterns"),
            track(86, "Glass Harbour Lanterns (Live)"),
        ],
        ("search_tracks", "glass lanterns"): [track(87, "Glass Harbour Lanterns II")],
    }
)
TERMS = ("glass harbour lanterns", "harbour lanterns", "glass harbour")


def searched(*terms: str, most: int = 100) -> set[str]:
    return {f"search_tracks {term} hits {most}" for term in terms}


# commentary_layer: four authors; only the second comment of the first is long


def comment(number: int, user: int | None, body: str | None) -> Comment:
    return Comment(number, 7, user, body)


COMMENTARY = World(
    {
        ("track_comments", "7"): [
            comment(201, 31, "nice"),
            comment(202, 32, "what a tune this is"),
            comment(203, 31, "I still listen to it"),
            comment(204, None, "somebody who left"),
            comment(205, 33, None),
            comment(206, 34, " four "),
        ],
        **{("user_likes", str(user)): tracks(user * 10, user * 10 + 1) for user in (31, 32, 33, 34)},
    }
)


def fans(*users: int) -> set[str]:
    return {f"user_likes {user} library 1000000000" for user in users}


def said(*comments: int, fans: tuple[int, ...]) -> set[str]:
    libraries = {f"track {user * 10 + n}" for user in fans for n in (0, 1)}
    return {f"comment {number}" for number in comments} | libraries


# label_layer: a label by each method, one of them twice; accounts with similar names

TOLD = "Out now on Tidal Records. Released by Night Signal Recordings."
LABEL_LAYER = World(
    {
        ("search_users", "Harbour Discs"): [
            User(91, username="Harbour Dics", followers_count=900),
            User(93, username="Harbour Discs", followers_count=5, track_count=4),
            User(92, username="harbour-discs", followers_count=5),
            User(94, username="Harbour Discs", followers_count=4),
        ],
        ("search_users", "Tidal Records"): [User(95, username="Somebody Else", followers_count=7)],
        ("search_users", "Night Signal Recordings"): [User(96, username="Night Signal Recordigns")],
        ("search_users", "Blue Crane Music"): [User(97, username="x", permalink="blue-crane-music")],
        ("user_tracks", "92"): tracks(301, 302),
        ("user_tracks", "96"): tracks(303, 304, 305),
        ("user_tracks", "97"): tracks(306),
        ("search_tracks", "Harbour Discs"): [
            track(302, label_name="Harbour Discs"),
            track(311, label_name="Harbour Discs"),
            track(312, label_name="Another"),
            track(313, label_name="Harbour Discs"),
        ],
        ("search_tracks", "Tidal Records"): [
            track(321, description="Out now on Tidal Records."),
            track(322, "Tidal Records"),
        ],
        ("search_tracks", "Blue Crane Music"): [track(331, label_name="Blue Crane Music")],
    }
)
PUBLISHER = {"publisher_metadata": {"record_label": "Blue Crane Music"}}
LABELS = {
    "Harbour Discs": 92,
    "Tidal Records": None,
    "Night Signal Recordings": 96,
    "Blue Crane Music": 97,
}


def labelled(*names: str, most: int = 200, search: tuple[str, ...] | None = None) -> set[str]:
    """Return the walks for the labels *names*; those in *search* (``None`` for all) by name."""
    walks = {f"search_users {name} accounts 50" for name in names}
    walks |= {f"user_tracks {LABELS[name]} uploads {most}" for name in names if LABELS[name] and most}
    return walks | {f"search_tracks {name} hits 1000" for name in (names if search is None else search)}


def label_names(*names: str) -> set[str]:
    first = {f"label of 7: {name}" for name in names}
    return first | {f"label of 7: {name} {LABELS[name]}" for name in names if LABELS[name]}


FIRST_LABELS = ("Harbour Discs", "Tidal Records", "Night Signal Recordings")
OF_HARBOUR = {"user 92 1.00", "track 301", "track 302", "track 311", "track 313"}
OF_TIDAL = {"track 321"}
OF_NIGHT = {"user 96 0.94", "track 303", "track 304", "track 305"}
OF_CRANE = {"user 97 1.00", "track 306", "track 331"}


# contextual_layer: one of each kind, and two mentions

CONTEXT_TITLE = "Paper Tides (feat. Ilse Brand) (Otto Vane Remix) [prod. Nils Hart]"
CONTEXTUAL = World(
    {
        ("resolve", "https://soundcloud.com/wren"): [User(51, username="Wren")],
        ("search_users", "Ilse Brand"): [
            User(52, username="Ilse Brandt", followers_count=70),
            User(53, username="Ilse Brand Official", followers_count=9),
        ],
        ("search_users", "Otto Vane"): [User(54, username="Otto Vane", track_count=2)],
        ("search_users", "Nils Hart"): [],
        ("user_tracks", "51"): tracks(501, 502, 503),
        ("user_tracks", "53"): tracks(531),
        ("user_tracks", "54"): tracks(541, 542),
        ("search_tracks", "Ilse Brand"): [
            track(531, "Dusk (feat. Ilse Brand)"),
            track(532, "Dawn (feat. Ilse Brand)"),
            track(533, "Ilse Brandon"),
            track(534, "Noon (Ilse Brand Remix)"),
        ],
        ("search_tracks", "wren"): [track(599, "Dusk (feat. wren)")],
        ("search_tracks", "Nils Hart"): [track(551, "Dusk (prod. Nils Hart)")],
    }
)
ENTITIES = {
    "wren": ({"resolve https://soundcloud.com/wren profiles 1", "user_tracks 51 uploads 50"},
             {"user 51 1.00", "track 501", "track 502", "track 503"},
             {"mention of 7: wren", "mention of 7: wren 51"}),
    "lark": ({"resolve https://soundcloud.com/lark profiles 1"}, set(), {"mention of 7: lark"}),
    "Ilse Brand": ({"search_users Ilse Brand accounts 50", "user_tracks 53 uploads 50",
                    "search_tracks Ilse Brand hits 1000"},
                   {"user 53 0.95", "track 531", "track 532", "track 534"},
                   {"featuring of 7: Ilse Brand", "featuring of 7: Ilse Brand 53"}),
    "Tove Lind": ({"search_users Tove Lind accounts 50", "search_tracks Tove Lind hits 1000"}, set(),
                  {"featuring of 7: Tove Lind"}),
    "Otto Vane": ({"search_users Otto Vane accounts 50", "user_tracks 54 uploads 50",
                   "search_tracks Otto Vane hits 1000"},
                  {"user 54 1.00", "track 541", "track 542"},
                  {"remixer of 7: Otto Vane", "remixer of 7: Otto Vane 54"}),
    "Nils Hart": ({"search_users Nils Hart accounts 50", "search_tracks Nils Hart hits 1000"},
                  {"track 551"}, {"producer of 7: Nils Hart"}),
}  # fmt: skip
"""Walks, records and mentions that follow from each collaborator."""


def asked_of(*names: str) -> set[str]:
    return set().union(*(ENTITIES[name][0] for name in names))


def kept_of(*names: str) -> set[str]:
    return set().union(*(ENTITIES[name][1] for name in names))


def named_of(*names: str) -> set[str]:
    return set().union(*(ENTITIES[name][2] for name in names))


WORLDS: dict[str, tuple[Seed, World]] = {
    "user_depth": (seed("Paper Tides", favoritings_count=5, reposts_count=3), USER_DEPTH),
    "playlist_depth": (seed("Paper Tides", favoritings_count=5), PLAYLIST_DEPTH),
    "artist_depth": (seed("Paper Tides"), ARTIST_DEPTH),
    "semantic_depth": (seed("Glass Harbour Lanterns"), SEMANTIC_DEPTH),
    "commentary_layer": (
        seed("Paper Tides", comment_count=6, permalink_url="https://soundcloud.com/mara-quill/paper-tides"),
        COMMENTARY,
    ),
    "label_layer": (
        seed("Paper Tides", unknown=PUBLISHER, label_name="Harbour Discs", description=TOLD), LABEL_LAYER
    ),
    "contextual_layer": (
        seed(CONTEXT_TITLE, description="with @wren and @lark", metadata_artist="Mara Quill & Tove Lind"),
        CONTEXTUAL,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A setting as ``layer.key: value``, and what the layer then requests, keeps, mentions and leaves out."""

    setting: str
    asked: set[str]
    kept: set[str]
    named: frozenset[str] | set[str] = frozenset()
    cuts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.setting.split(":")[0]


EVERYONE = dict.fromkeys((*LISTENERS, 16), 3)
FAVORITERS = {"track_favoriters 7 likers 500"}
OTHERS_OF_ARTIST = (32, 33)
WITH_SEED = (31, 42, 44, 41, 46, 51, 53)
WITHOUT_CONTENTS = (32, 41, 44, 43, 46, 51, 52, 53)
EVERYBODY = ("Ilse Brand", "Tove Lind", "Otto Vane", "Nils Hart", "wren", "lark")
"""The collaborators: the credited ones before those only mentioned."""

CASES = [
    # user_depth
    Case("user_depth.max_users_per_track: 500", FAVORITERS | listening(EVERYONE), heard(EVERYONE)),
    Case(
        "user_depth.max_users_per_track: 2",
        {"track_favoriters 7 likers 2", *listening(dict.fromkeys((11, 12, 14, 16), 3), reposters=2)},
        heard(dict.fromkeys((11, 12, 14, 16), 3)),
    ),
    Case("user_depth.max_users_per_track: 0", set(), set()),
    Case(
        "user_depth.max_tracks_per_user: 2",
        FAVORITERS | listening(EVERYONE, 2), heard(dict.fromkeys(EVERYONE, 2)),
    ),
    Case(
        "user_depth.max_tracks_per_user: 0",
        FAVORITERS | listening(EVERYONE, 0), heard(dict.fromkeys(EVERYONE, 0)),
    ),
    Case(
        "user_depth.include_reposters: false",
        FAVORITERS | listening(dict.fromkeys(LISTENERS, 3), reposters=None),
        heard(dict.fromkeys(LISTENERS, 3)),
    ),
    # playlist_depth
    Case(
        "playlist_depth.max_playlists: 200",
        LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS), holding(*WITH_SEED, *OTHERS_OF_ARTIST),
    ),
    Case(
        "playlist_depth.max_playlists: 8",
        LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS), holding(*WITH_SEED, 32),
        cuts=("max_playlists 8 of 9",),
    ),
    # The likers by followers, then by ID: 23 (without playlists), 22, 24, 21, 25.
    Case(
        "playlist_depth.max_playlists: 4",
        LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS), holding(31, 42, 44, 41),
        cuts=("max_playlists 4 of 9",),
    ),
    Case("playlist_depth.max_playlists: 0", LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS), set(),
        cuts=("max_playlists 0 of 9",)),
    Case(
        "playlist_depth.max_tracks_per_playlist: 2",
        # The first two tracks of 53 are fetched, without the seed. In 42 it is embedded.
        LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS, most=2),
        holding(31, 42, 44, 41, 46, 51, *OTHERS_OF_ARTIST, most=2),
        cuts=("max_tracks_per_playlist 2 of 3 31",),
    ),
    Case("playlist_depth.max_tracks_per_playlist: 1",
        LOOKED_AT | OF_LIKERS | contents(*WITHOUT_CONTENTS, most=1),
        holding(31, 42, 44, 41, 51, *OTHERS_OF_ARTIST, most=1),
        cuts=("max_tracks_per_playlist 1 of 3 31", "max_tracks_per_playlist 1 of 2 42")),
    Case(
        "playlist_depth.max_tracks_per_playlist: 0",
        LOOKED_AT | OF_LIKERS, holding(31, 42, *OTHERS_OF_ARTIST, most=0),
        cuts=("max_tracks_per_playlist 0 of 3 31", "max_tracks_per_playlist 0 of 2 42"),
    ),
    Case(
        "playlist_depth.include_artist_playlists: false",
        (LOOKED_AT - {OF_ARTIST}) | OF_LIKERS | contents(41, 44, 43, 46, 51, 52, 53),
        holding(42, 44, 41, 46, 51, 53),
    ),
    Case(
        "playlist_depth.include_liker_playlists: false",
        (LOOKED_AT - {ALL_LIKERS}) | contents(32, 51, 52, 53),
        holding(31, 51, 53, *OTHERS_OF_ARTIST),
    ),
    Case(
        "playlist_depth.max_likers: 2",
        LOOKED_AT | {"user_playlists 22 liker 50"} | contents(32, 44, 43, 51, 52, 53),
        holding(31, 42, 44, 51, 53, *OTHERS_OF_ARTIST),
        cuts=("max_likers 2 of 5",),
    ),
    Case(
        "playlist_depth.max_likers: 0",
        (LOOKED_AT - {ALL_LIKERS}) | contents(32, 51, 52, 53),
        holding(31, 51, 53, *OTHERS_OF_ARTIST),
        cuts=("max_likers 0 of 5",),
    ),
    Case(
        "playlist_depth.max_playlists_per_liker: 2",
        LOOKED_AT | {f"user_playlists {user} liker 2" for user in (21, 22, 24, 25)}
        | contents(32, 41, 44, 43, 46, 51, 52, 53),
        holding(31, 44, 41, 46, 51, 53, *OTHERS_OF_ARTIST),
    ),
    Case(
        "playlist_depth.max_playlists_per_liker: 0",
        LOOKED_AT | contents(32, 51, 52, 53), holding(31, 51, 53, *OTHERS_OF_ARTIST),
    ),
    Case(
        "playlist_depth.max_search_playlists: 2",
        {*LOOKED_AT, "search_playlists paper tides search 2"} - {BY_TITLE}
        | OF_LIKERS | contents(32, 41, 44, 43, 46, 52, 53),
        holding(31, 42, 44, 41, 46, 53, *OTHERS_OF_ARTIST),
    ),
    Case(
        "playlist_depth.max_search_playlists: 0",
        (LOOKED_AT - {BY_TITLE}) | OF_LIKERS | contents(32, 41, 44, 43, 46),
        holding(31, 42, 44, 41, 46, *OTHERS_OF_ARTIST),
    ),
    # artist_depth
    Case(
        "artist_depth.max_artist_tracks: 1000", SEARCHED,
        UPLOADED | {f"track {n}" for n in (71, 72, 73, 74, 75, 78)}, REMIXED | FEATURED,
    ),
    Case(
        "artist_depth.max_artist_tracks: 3",
        {"user_tracks 1 uploads 3", "search_tracks Mara Quill appearances 1000"},
        {"track 7", "track 61", "track 62", "track 71", "track 72", "track 73"},
        {"remixer of 71: Mara Quill 1", "featuring of 72: Mara Quill 1"},
        cuts=("max_artist_tracks 3 of 6 Mara Quill",),
    ),
    Case("artist_depth.max_artist_tracks: 0", set(), set(), cuts=("max_artist_tracks 0 of None Mara Quill",)),
    # A remix of the artist by another user also counts.
    Case(
        "artist_depth.include_remixes: false",
        SEARCHED, UPLOADED | {"track 72", "track 73", "track 75"}, FEATURED,
    ),
    Case(
        "artist_depth.include_features: false",
        SEARCHED, UPLOADED | {"track 71", "track 73", "track 74", "track 78"}, REMIXED,
    ),
    # semantic_depth
    Case(
        "semantic_depth.max_key_terms: 3",
        searched(*TERMS), {"track 81 0.87", "track 83 1.00", "track 84 0.96", "track 86 1.00"},
        cuts=("max_key_terms 3 of 7",),
    ),
    Case(
        "semantic_depth.max_key_terms: 2",
        searched(*TERMS[:2]), {"track 81 0.87", "track 83 1.00", "track 84 0.96"},
        cuts=("max_key_terms 2 of 7",),
    ),
    Case("semantic_depth.max_key_terms: 0", set(), set(), cuts=("max_key_terms 0 of 7",)),
    Case(
        "semantic_depth.fuzzy_search_limit: 1",
        searched(*TERMS, most=1), set(),
        cuts=("max_key_terms 3 of 7",),
    ),
    Case(
        "semantic_depth.fuzzy_search_limit: 2",
        searched(*TERMS, most=2), {"track 81 0.87", "track 84 0.96", "track 86 1.00"},
        cuts=("max_key_terms 3 of 7",),
    ),
    Case("semantic_depth.fuzzy_search_limit: 0", set(), set(), cuts=("max_key_terms 3 of 7",)),
    Case(
 "semantic_depth.name_similarity_threshold: 1.0",
searched(*TERMS), {"track 83 1.00", "track 86 1.00"}, cuts=("max_key_terms 3 of 7",)),
    Case(
        "semantic_depth.name_similarity_threshold: 0.0",
        searched(*TERMS),
        {"track 81 0.87", "track 82 0.36", "track 83 1.00", "track 84 0.96", "track 85 0.44",
         "track 86 1.00"},
        cuts=("max_key_terms 3 of 7",),
    ),
    # commentary_layer
    Case(
        "commentary_layer.max_commenters: 100",
        {"track_comments 7 comments 100"} | fans(31, 32, 33, 34),
        said(201, 202, 203, 204, 205, 206, fans=(31, 32, 33, 34)),
    ),
    Case(
        "commentary_layer.max_commenters: 2",
        {"track_comments 7 comments 2"} | fans(31, 32), said(201, 202, 203, fans=(31, 32)),
    ),
    Case("commentary_layer.max_commenters: 0", set(), set()),
    Case(
        "commentary_layer.min_comment_length: 4",
        {"track_comments 7 comments 100"} | fans(31, 32, 34),
        said(201, 202, 203, 204, 205, 206, fans=(31, 32, 34)),
    ),
    Case(
        "commentary_layer.min_comment_length: 5",
        {"track_comments 7 comments 100"} | fans(31, 32), said(201, 202, 203, 204, 205, 206, fans=(31, 32)),
    ),
    Case(
        "commentary_layer.harvest_commenter_libraries: false",
        {"track_comments 7 comments 100"}, said(201, 202, 203, 204, 205, 206, fans=()),
    ),
    Case(  # The API lists comments, so the page is not requested; test_layers.py covers the other case.
        "commentary_layer.html_fallback: true",
        {"track_comments 7 comments 100"} | fans(31, 32, 33, 34),
        said(201, 202, 203, 204, 205, 206, fans=(31, 32, 33, 34)),
    ),
    # label_layer
    Case(
        "label_layer.max_labels_per_track: 3",
        labelled(*FIRST_LABELS), OF_HARBOUR | OF_TIDAL | OF_NIGHT, label_names(*FIRST_LABELS),
        cuts=("max_labels_per_track 3 of 4",),
    ),
    Case(
        "label_layer.max_labels_per_track: 1",
        labelled("Harbour Discs"), OF_HARBOUR, label_names("Harbour Discs"),
        cuts=("max_labels_per_track 1 of 4",),
    ),
    Case("label_layer.max_labels_per_track: 4", labelled(*LABELS),
        OF_HARBOUR | OF_TIDAL | OF_NIGHT | OF_CRANE, label_names(*LABELS)),
    Case("label_layer.max_labels_per_track: 0", set(), set(), cuts=("max_labels_per_track 0 of 4",)),
    Case(
        "label_layer.max_catalog_size: 3",
        labelled(*FIRST_LABELS, most=3, search=("Harbour Discs", "Tidal Records")),
        (OF_HARBOUR - {"track 313"}) | OF_TIDAL | OF_NIGHT, label_names(*FIRST_LABELS),
        cuts=(
            "max_labels_per_track 3 of 4", "max_catalog_size 3 of 4 Harbour Discs",
            "max_catalog_size 3 of None Night Signal Recordings",
        ),
    ),
    Case(
        "label_layer.max_catalog_size: 2",
        labelled(*FIRST_LABELS, most=2, search=("Tidal Records",)),
        {"user 92 1.00", "track 301", "track 302", "user 96 0.94", "track 303", "track 304"} | OF_TIDAL,
        label_names(*FIRST_LABELS),
        cuts=(
            "max_labels_per_track 3 of 4", "max_catalog_size 2 of None Harbour Discs",
            "max_catalog_size 2 of None Night Signal Recordings",
        ),
    ),
    Case(
        "label_layer.max_catalog_size: 0",
        labelled(*FIRST_LABELS, most=0, search=()), {"user 92 1.00", "user 96 0.94"},
        label_names(*FIRST_LABELS),
        cuts=(
            "max_labels_per_track 3 of 4", "max_catalog_size 0 of None Harbour Discs",
            "max_catalog_size 0 of None Tidal Records",
            "max_catalog_size 0 of None Night Signal Recordings",
        ),
    ),
    Case(
        "label_layer.detection_methods: [label_field]",
        labelled("Harbour Discs"), OF_HARBOUR, label_names("Harbour Discs"),
    ),
    Case(
        "label_layer.detection_methods: [description_parsing]",
        labelled(*FIRST_LABELS[1:]), OF_TIDAL | OF_NIGHT, label_names(*FIRST_LABELS[1:]),
    ),
    Case(
        "label_layer.detection_methods: [publisher_metadata]",
        labelled("Blue Crane Music"), OF_CRANE, label_names("Blue Crane Music"),
    ),
    Case("label_layer.detection_methods: []", set(), set()),
    # contextual_layer
    Case(
        "contextual_layer.max_entities: 10",
        asked_of(*EVERYBODY), kept_of(*EVERYBODY), named_of(*EVERYBODY),
    ),
    Case(
        "contextual_layer.max_entities: 3",
        asked_of(*EVERYBODY[:3]), kept_of(*EVERYBODY[:3]), named_of(*EVERYBODY[:3]),
        cuts=("max_entities 3 of 6",),
    ),
    Case("contextual_layer.max_entities: 0", set(), set(), cuts=("max_entities 0 of 6",)),
    Case(
        "contextual_layer.max_tracks_per_entity: 2",
        {line.replace("uploads 50", "uploads 2") for line in asked_of(*EVERYBODY)}
        - {"search_tracks Otto Vane hits 1000"},
        kept_of(*EVERYBODY) - {"track 503", "track 534"}, named_of(*EVERYBODY),
        cuts=("max_tracks_per_entity 2 of 3 Ilse Brand", "max_tracks_per_entity 2 of None Otto Vane"),
    ),
    Case(
        "contextual_layer.max_tracks_per_entity: 0",
        {line for line in asked_of(*EVERYBODY) if line.startswith(("resolve", "search_users"))},
        {"user 51 1.00", "user 53 0.95", "user 54 1.00"}, named_of(*EVERYBODY),
        cuts=(
            "max_tracks_per_entity 0 of None Ilse Brand", "max_tracks_per_entity 0 of None Tove Lind",
            "max_tracks_per_entity 0 of None Otto Vane", "max_tracks_per_entity 0 of None Nils Hart",
        ),
    ),
    Case(
        "contextual_layer.extraction_patterns: [mentions]",
        asked_of("wren", "lark"), kept_of("wren", "lark"), named_of("wren", "lark"),
    ),
    Case(
        "contextual_layer.extraction_patterns: [featuring]",
        asked_of("Ilse Brand", "Tove Lind"), kept_of("Ilse Brand"), named_of("Ilse Brand", "Tove Lind"),
    ),
    Case(
        "contextual_layer.extraction_patterns: [remixes]",
        asked_of("Otto Vane"), kept_of("Otto Vane"), named_of("Otto Vane"),
    ),
    Case(
        "contextual_layer.extraction_patterns: [production]",
        asked_of("Nils Hart"), kept_of("Nils Hart"), named_of("Nils Hart"),
    ),
    Case("contextual_layer.extraction_patterns: []", set(), set()),
]  # fmt: skip

ELSEWHERE = {
    *(f"{layer}.enabled" for layer in LAYER_NAMES),  # test_a_disabled_layer_is_not_run
    "enabled",  # the same
    "request_delay",  # tests/traffic
    "freshness_days",  # tests/crawls
    "full_refresh_days",  # tests/storage/test_delta.py
    "like_times",  # tests/crawls/test_like_times.py
    "max_gone_share",  # tests/crawls/test_doubts.py
}
"""Keys that no layer reads, with their tests."""


def run(name: str, around: Seed, world: World, **changes: object) -> LayerResult:
    config = HarvestConfig.model_validate({"deep_harvest": {name: changes}}, strict=False)
    return drive(build((name,), config)[name], around, world)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.setting)
def test_a_key_has_exactly_its_documented_effect(case: Case) -> None:
    name, setting = case.setting.split(".", 1)
    answers = run(name, *WORLDS[name], **yaml.safe_load(setting))
    assert set(answers.asked) == case.asked
    assert len(answers.asked) == len(case.asked), "a walk was requested twice"
    assert set(answers.kept) == case.kept
    assert set(answers.named) == set(case.named)
    assert answers.cuts == list(case.cuts)


def test_every_key_is_in_the_table() -> None:
    keys = set()
    for name, value in DeepHarvest().model_dump().items():
        keys |= {f"{name}.{key}" for key in value} if isinstance(value, dict) else {name}
    assert keys == {case.key for case in CASES} | ELSEWHERE


@pytest.mark.parametrize("name", LAYER_NAMES)
def test_a_disabled_layer_is_not_run(name: str) -> None:
    off = HarvestConfig.model_validate({"deep_harvest": {name: {"enabled": False}}})
    assert off.enabled_layers == tuple(layer for layer in LAYER_NAMES if layer != name)
    assert HarvestConfig.model_validate({"deep_harvest": {"enabled": False}}).enabled_layers == ()
