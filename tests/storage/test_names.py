"""Records are found by ID, URN, address, permalink, title or name."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.model.items import Fullness, Playlist, Track, User
from sgr_spiders.storage import indexes, names, records
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.store import Store
from sgr_spiders.text.folding import fold
from tests.databases import connect, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.storage.store import Connection

SITE = "https://soundcloud.com"
OWN = Fullness.OWN
USERS = [
    User(1, "Björk", "bjork", f"{SITE}/bjork", fullness=OWN),
    User(2, "Ann", "ann-1", f"{SITE}/ann-1", fullness=OWN),
    User(3, "ANN", "ann-2", f"{SITE}/ann-2", fullness=OWN),
    User(4, "bee", "303", f"{SITE}/303", fullness=OWN),
    User(5, "ann-1", "see", f"{SITE}/see", fullness=OWN),
    User(6, "Zoë\x1b[2J"),
]
TRACKS = [
    Track(303, "Café del Mar", 1, permalink_url=f"{SITE}/bjork/cafe", fullness=OWN),
    Track(304, "303", 1, permalink_url=f"{SITE}/bjork/303", fullness=OWN),
    Track(305, "Side A / Side B", 2, permalink_url=f"{SITE}/Ann-1/Sides", fullness=OWN),
    Track(306, "a/b", 2, permalink_url=f"{SITE}/ann-1/slash", fullness=OWN),
    Track(307, "Привет,  Мир", 2, permalink_url=f"{SITE}/ann-1/mir", fullness=OWN),
    Track(308, "Twice", 1, permalink_url=f"{SITE}/bjork/twice", fullness=OWN),
    Track(309, "twicé", 2, permalink_url=f"{SITE}/ann-1/twice", fullness=OWN),
    Track(310, "Left", 2, permalink_url=f"{SITE}/ann-1/left", fullness=OWN),
    Track(311, "left", 2, permalink_url=f"{SITE}/ann-1/left", fullness=OWN),
    Track(312, "\U0001d401old ﬁ夜", 2, fullness=OWN),
    Track(313, "x" * 9000, 2, permalink_url=f"{SITE}/ann-1/{'y' * 9000}", fullness=OWN),
    Track(314, "Title: x", 2, fullness=OWN),
    Track(315, "한국", 2, fullness=OWN),
]
RESOLVED = """
INSERT INTO walks (walk_id, endpoint, target, status, cursor, generation, pages, empty_pages, received, kept,
    created_at) VALUES (?, 'resolve', 'x', 'done', '', 0, 1, 0, 1, 1, 't')
"""
TWICE = (
    "2 tracks are called 'TWICE'; name one by its ID: 308 Twice by Björk "
    "(https://soundcloud.com/bjork/twice); 309 twicé by Ann (https://soundcloud.com/ann-1/twice)"
)
PLAYLISTS = [Playlist(20, "Mix", 1, permalink_url=f"{SITE}/bjork/sets/mix", fullness=OWN)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "a.db"
    with closing(Store.open(url_of(path))) as store, store.write() as connection:
        records.write_records(connection, [*USERS, *TRACKS, *PLAYLISTS], set(), "2026-01-01T00:00:00Z")
    with closing(connect(path)) as database, database:
        database.execute("UPDATE tracks SET removed_at = 't', removed_reason = 'gone' WHERE track_id = 310")
        walk = (walk_id("resolve", "https://on.soundcloud.com/AbC"),)
        database.execute(RESOLVED, walk)
        database.execute(
            "INSERT INTO walk_records (walk_id, kind, record_id, position, generation) "
            "VALUES (?, 'track', 304, 0, 0)",
            walk,
        )
    return path


@pytest.fixture(scope="module")
def connection(path: Path) -> Iterator[Connection]:
    with Store(url_of(path)).read() as connection:
        yield connection


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("track", "7", 7),
        ("track", " soundcloud:tracks:7 ", 7),
        ("track", "track:7", 7),
        ("artist", "soundcloud:users:7", 7),
        ("track", "https://api.soundcloud.com/tracks/soundcloud:tracks:7?x=1", 7),
        ("track", "303", 303),
        ("track", "title:303", 304),
        ("track", "Name:303", 304),
        ("track", "title:title: X", 314),
        ("track", "https://soundcloud.com/bjork/cafe", 303),
        ("track", "HTTP://m.SoundCloud.com/Bjork/CAFE/?si=1&utm_source=x#t=1", 303),
        ("track", "www.soundcloud.com/bjork/cafe", 303),
        ("track", "soundcloud.com/ann-1/sides", 305),
        ("track", "bjork/cafe", 303),
        ("track", "/bjork/cafe/", 303),
        ("track", "https://on.soundcloud.com/AbC", 304),
        ("track", "cafe DEL mar", 303),
        ("track", "CAFÉ  del\tmar", 303),
        ("track", "side a / side b", 305),
        ("track", "A/B", 306),
        ("track", "привет, МИР", 307),
        ("track", "bold fi夜", 312),
        ("track", "한국", 315),
        ("track", "x" * 9000, 313),
        ("track", "left", 311),
        ("track", "ann-1/left", 311),
        ("user", "BJORK", 1),
        ("artist", "ann", 2),
        ("user", "/303", 4),
        ("user", "303", 303),
        ("user", "soundcloud.com/see", 5),
        ("user", "/ann-1", 2),
        ("user", "name:ann-1", 5),
        ("playlist", "bjork/sets/mix", 20),
        ("playlist", "mix", 20),
        ("playlist", "soundcloud:playlists:9", 9),
    ],
)
def test_what_is_unique_is_found(connection: Connection, kind: str, text: str, found: int) -> None:
    assert names.resolve(connection, kind, text) == found


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("track", "soundcloud:users:7", "'soundcloud:users:7' is a user, not a track"),
        ("artist", "track:7", "'track:7' is a track, not an artist"),
        (
            "track",
            "soundcloud.com/bjork",
            "the URL of a user, not of a track: 'https://soundcloud.com/bjork'",
        ),
        ("track", "https://example.com/a/b", "not a URL on soundcloud.com: 'https://example.com/a/b'"),
        ("track", "https://soundcloud.com/a/b/s-Hid", "a secret link; private records are never harvested"),
        (
            "track",
            "soundcloud.com/bjork/caf",
            "no track in this database is 'soundcloud.com/bjork/caf'; name an",
        ),
        ("track", "Caf", "no track in this database is 'Caf'; name an ID, a URN, a URL, a permalink"),
        ("track", "", "no track in this database is ''"),
        ("track", "title:", "no track in this database is 'title:'"),
        ("track", "\udcff\U0010ffff\ud7ff\x00", "no track in this database is "),
        ("track", "\ud7ff", "no track in this database is "),
        ("track", "9" * 30, "no track in this database is '99"),
        ("track", "TWICE", TWICE),
        (
            "user",
            "ann",
            "2 users are called 'ann'; name one by its ID: 2 Ann (https://soundcloud.com/ann-1); 3",
        ),
        ("user", "ann-1", "2 users are called 'ann-1'; name one by its ID: 2 Ann"),
    ],
)
def test_what_is_not_unique_is_refused_on_one_line(
    connection: Connection, kind: str, text: str, problem: str
) -> None:
    with pytest.raises(ArgumentError, match=f"^{re.escape(problem)}") as caught:
        names.resolve(connection, kind, text)
    assert str(caught.value).isprintable()
    assert "Hid" not in str(caught.value)


def test_candidates_are_few_and_harmless(tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "b.db"))) as store, store.write() as connection:
        found = [Track(number, "Sa\u2028me\u200f", fullness=OWN) for number in range(1, 9)]
        records.write_records(connection, found, set(), "t")
        with pytest.raises(ArgumentError, match=r"^8 tracks are called .*; 5 .*; and 3 more$") as caught:
            names.resolve(connection, "track", "sa me\u200f")
    assert str(caught.value).isprintable()


def test_names_are_found_before_their_indexes_are_built(tmp_path: Path) -> None:
    with closing(Store.open(url_of(tmp_path / "b.db"))) as store, store.write() as connection:
        indexes.drop_deferred(connection)
        records.write_records(connection, TRACKS, set(), "t")
        assert names.resolve(connection, "track", "café del mar") == 303
        assert names.resolve(connection, "track", "bjork/cafe") == 303


def test_folding_changes_the_first_character_only_in_known_blocks() -> None:
    """A sample of all characters."""
    known = {code for block in names._BLOCKS for code in block}
    others = (code for code in range(1, 0x110000, 7) if code not in known and not 0xD800 <= code < 0xE000)
    assert [code for code in others if fold(chr(code))[:1] not in {"", chr(code)}] == []
    assert fold("Straße  ŁÓDŹ “x” \u2013 ﬁ\u00a0Å") == 'strasse lodz "x" - fi a'
