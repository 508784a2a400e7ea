"""Every column says what it holds, so that no new one can be forgotten in terms.md and in studies."""

from __future__ import annotations

import sqlalchemy as sa

from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import personal, schema
from sgr_spiders.storage.personal import Content, content_of, list_personal

PAIRS = [relationship.table for relationship in TYPES.values()]


def test_every_column_is_classified() -> None:
    tables = personal.list_tables(PAIRS)
    missing = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if content_of(table, column) is None
    ]
    assert not missing, f"say in sgr_spiders/storage/personal.py what they hold: {missing}"
    names = {column.name for table in tables for column in table.columns}
    places = {(table.name, column.name) for table in tables for column in table.columns}
    assert personal._NAMES.keys() - names == set()
    assert personal._ELSEWHERE.keys() - places == set()


def test_a_new_column_is_not_classified_by_chance() -> None:
    table = sa.Table(
        "news", sa.MetaData(), sa.Column("reader_note", sa.Text), sa.Column("x_id", sa.BigInteger)
    )
    assert [content_of(table, column) for column in table.columns] == [None, None]


def test_a_reference_to_an_account_is_one_whatever_it_is_called() -> None:
    reader = sa.Column("reader", sa.BigInteger, sa.ForeignKey(schema.users.c.user_id))
    table = sa.Table("readers", sa.MetaData(), reader)
    assert content_of(table, reader) is Content.ACCOUNT


def test_columns_with_ids_of_accounts_are_listed() -> None:
    listed = {(table, column) for table, column, _ in list_personal(PAIRS)}
    assert {
        ("walks", "target"),
        ("walk_records", "record_id"),
        ("walks", "walk_id"),
        ("walks", "cursor"),
        ("playlists", "owner_id"),
        ("tracks", "artist_id"),
        ("user_similarities", "user_id_a"),
        ("artist_relationships", "artist_id_b"),
        ("comments", "body"),
        ("workers", "host"),
        ("runs", "arguments"),
        ("users", "country"),
        ("users", "raw"),
    } <= listed
    for table in personal.list_tables(PAIRS):
        for column in table.columns:
            if column.references(schema.users.c.user_id):
                assert (table.name, column.name) in listed
