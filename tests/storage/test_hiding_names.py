"""No column about people keeps a name when users are pseudonymised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.storage.personal import Content, content_of
from sgr_spiders.storage.retention.pseudonyms import Pseudonyms
from sgr_spiders.storage.retention.users import Replacement, hide_names, replace_users
from sgr_spiders.storage.schema import RECORD_TABLES, comments, playlists, tracks, users

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

NAME = "Mara Quill"
KEPT = "artwork_url"
"""The address of a picture, without a name."""


def named_columns(table: sa.Table) -> list[str]:
    """Return the columns with texts by or about people."""
    return [
        column.name
        for column in table.columns
        if content_of(table, column) is Content.TEXT and column.name != KEPT
    ]


@pytest.mark.parametrize("drops", [False, True])
def test_no_text_about_people_keeps_a_name(store: Store, drops: bool) -> None:  # noqa: FBT001 - a parameter
    owner = {users: "user_id", tracks: "artist_id", playlists: "owner_id", comments: "user_id"}
    with store.write() as connection:
        for table in (users, tracks, playlists, comments):
            (key,) = table.primary_key.columns
            values: dict[str, Any] = {"fetched_at": "before", "is_stub": False, "fullness": 3}
            values |= {key.name: 1, owner[table]: 1, "track_id": 1, "raw": NAME.encode()}
            text = NAME if table is users else f"2020 {NAME}"
            values |= dict.fromkeys(named_columns(table), text)
            values |= dict.fromkeys(
                ("created_at", "last_modified", "country", "country_code", "city"), "known"
            )
            known = {name: value for name, value in values.items() if name in table.c}
            connection.execute(sa.insert(table).values(known))
    replacement = Replacement(Pseudonyms(b"k" * 32), drops=drops)
    hide_names(store, replacement)
    replace_users(store, replacement)
    with store.read() as connection:
        for table in RECORD_TABLES.values():
            for row in connection.execute(sa.select(table)).mappings():
                named = [name for name, value in row.items() if "Quill" in str(value)]
                assert not named, table.name
        left = connection.execute(sa.select(users)).mappings().all()
        assert [[name for name, value in row.items() if value == "known"] for row in left] == [[]] * (
            not drops
        )
        for column in (tracks.c.album_title, tracks.c.release, playlists.c.release):
            assert str(connection.scalar(sa.select(column))).startswith("2020 user-")
