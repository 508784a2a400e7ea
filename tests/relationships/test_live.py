"""Updates during a crawl: after each, the tables contain exactly the pairs of the data spilled so far."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.relationships import TYPES, live
from sgr_spiders.relationships.engine import CancelledError
from sgr_spiders.relationships.live import LiveRelationships
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import schema
from sgr_spiders.storage.pairs import builds, writing
from tests.relationships.test_exact import CONFIGS, KNOWN, REUSED, WORLDS
from tests.relationships.worlds import World, expected, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.storage.pairs.builds import BuiltRelationship
    from sgr_spiders.storage.store import Store

EVERYTHING = HarvestConfig.model_validate({"relationships": {"user_cosine": {"enabled": True}}})


def at_once(function: Callable[[], None]) -> None:
    function()


def begin(store: Store) -> None:
    """Fill the database with records that nothing relates."""
    World({(node, node, "comment") for node in KNOWN}).spill(store)


def change(store: Store, world: World) -> None:
    """Replace all inputs by those of *world*, as pages would; its records exist already."""
    lists = world.lists()
    with store.write() as connection:
        for table in reversed(lists):
            connection.execute(sa.delete(table))
        for table, rows in lists.items():
            if rows:
                connection.execute(sa.insert(table), rows)
        connection.execute(sa.update(schema.tracks).values(artist_id=None))
        for track, artist in world.artists.items():
            one = schema.tracks.c.track_id == track
            connection.execute(sa.update(schema.tracks).where(one).values(artist_id=artist))


def latest(store: Store, name: str) -> BuiltRelationship:
    with store.read() as connection:
        built = builds.latest(connection, name)
    assert built is not None
    return built


@REUSED
@given(st.lists(WORLDS, min_size=2, max_size=4), CONFIGS)
def test_each_update_equals_a_build_of_everything(
    store: Store, worlds: list[World], config: HarvestConfig
) -> None:
    begin(store)
    relationships = LiveRelationships(store, config, at_once)
    with mock.patch.object(live, "MOST_WORK", 1.0):
        for number, world in enumerate(worlds):
            change(store, world)
            with mock.patch.object(writing, "swap", wraps=writing.swap) as swap:
                relationships.update(None, lambda: False)
            assert number == 0 or not swap.called
            assert stored(store) == expected(world, config.relationships)
            for name, relationship in TYPES.items():
                assert latest(store, name).rows == len(stored(store)[relationship.table.name])
    before = stored(store, with_significance=True)
    untested = config.relationships.model_copy(update={"significance": "none"})
    updated = relate(store, config.model_copy(update={"relationships": untested}))
    assert not any(related.seconds for related in updated), "the tables are not up to date"
    assert stored(store, with_significance=True) == before
    assert all(row[-5:-1] == (None,) * 4 for rows in before.values() for row in rows.values())


def crowd_with(user: int, *tracks: int) -> World:
    """Return a world of users with the same library, and a *user* who likes *tracks*."""
    return World({(node, track, "like") for node in KNOWN[:8] for track in KNOWN[:6]}
                 | {(user, track, "like") for track in tracks})  # fmt: skip


def test_only_changed_rows_are_written(store: Store) -> None:
    begin(store)
    relationships = LiveRelationships(store, EVERYTHING, at_once)
    change(store, crowd_with(KNOWN[9], *KNOWN[:3]))
    relationships.update(None, lambda: False)
    change(store, crowd_with(KNOWN[9], *KNOWN[:4]))
    statements: list[tuple[str, int]] = []

    def note(_c: object, _cursor: object, text: str, values: object, _x: object, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        if "user_similarities" in text and not text.startswith("SELECT"):
            statements.append((text.split(maxsplit=1)[0], len(values) if many else 1))  # type: ignore[arg-type]

    sa.event.listen(store.engine, "before_cursor_execute", note)
    relationships.update(None, lambda: False)
    sa.event.remove(store.engine, "before_cursor_execute", note)
    assert statements == [("DELETE", 8), ("INSERT", 8)], "28 pairs of other users are unchanged"


@pytest.mark.parametrize(
    "relationships",
    [{"user_similarity": {"top_k": 1}}, {"max_pairs": 5}, {"scope": "all", "user_sample": 0.5}],
)
def test_limits_and_samples_give_the_tables_of_a_build(
    store: Store, relationships: dict[str, object]
) -> None:
    config = HarvestConfig.model_validate({"relationships": relationships})
    begin(store)
    change(store, crowd_with(KNOWN[9], *KNOWN[:3]))
    updated = LiveRelationships(store, config, at_once)
    updated.update(None, lambda: False)
    change(store, crowd_with(KNOWN[9], *KNOWN[2:7]))
    updated.update(None, lambda: False)
    before = stored(store)
    with store.write() as connection:
        connection.execute(sa.delete(schema.relationship_runs))
    relate(store, config)
    assert stored(store) == before


def test_a_failed_write_is_retried_by_the_next_update(store: Store) -> None:
    begin(store)
    world = crowd_with(KNOWN[9], *KNOWN[:3])
    change(store, world)

    def fail(_function: Callable[[], None]) -> None:
        raise StorageError("locked")

    relationships = LiveRelationships(store, EVERYTHING, fail)
    relationships.update(None, lambda: False)
    assert not any(stored(store).values())
    relationships = LiveRelationships(store, EVERYTHING, at_once)
    relationships.update(None, lambda: False)
    world = crowd_with(KNOWN[9], *KNOWN[:5])
    change(store, world)
    with mock.patch.object(relationships, "_publish", fail):
        relationships.update(None, lambda: False)
    relationships.update(None, lambda: False)
    assert stored(store) == expected(world, EVERYTHING.relationships)


def test_it_is_cancelled_between_two_blocks(store: Store) -> None:
    begin(store)
    relationships = LiveRelationships(store, EVERYTHING, at_once)
    change(store, crowd_with(KNOWN[9], *KNOWN[:3]))
    relationships.update(None, lambda: False)
    before = stored(store)
    change(store, crowd_with(KNOWN[9], *KNOWN[:4]))
    with pytest.raises(CancelledError):
        relationships.update(None, lambda: True)
    assert stored(store) == before
