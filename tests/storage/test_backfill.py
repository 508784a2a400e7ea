"""`scrapy upgrade` updates the schema of an older database, and fills null columns from ``raw``."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Comment, Fullness, Playlist, Track, User
from sgr_spiders.soundcloud.parse import parse_page
from sgr_spiders.soundcloud.raw import pack, unpack
from sgr_spiders.storage import backfill as backfill_module
from sgr_spiders.storage import migrate, records, schema
from sgr_spiders.storage.backfill import Backfilled, backfill
from sgr_spiders.storage.store import Store
from tests.databases import connect, create_blank, url_of
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.model.items import Record


def write(store: Store, *found: Record) -> None:
    with store.write() as connection:
        records.write_records(connection, found, set(), "before")


def rows(store: Store, table: sa.Table) -> dict[int, dict[str, Any]]:
    (key,) = table.primary_key.columns
    with store.write() as connection:
        return {row[key.name]: dict(row) for row in connection.execute(sa.select(table)).mappings()}


def track(number: int, raw: dict[str, Any], **values: Any) -> Track:
    return Track(number, fullness=Fullness.OWN, raw=pack(raw), **values)


def test_a_null_column_takes_its_field_out_of_raw(store: Store) -> None:
    raw = {"genre": "Techno", "bpm": 120, "created_at": "2024/01/09 21:10:04 +0000", "waveform_url": "w"}
    write(store, track(1, raw, title="kept"))
    done = backfill(store)
    assert done.filled == {"tracks.genre": 1, "tracks.bpm": 1, "tracks.created_at": 1}
    found = rows(store, schema.tracks)[1]
    assert (found["genre"], found["bpm"], found["title"]) == ("Techno", 120.0, "kept")
    assert found["created_at"] == "2024-01-09T21:10:04Z"
    assert unpack(found["raw"]) == {"waveform_url": "w"}
    assert found["fetched_at"] == "before"


def test_a_field_whose_key_has_another_name_is_read_like_a_crawl_reads_it(store: Store) -> None:
    write(
        store,
        track(1, {"duration": 5000, "permalink_url": "https://x/y?utm=1", "likes_count": 3}),
        Playlist(2, fullness=Fullness.OWN, raw=pack({"type": "album"})),
        User(3, fullness=Fullness.OWN, raw=pack({"city": "Os\x00lo"})),
        Comment(4, 1, 3, raw=pack({"timestamp": "1500.5"})),
    )
    backfill(store)
    found = rows(store, schema.tracks)[1]
    assert (found["duration_ms"], found["permalink_url"]) == (5000, "https://x/y")
    assert (found["favoritings_count"], found["raw"]) == (3, None)
    assert rows(store, schema.playlists)[2]["playlist_type"] == "album"
    assert rows(store, schema.users)[3]["city"] == "Oslo"
    assert rows(store, schema.comments)[4]["timestamp_ms"] == 1500


def test_a_value_that_is_there_and_one_that_is_invalid_stay(store: Store) -> None:
    write(
        store,
        track(1, {"genre": "old"}, genre="new"),
        track(2, {"genre": 5, "playback_count": -1, "isrc": "X"}),
    )
    done = backfill(store)
    assert done.filled == {"tracks.isrc": 1}
    assert done.rejected == {"tracks.genre": 1, "tracks.playback_count": 1}
    found = rows(store, schema.tracks)
    assert (found[1]["genre"], unpack(found[1]["raw"])) == ("new", {"genre": "old"})
    assert (found[2]["genre"], found[2]["isrc"]) == (None, "X")
    assert unpack(found[2]["raw"]) == {"genre": 5, "playback_count": -1}


def test_an_unreadable_raw_is_counted_and_left(store: Store) -> None:
    write(store, Track(1, fullness=Fullness.OWN, raw=b"nonsense"), track(2, {"genre": "x"}))
    done = backfill(store)
    assert done.unreadable == {"tracks": 1}
    assert rows(store, schema.tracks)[1]["raw"] == b"nonsense"
    assert rows(store, schema.tracks)[2]["genre"] == "x"


def test_an_interrupted_backfill_resumes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill_module, "BATCH", 3)
    write(store, *(track(number, {"genre": f"g{number}"}) for number in range(1, 8)))
    fill, batches = backfill_module._Batch.fill, []

    def fill_once(batch: backfill_module._Batch, connection: sa.Connection, last: int | None) -> int | None:
        batches.append(1)
        filled = fill(batch, connection, last)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return filled

    with monkeypatch.context() as interrupted:
        interrupted.setattr(backfill_module._Batch, "fill", fill_once)
        with pytest.raises(KeyboardInterrupt):
            backfill(store)
    assert [key for key, row in rows(store, schema.tracks).items() if row["genre"]] == [1, 2, 3]
    assert backfill(store).filled == {"tracks.genre": 4}
    assert all(row["genre"] == f"g{key}" for key, row in rows(store, schema.tracks).items())
    assert backfill(store) == Backfilled()


# The command


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a database of an older version, with a field in ``raw`` that is a column today."""
    database = tmp_path / "older.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0002")
        create_blank(database)
        Store.open(url_of(database)).close()
    tracks = [(1, pack({"genre": "Techno", "isrc": 5})), (2, pack({"genre": "House"}))]
    with closing(connect(database)) as connection, connection:
        values = "VALUES (?, ?, false, 3, 'before')"
        insert = f"INSERT INTO tracks (track_id, raw, is_stub, fullness, fetched_at) {values}"
        connection.executemany(insert, tracks)
    return database


def run(database: Path, *options: str) -> Any:  # noqa: ANN401 - the result of the command
    return scrapy("upgrade", *options, HARVEST_DATABASE_URL=url_of(database))


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(connect(database)) as connection:
        return connection.execute(sql).fetchall()


def test_the_command_upgrades_and_backfills(older: Path) -> None:
    upgraded = run(older)
    assert upgraded.code == 0
    assert upgraded.err.endswith(f"INFO: Upgrading the schema from revision 0002 to {migrate.HEAD}\n")
    assert upgraded.out == f"Schema upgraded from revision 0002 to {migrate.HEAD}\n"
    assert query(older, "SELECT version_num FROM alembic_version") == [(migrate.HEAD,)]
    assert query(older, "SELECT genre FROM tracks") == [(None,), (None,)]
    filled = run(older, "--backfill")
    assert [line.split() for line in filled.out.splitlines()] == [
        ["Schema", "is", "up", "to", "date:", "revision", migrate.HEAD],
        ["2", "values", "filled", "from", "raw"],
        ["tracks.genre", "2"],
        ["1", "invalid", "value", "left", "in", "raw"],
        ["tracks.isrc", "1"],
    ]
    assert query(older, "SELECT genre, isrc FROM tracks ORDER BY track_id") == [
        ("Techno", None), ("House", None),
    ]  # fmt: skip


@pytest.mark.sqlite("the lock of the file")
def test_the_command_needs_the_lock(older: Path) -> None:
    run(older)
    with closing(Store.open(url_of(older))):
        refused = run(older, "--backfill")
    assert refused.code == 5
    assert "is locked by `" in refused.err


@pytest.mark.sqlite("a file that does not exist")
def test_the_command_creates_no_database(tmp_path: Path) -> None:
    missing = run(tmp_path / "none.db")
    assert missing.code == 2
    assert "no such file" in missing.err
    assert not list(tmp_path.glob("none*"))
    foreign = tmp_path / "foreign.db"
    with closing(connect(foreign)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    assert run(foreign).code != 0
    assert query(foreign, "SELECT name FROM sqlite_master") == [("mine",)]


# Migrations that add columns

PUBLISHER = {"isrc": "Q1", "p_line": "2020 Tidal", "explicit": True, "release_title": "Tides"}


def add_older(connection: Any, kind: str, **values: Any) -> None:  # noqa: ANN401 - of either database
    values |= {"is_stub": False, "fullness": 3, "fetched_at": "before"}
    places = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO {kind}s ({', '.join(values)}) VALUES ({places})",  # noqa: S608 - ours
        tuple(values.values()),
    )


@pytest.fixture
def before_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a database of revision 0035 with fields in ``raw`` that 0036 makes columns."""
    database = tmp_path / "before.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0035")
        create_blank(database)
        Store.open(url_of(database)).close()
    tracks: dict[int, tuple[bytes | None, tuple[int | None, ...]]] = {
        1: (pack({"permalink": "paper", "waveform_url": "w", "publisher_metadata": PUBLISHER}), (2020, 5, 1)),
        2: (b"nonsense", (2020, 5, 2)),
        3: (pack({"full_duration": "long", "policy": "SNIP"}), (2019, 2, 29)),
        4: (None, (2021, 6, 7)),
        5: (None, (2021, None, None)),
        6: (pack({"release_date": "2014-11-07"}), (2014, 11, 31)),
        7: (pack({"release_date": "2014-11-07", "updated_at": "2015/01/01 22:55:52 +0000"}), (None,) * 3),
    }
    with closing(connect(database)) as connection, connection:
        for number, (raw, (year, month, day)) in tracks.items():
            parts = {"release_year": year, "release_month": month, "release_day": day}
            plays = 5 if number == 1 else None
            add_older(connection, "track", track_id=number, raw=raw, playback_count=plays, **parts)
        badges = pack({"badges": {"verified": True, "pro": True}, "likes_count": 7, "online": False})
        add_older(connection, "user", user_id=8, raw=badges)
        add_older(connection, "playlist", playlist_id=9, raw=pack({"is_album": True, "permalink": "p"}))
    return database


@pytest.mark.parametrize("batch", [1, 1_000])
def test_a_migration_fills_its_columns(
    before_columns: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_module, "BATCH", batch)
    with closing(Store.open(url_of(before_columns))) as store:
        tracks = rows(store, schema.tracks)
        user, playlist = rows(store, schema.users)[8], rows(store, schema.playlists)[9]
    days = {number: row["release_date"] for number, row in tracks.items()}
    assert days == {
        1: "2020-05-01",
        2: "2020-05-02",
        3: None,
        4: "2021-06-07",
        5: None,
        6: "2014-11-07",
        7: "2014-11-07",
    }
    first = tracks[1]
    assert (first["permalink"], first["p_line"], first["explicit"]) == ("paper", "2020 Tidal", True)
    # Columns of earlier versions are left to `--backfill`.
    left = {"publisher_metadata": {"isrc": "Q1", "release_title": "Tides"}, "waveform_url": "w"}
    assert (first["isrc"], unpack(first["raw"])) == (None, left)
    assert tracks[2]["raw"] == b"nonsense"
    assert (tracks[3]["policy"], tracks[3]["full_duration"]) == ("SNIP", None)
    assert unpack(tracks[3]["raw"]) == {"full_duration": "long"}
    assert (tracks[7]["last_modified"], tracks[7]["raw"]) == ("2015-01-01T22:55:52Z", None)
    assert (user["verified"], user["badges"], user["likes_count"]) == (True, "pro,verified", 7)
    assert unpack(user["raw"]) == {"online": False}
    assert (playlist["is_album"], playlist["permalink"], playlist["raw"]) == (True, "p", None)
    assert {row["fetched_at"] for row in tracks.values()} == {"before"}


def test_a_migration_says_how_far_it_is(
    before_columns: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="sgr_spiders")
    monkeypatch.setattr(backfill_module, "BATCH", 2)
    # Each look at the clock is 5 s later, so that every second batch has a line.
    clock = SimpleNamespace(monotonic=count(0, 5).__next__)
    monkeypatch.setattr(backfill_module, "time", clock)
    Store.open(url_of(before_columns)).close()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"Upgrading the schema from revision 0035 to {migrate.HEAD}"
    # Of the other track, neither `raw` nor a whole day is known.
    assert lines[1:] == [
        "Filling columns of tracks: 2 of 6",
        "Filling columns of tracks: 6 of 6",
        "Filling columns of users: 1 of 1",
        "Filling columns of playlists: 1 of 1",
    ]


def test_counters_of_earlier_versions_begin_with_their_last_write(before_columns: Path) -> None:
    with closing(Store.open(url_of(before_columns))) as store:
        counted = {number: row["counted_at"] for number, row in rows(store, schema.tracks).items()}
        assert counted == {1: "before", **dict.fromkeys(range(2, 8))}
        # The counter was in ``raw`` until the migration.
        assert rows(store, schema.users)[8]["counted_at"] == "before"
        assert rows(store, schema.playlists)[9]["counted_at"] is None
        with store.write() as connection:
            records.write_records(connection, [track(1, {}, playback_count=6)], set(), "later")
        c = schema.counter_history.c
        with store.read() as connection:
            found = connection.execute(sa.select(c.record_id, c.value, c.observed_at).order_by(c.value)).all()
    assert [tuple(row) for row in found] == [(1, 5, "before"), (1, 6, "later")]


def test_a_backfill_reads_nested_fields(store: Store) -> None:
    write(store, track(1, {"publisher_metadata": PUBLISHER}), track(2, {}, isrc="own", release_year=2020))
    assert backfill(store).filled == {"tracks.isrc": 1, "tracks.p_line": 1, "tracks.explicit": 1}
    assert unpack(rows(store, schema.tracks)[1]["raw"]) == {"publisher_metadata": {"release_title": "Tides"}}


@pytest.mark.parametrize(
    "given",
    [
        {"album_title": "", "publisher_metadata": {"album_title": "T"}},
        {"album_title": "", "publisher_metadata": {"album_title": ""}},
        {"album_title": "", "publisher_metadata": {"isrc": ""}},
        {"album_title": "A", "publisher_metadata": {"album_title": "T"}},
        {"publisher_metadata": {"album_title": "", "explicit": False}},
        {"explicit": False, "publisher_metadata": {"explicit": True}},
        {"last_modified": "", "updated_at": "2015/01/01 22:55:52 +0000"},
        {"release_year": 2019, "release_month": 2, "release_day": 30, "release_date": "2019-02-28"},
        {"release_year": 205, "release_month": 2, "release_day": 3},
    ],
)
def test_a_backfill_finds_what_a_crawl_reads(store: Store, given: dict[str, Any]) -> None:
    document = {"kind": "track", "id": 1, "title": "t", "user_id": 7, **given}
    read = parse_page("track", "1", document).entries[0].record
    assert isinstance(read, Track)
    write(store, track(1, given))
    backfill(store)
    backfill(store)
    found = rows(store, schema.tracks)[1]
    names = ("album_title", "isrc", "explicit", "last_modified", "release_date")
    assert {name: found[name] for name in names} == {name: getattr(read, name) for name in names}
