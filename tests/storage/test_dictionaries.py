"""The dictionaries of a database: trained, used for all records, replaced, and safe at any interruption."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.items import Comment, Fullness, Playlist, Track, User
from sgr_spiders.soundcloud import raw
from sgr_spiders.soundcloud.raw import dictionary_of, pack, packing_with, unpack
from sgr_spiders.storage import dictionaries, records, schema
from sgr_spiders.storage.backfill import backfill
from sgr_spiders.storage.dictionaries import repack
from sgr_spiders.storage.store import Store
from sgr_spiders.storage.vacuum import vacuum
from tests.databases import connect
from tests.scrapy_process import run_command
from tests.soundcloud.test_raw_dictionary import track as fields_of_track

if TYPE_CHECKING:
    from pathlib import Path

Raw = dict[tuple[str, int], bytes | None]


def fill(store: Store, first: int = 0, count: int = 300) -> None:
    """Write tracks, users, playlists and comments with ``raw``, some of them without."""
    found: list[Any] = []
    for number in range(first, first + count):
        own = fields_of_track(number % 300) | {"number": number}
        found += [
            Track(number, artist_id=number, fullness=Fullness.OWN, raw=pack(own), title="kept"),
            User(number, fullness=Fullness.OWN, raw=pack({"likes_count": number, "subscriptions": []})),
            Comment(number, number, number, raw=pack({"self": {"urn": f"comments:{number}"}})),
        ]
    found.append(Playlist(first, fullness=Fullness.OWN, raw=pack({"type": "set"})))
    found.append(Playlist(first + 1, fullness=Fullness.OWN))
    with store.write() as connection:
        records.write_records(connection, found, set(), "2026-01-01T00:00:00Z")


def packed(store: Store) -> Raw:
    with store.read() as connection:
        dictionaries.load(connection)
        return {
            (kind, row[0]): row[1]
            for kind, table in schema.RECORD_TABLES.items()
            for row in connection.execute(sa.select(*table.primary_key.columns, table.c.raw))
        }


def unpacked(found: Raw) -> dict[tuple[str, int], Any]:
    return {key: None if value is None else unpack(value) for key, value in found.items()}


def dictionary_ids(store: Store) -> list[int]:
    with store.read() as connection:
        return sorted(connection.scalars(sa.select(schema.raw_dictionaries.c.dictionary_id)))


def test_all_records_keep_their_fields_and_take_less_space(store: Store) -> None:
    fill(store)
    before = packed(store)
    done = repack(store)
    after = packed(store)
    assert unpacked(after) == unpacked(before)
    assert done.bytes_before == sum(len(value) for value in before.values() if value is not None)
    assert done.bytes_after == sum(len(value) for value in after.values() if value is not None)
    assert done.bytes_before > 1.5 * done.bytes_after
    assert done.records == sum(after[key] != before[key] for key in before)
    assert dictionary_ids(store) == [done.dictionary_id]
    again = repack(store)
    assert (again.records, again.bytes_after) == (0, done.bytes_after)
    assert packed(store) == after


def test_whoever_opens_a_database_can_unpack_its_records(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    before = unpacked(packed(store))
    repack(store)
    raw_of_a_track = packed(store)["track", 7]
    assert raw_of_a_track is not None
    store.close()
    monkeypatch.setattr(raw, "_dictionaries", {})
    monkeypatch.setattr(raw, "_decompressors", {0: raw._decompressors[0]})
    with pytest.raises(ValueError, match="which is not loaded"):
        unpack(raw_of_a_track)
    with closing(Store.open(url)):
        assert unpack(raw_of_a_track) == before["track", 7]


def test_a_small_database_gets_no_dictionary(store: Store) -> None:
    fill(store, count=100)
    before = packed(store)
    assert repack(store) == dictionaries.Repacked()
    assert packed(store) == before
    assert dictionary_ids(store) == []


@pytest.mark.parametrize("after", [1, 3])
def test_an_interruption_leaves_readable_records_and_a_rerun_completes(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    fill(store)
    before = packed(store)
    monkeypatch.setattr(dictionaries, "BATCH", 100)
    whole, calls = dictionaries._repack_rows, []

    def interrupted(*arguments: Any) -> None:
        calls.append(1)
        whole(*arguments)
        if len(calls) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(dictionaries, "_repack_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            repack(store)
    between = packed(store)
    assert unpacked(between) == unpacked(before)
    assert sum(between[key] != before[key] for key in before) == 100 * (after - 1)
    assert repack(store).records > 0
    assert unpacked(packed(store)) == unpacked(before)
    assert len(dictionary_ids(store)) == 1


@pytest.mark.sqlite("a server keeps dictionaries for crawls elsewhere")
def test_a_database_that_outgrew_its_dictionary_gets_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    first = repack(store).dictionary_id
    fill(store, 1_000, 900)
    before = packed(store)
    assert repack(store).dictionary_id == first
    monkeypatch.setattr(dictionaries, "OUTGROWN", 2)
    second = repack(store).dictionary_id
    assert second != first
    assert dictionary_ids(store) == [second]
    after = packed(store)
    assert unpacked(after) == unpacked(before)
    assert {dictionary_of(value) for value in after.values() if value is not None} <= {0, second}


@pytest.mark.sqlite("a server keeps dictionaries for crawls elsewhere")
def test_a_dictionary_that_no_record_needs_is_deleted(store: Store) -> None:
    fill(store)
    repack(store)
    with store.write() as connection:
        for table in schema.RECORD_TABLES.values():
            connection.execute(sa.update(table).values(raw=None))
    repack(store)
    assert dictionary_ids(store) == []


def test_a_damaged_value_is_left_alone(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(
            sa.update(schema.tracks).where(schema.tracks.c.track_id == 5).values(raw=b"damaged")
        )
    repack(store)
    assert packed(store)["track", 5] == b"damaged"


def test_a_backfill_reads_and_writes_with_the_dictionary(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(sa.update(schema.tracks).values(raw=pack({"genre": "Techno", "x" * 200: 1})))
    own_id = repack(store).dictionary_id
    assert own_id is not None
    with packing_with(own_id), store.write() as connection:
        shared = pack({"genre": "Techno", "embeddable_by": "all"})
        connection.execute(sa.update(schema.tracks).values(raw=shared))
    assert backfill(store).filled["tracks.genre"] == 300
    left = packed(store)["track", 7]
    assert left is not None
    assert unpack(left) == {"embeddable_by": "all"}
    assert dictionary_of(left) == own_id


@pytest.mark.sqlite("space in the file")
def test_a_vacuum_gives_space_back_and_keeps_the_rows(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(sa.delete(schema.comments))
        connection.execute(sa.update(schema.users).values(raw=None))
    before = packed(store)
    done = vacuum(store)
    file = store.file
    assert file is not None
    assert done.bytes_before > done.bytes_after == file.stat().st_size
    assert packed(store) == before
    with closing(connect(file)) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


@pytest.mark.sqlite("space in the file")
def test_a_vacuum_without_room_changes_nothing_and_says_what_it_needs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    assert store.file is not None
    before = store.file.read_bytes()
    real = shutil.disk_usage(store.file.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=1000))
    with pytest.raises(
        StorageError, match=r"needs .+ in .+, where (1000 B|1\.0 kB) are free; it was not vacuumed"
    ):
        vacuum(store)
    monkeypatch.undo()
    assert vacuum(store).bytes_after <= len(before) + (1 << 20)


def test_the_command_says_bytes_before_and_after(store: Store, url: str) -> None:
    fill(store)
    store.close()
    before = packed(Store(url))
    text = run_command("vacuum", HARVEST_DATABASE_URL=url).out
    assert [line.split(":")[0] for line in text.splitlines()] == ["raw", "database"]
    assert " before, " in text
    assert unpacked(packed(Store(url))) == unpacked(before)


@pytest.mark.sqlite("the lock of the file")
@pytest.mark.usefixtures("store")
def test_the_command_is_refused_during_a_crawl(url: str) -> None:
    ended = run_command("vacuum", HARVEST_DATABASE_URL=url)
    assert ended.code == 5
    assert "nothing was vacuumed" in ended.err


def test_an_export_reads_raw_with_the_dictionary(store: Store, url: str, tmp_path: Path) -> None:
    fill(store)
    repack(store)
    store.close()
    out = tmp_path / "out"
    ended = run_command(
        "export",
        *("--for", "tables", "--raw", "--format", "csv", "--output", str(out)),
        HARVEST_DATABASE_URL=url,
    )
    assert ended.code == 0, ended.err
    assert '""waveform_url""' in (out / "tracks.csv").read_text()
