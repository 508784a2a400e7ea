"""Playlists by worth: albums and curation, weights by size, and the contribution of one owner."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import sqlalchemy as sa

from sgr_spiders.relationships import live, weighing
from sgr_spiders.relationships.inputs import DatabaseSource, RelationshipInput
from sgr_spiders.relationships.live import LiveRelationships
from sgr_spiders.relationships.processor import relate
from sgr_spiders.relationships.weighing import PairWeights
from sgr_spiders.reports.state import collect_status
from sgr_spiders.reports.status import as_json, as_text
from sgr_spiders.storage import schema
from sgr_spiders.storage.pairs import builds, writing
from tests.relationships.test_exact import incidence
from tests.relationships.test_live import at_once, begin, change
from tests.relationships.test_processor import make_config, runs
from tests.relationships.worlds import World, expected, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.relationships.inputs import Incidence
    from sgr_spiders.storage.store import Store

ARTIST, OTHER, FAN = 100, 101, 7
OWN = dict.fromkeys(range(1, 5), ARTIST)
KINDS = {
    1: ({1, 2, 3}, ARTIST, None, True),
    2: ({1, 2, 3}, FAN, None, False),
    3: ({1, 2, 5}, ARTIST, None, False),  # one by another account
    4: ({1, 2, 5}, ARTIST, "album", False),
    5: ({1, 2, 8, 9}, ARTIST, None, True),  # half of them are stubs
    6: ({1, 8, 9}, ARTIST, None, False),
    7: ({1, 8, 9}, ARTIST, "EP", True),
    8: ({8, 9}, ARTIST, "single", True),
    9: ({8, 9}, ARTIST, "compilation", False),
    10: ({1, 2, 3}, None, "album", False),  # nobody is known to have made it
    11: ({1}, ARTIST, None, True),
}
"""The tracks of playlists, their owner and type, and whether each is an album. Tracks 8 and 9 are stubs."""


def test_an_album_has_the_tracks_of_its_owner(store: Store) -> None:
    World(
        playlists={playlist: tracks for playlist, (tracks, *_) in KINDS.items()},
        artists={**OWN, 5: OTHER},
        owners={playlist: owner for playlist, (_, owner, *_) in KINDS.items() if owner is not None},
        types={playlist: kind for playlist, (*_, kind, _) in KINDS.items() if kind is not None},
    ).spill(store)
    inputs = RelationshipInput(DatabaseSource(store), make_config().relationships, None)
    playlists = inputs.playlists_by_kind
    albums = set(playlists.members.incidence.ids[playlists.is_album].tolist())
    assert albums == {playlist for playlist, (*_, is_album) in KINDS.items() if is_album}
    assert playlists.counts == {"albums": 5, "curated": 6}


def world() -> World:
    """Return a world with an album, two playlists of one fan, and one each of two others."""
    return World(
        playlists={1: {1, 2, 3}, 2: {1, 2}, 3: {1, 2, 3, 4}, 4: {1, 2, 4}, 5: {3, 4}},
        artists=OWN,
        owners={1: ARTIST, 2: FAN, 3: FAN, 4: 8, 5: 9},
    )


@pytest.mark.parametrize(
    ("worth", "pairs"),
    [
        ({}, {(1, 2): (4, 1.0), (1, 3): (2, 2 / sqrt(4 * 3)), (3, 4): (2, 2 / sqrt(3 * 3))}),
        ({"playlists": "albums"}, {}),
        ({"playlists": "curated"}, {(1, 2): (3, 1.0), (1, 4): (2, 2 / 3), (3, 4): (2, 2 / sqrt(6))}),
        (
            # 1/2 of the album, 1 and 1/3 of the fan, 1/2 of another, 1 of a third.
            {"weighting": "size"},
            {
                (1, 2): (4, 1.0),
                (1, 3): (2, (1 / 2 + 1 / 3) / sqrt((1 / 2 + 1 + 1 / 3 + 1 / 2) * (1 / 2 + 1 / 3 + 1))),
                (3, 4): (2, (1 / 3 + 1) / sqrt((1 / 2 + 1 / 3 + 1) * (1 / 3 + 1 / 2 + 1))),
            },
        ),
        (
            # Of the fan's two playlists, one counts for tracks 1 and 2.
            {"max_contribution": 1},
            {(1, 2): (4, 1.0), (1, 3): (2, 2 / sqrt(3 * 3)), (3, 4): (2, 2 / sqrt(3 * 3))},
        ),
        (
            {"max_contribution": 1, "weighting": "size"},
            {(1, 3): (2, (1 / 2 + 1 / 3) / sqrt((1 / 2 + 1 + 1 / 2) * (1 / 2 + 1 / 3 + 1)))},
        ),
    ],
)  # fmt: skip
def test_weights_by_hand(
    store: Store, worth: dict[str, object], pairs: dict[tuple[int, int], tuple[int, float]]
) -> None:
    world().spill(store)
    config = make_config(track_cooccurrence=worth)
    relate(store, config)
    found = stored(store)["track_relationships"]
    assert found == expected(world(), config.relationships)["track_relationships"]
    for pair, (count, weight) in pairs.items():
        assert found[pair][0] == count
        assert found[pair][1] == pytest.approx(weight)
    if not pairs:
        assert found == {}


def test_a_limit_counts_for_the_minimum(store: Store) -> None:
    """One account with many playlists of the same two tracks is one vote."""
    spam = World(playlists={number: {1, 2} for number in range(1, 21)}, owners=dict.fromkeys(range(1, 21), 7))
    spam.playlists[30] = spam.playlists[31] = {3, 4}
    spam.owners |= {30: 8, 31: 9}
    spam.playlists[40] = spam.playlists[41] = {5, 6}  # by unknown owners, who may be two
    spam.spill(store)
    others = {(3, 4), (5, 6)}
    for most, kept in ((None, {(1, 2), *others}), (1, others), (2, {(1, 2), *others})):
        relate(store, make_config(track_cooccurrence={"max_contribution": most}))
        assert set(stored(store)["track_relationships"]) == kept
    assert stored(store)["track_relationships"][1, 2][:2] == (20, 1.0), "all playlists are counted"


def test_pairs_that_do_not_count_do_not_limit_the_table(store: Store) -> None:
    playlists = {number: set(range(60)) for number in (1, 2, 3)}
    World(playlists=playlists, owners=dict.fromkeys(playlists, 7)).spill(store)
    section = {"max_contribution": 1, "min_cooccurrences": 2}
    (related,) = relate(
        store, make_config(max_pairs=1000, track_cooccurrence=section), only=["track_cooccurrence"]
    )
    assert (related.error, related.rows, related.limited) == (None, 0, None)


@pytest.mark.parametrize(
    ("worth", "table", "change"),
    [
        ({"playlists": "curated"}, schema.tracks, {"artist_id": OTHER}),
        ({"playlists": "curated"}, schema.playlists, {"owner_id": OTHER}),
        ({"max_contribution": 1}, schema.playlists, {"owner_id": OTHER}),
    ],
)
def test_another_artist_or_owner_rebuilds_the_table(
    store: Store, worth: dict[str, object], table: sa.Table, change: dict[str, int]
) -> None:
    """Who made what is an input, too, even if no playlist has changed."""
    World(
        playlists={1: {1, 2}, 2: {1, 2}, 3: {1, 2}},
        artists={1: ARTIST, 2: ARTIST, 9: OTHER},
        owners=dict.fromkeys((1, 2, 3), ARTIST),
    ).spill(store)
    config = make_config(track_cooccurrence=worth, user_similarity={"enabled": False})
    relate(store, config)
    (built, _fans) = relate(store, config)
    assert built.seconds == {}, "up to date"
    with store.write() as connection:
        record = next(iter(table.primary_key.columns))
        connection.execute(sa.update(table).where(record <= 2).values(**change))
        builds.renew_stamp(connection, "track_cooccurrence", "another")
    (built, _fans) = relate(store, config)
    assert built.seconds, "rebuilt"


@pytest.mark.parametrize(("weighting", "kept"), [("count", (1, 3)), ("size", (1, 2))])
@pytest.mark.parametrize("limit", ["top_k", "max_pairs"])
def test_limits_of_the_table_rank_by_the_weight(
    store: Store, limit: str, weighting: str, kept: tuple[int, int]
) -> None:
    """Track 1 shares more playlists with track 3 than with track 2, but larger ones."""
    playlists = {1: {1, 2}, 2: {1, 2}, 3: {2}, 4: {2}} | {
        n: {1, 3, *range(10 * n, 10 * n + 9)} for n in range(5, 8)
    }
    World(playlists=playlists).spill(store)
    section = {"weighting": weighting, "top_k": 1 if limit == "top_k" else None}
    relate(store, make_config(track_cooccurrence=section, max_pairs=1 if limit == "max_pairs" else 99))
    assert kept in stored(store)["track_relationships"]


@pytest.mark.parametrize("worth", [{"weighting": "size"}, {"max_contribution": 1}, {"playlists": "curated"}])
def test_updates_follow_sizes_and_owners(store: Store, worth: dict[str, object]) -> None:
    """The value of a playlist may change while no track is in another playlist than before."""
    config = make_config(track_cooccurrence=worth)
    before = World(
        playlists={1: {1, 2}, 2: {1, 2}, 3: {1, 2, 3}, 4: {1, 2, 3}, 5: {1, 2, 5}},
        artists={1: 11, 2: 11},
        owners={1: 10, 2: 11, 3: 12, 4: 12, 5: 9},
    )
    after = replace(
        before,
        playlists=before.playlists | {1: {1, 2, 4}},
        owners=before.owners | {4: 11},
        artists={1: 11, 2: 12},
    )
    begin(store)
    relationships = LiveRelationships(store, config, at_once)
    with mock.patch.object(live, "MOST_WORK", 1.0):
        change(store, before)
        relationships.update(None, lambda: False)
        change(store, after)
        with mock.patch.object(writing, "swap") as swap:
            relationships.update(None, lambda: False)
    wanted = expected(after, config.relationships)["track_relationships"]
    assert stored(store)["track_relationships"] == wanted
    assert not swap.called, "the whole table was built"


def test_numba_and_numpy_weigh_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    sets = [np.unique(rng.integers(0, 200, rng.integers(1, 90))) for _ in range(120)]
    nodes = incidence(sets, 200)
    owners = rng.integers(0, 30, 200)
    values = 1 / rng.integers(1, 50, 200)
    pairs = rng.integers(0, 120, (2, 4_000))
    assert [column.tolist() for column in PairWeights(nodes, values, 1).of(*pairs[:, :0])] == [[], []]
    for most in (None, 1, 3):
        weights = PairWeights(nodes_with(nodes, owners), values, most)
        found = []
        for least, entries in ((0, 1 << 22), (2**62, 1 << 22), (2**62, 500)):
            monkeypatch.setattr(weighing, "MIN_COMPILED_WORK", least)
            monkeypatch.setattr(weighing, "ENTRIES", entries)
            found.append([column.tolist() for column in weights.of(*pairs)])
        assert found[0] == found[1] == found[2]


def nodes_with(nodes: Incidence, owners: NDArray[np.int64]) -> Incidence:
    return replace(nodes, context_owners=owners)


def test_how_many_are_albums_is_recorded_and_shown(store: Store) -> None:
    world().spill(store)
    config = make_config(track_cooccurrence={"playlists": "curated"})
    relate(store, config)
    (inputs,) = (json.loads(str(run["inputs"])) for run in runs(store) if run["type"] == "track_cooccurrence")
    assert (inputs["albums"], inputs["curated"], inputs["contexts"]) == (1, 4, 4)
    with store.read() as connection:
        status = collect_status(connection, "here", None, config)
    assert "Playlists: 4 curated, 1 albums" in as_text(status, datetime.now(UTC))
    shown = as_json(status)["relationships"]
    assert shown["track_relationships"]["playlists"] == {"curated": 4, "albums": 1}
    assert "playlists" not in shown["user_similarities"]
