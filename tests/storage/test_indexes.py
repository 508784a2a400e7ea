"""Indexes for readers are dropped while a table is empty, and built after the first finished harvest."""

from __future__ import annotations

from pathlib import Path

from sgr_spiders.model.items import Engagement
from sgr_spiders.storage import indexes, records
from sgr_spiders.storage.store import Store
from tests.databases import url_of


def names(store: Store) -> set[str | None]:
    with store.write() as connection:
        return {index.name for index in indexes.missing(connection)}


def test_empty_tables_lose_their_indexes_and_filled_ones_keep_them(tmp_path: Path) -> None:
    store = Store.open(url_of(tmp_path / "a.db"))
    assert names(store) == set()
    with store.write() as connection:
        records.write_records(connection, [Engagement(1, 2, "like")], set(), "now")
        indexes.drop_deferred(connection)
    assert names(store) == {
        "ix_playlist_tracks_track_id",
        "ix_playlists_permalink_url",
        "ix_playlists_title",
        "ix_selections_layer",
        "ix_selections_record_id_kind",
        "ix_walk_records_record_id_kind",
        "ix_walk_requests_layer",
    }
    with store.write() as connection:
        indexes.drop_deferred(connection)
        for index in indexes.missing(connection):
            index.create(connection)
    assert names(store) == set()
    store.close()
