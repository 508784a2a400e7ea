"""Rows that were present, and libraries that counted, at an earlier time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.storage import past, schema
from sgr_spiders.storage.ledger.frontier import walk_id
from sgr_spiders.storage.libraries import USUAL, Inclusion
from sgr_spiders.storage.store import Connection, Store
from tests.databases import url_of
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JANUARY, MARCH, MAY = (f"2026-0{month}-01T00:00:00.000000Z" for month in (1, 3, 5))
LIKES = {
    (1, 101): (JANUARY, None),
    (1, 102): (MARCH, None),
    (1, 103): (JANUARY, MARCH),
    (1, 104): (None, MAY),
    (1, 105): (JANUARY, JANUARY),
}
"""When each like was first seen, and when it was removed."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    url = url_of(tmp_path / "past.db")
    looks = dict.fromkeys((1, 2, 3, 4, 5), "whole")
    with closing(Store.open(url)) as store:
        World({(user, track, "like") for user, track in LIKES}, looks=looks).spill(store)
        with store.write() as connection:
            for (user, track), (seen, removed) in LIKES.items():
                here = schema.engagements.c.user_id == user, schema.engagements.c.track_id == track
                stamps = {"first_seen_at": seen, "removed_at": removed}
                connection.execute(sa.update(schema.engagements).where(*here).values(stamps))
            connection.execute(sa.update(schema.walks).values(created_at=JANUARY))
            for user, fetched, received in ((1, JANUARY, 3), (2, MAY, 3), (3, JANUARY, 0), (5, MAY, 3)):
                connection.execute(
                    sa.insert(schema.walk_pages).values(
                        walk_id=walk_id("user_likes", str(user)), generation=1, page=0, cursor_hash=0,
                        received=received, fetched_at=fetched,
                    )
                )  # fmt: skip
            # The pages of its first generation are pruned.
            pruned = sa.update(schema.walks).where(schema.walks.c.target == "5")
            connection.execute(pruned.values(generation=1, kept_before=3))
    with Store(url).read() as opened:
        yield opened


@pytest.mark.parametrize(
    ("moment", "present", "seen"),
    [
        (JANUARY, [104], [104]),
        (MARCH, [101, 103, 104], [101, 103, 104, 105]),
        (MAY, [101, 102, 104], [101, 102, 103, 104, 105]),
        ("2026-06", [101, 102], [101, 102, 103, 104, 105]),
    ],
)
def test_likes(connection: Connection, moment: str, present: list[int], seen: list[int]) -> None:
    assert sorted(past.read_likes_at(connection, ["like"], moment, "present").members.tolist()) == present
    assert sorted(past.read_likes_at(connection, ["like"], moment, "all").members.tolist()) == seen
    assert not len(past.read_likes_at(connection, ["repost"], moment, "all").members)


def test_libraries(connection: Connection) -> None:
    """User 1 was looked at before March, 2 after it, 3 without a like, 4 never; 5 was pruned."""

    def seen(moment: str) -> list[int] | None:
        ids = past.read_libraries_at(connection, ["like"], moment, USUAL).seen
        return None if ids is None else ids.tolist()

    assert seen(MARCH) == [1, 5]
    assert seen("2026-06") == [1, 2, 5]
    assert seen(JANUARY) is None  # no library had been asked for: all are known in the same way
    everything = Inclusion(unseen=True)
    assert past.read_libraries_at(connection, ["like"], MARCH, everything).seen is None
    assert past.read_libraries_at(connection, ["repost"], MARCH, USUAL).seen is None
