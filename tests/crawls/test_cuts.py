"""Reports of what layers leave out are stored, replaced on the next call, and kept if a layer fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.model.items import Entry, Fullness, Track, User
from sgr_spiders.storage import schema
from tests.crawls.test_planner import build_planner, walks_around_seed

if TYPE_CHECKING:
    import pytest

    from sgr_spiders.storage.store import Store


def cuts_of(store: Store) -> list[tuple[Any, ...]]:
    """Return step, setting, target, kept and available of all cuts."""
    columns = [schema.cuts.c[name] for name in ("step", "setting", "target", "kept", "available")]
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns[:3]))]


def test_what_a_layer_leaves_out_is_stored_and_replaced(store: Store) -> None:
    planner = build_planner("label_layer", max_labels_per_track=1)
    pages: dict[str, list[Entry]] = {"search_users": []}
    walks_around_seed(store, planner, pages=pages)
    assert cuts_of(store) == [("seed", "max_labels_per_track", "", 1, 2)]
    # A rerun with the same settings changes nothing; a larger cap leaves nothing out.
    walks_around_seed(store, build_planner("label_layer", max_labels_per_track=1), pages=pages)
    assert cuts_of(store) == [("seed", "max_labels_per_track", "", 1, 2)]
    raised = build_planner("label_layer", max_labels_per_track=2)
    raised.plan = replace(raised.plan, settings={"label_layer": "raised"})
    walks_around_seed(store, raised, pages=pages)
    assert cuts_of(store) == []


def test_a_cap_of_0_leaves_out_what_the_api_promises(store: Store) -> None:
    planner = build_planner("user_depth", max_users_per_track=0)
    walks_around_seed(store, planner, pages={})
    assert cuts_of(store) == [("seed", "max_users_per_track", "", 0, None)]
    likers = [Entry(User(number, username="x", fullness=Fullness.OWN)) for number in (5, 6)]
    planner = build_planner("user_depth", max_tracks_per_user=0, include_reposters=False)
    planner.plan = replace(planner.plan, settings={"user_depth": "others"})
    walks_around_seed(store, planner, pages={"track_favoriters": likers})
    assert cuts_of(store) == [("likers", "max_tracks_per_user", "", 0, None)]


def test_a_layer_that_fails_keeps_what_it_reported(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    planner = build_planner("artist_depth", max_artist_tracks=1)
    hits = [
        Entry(Track(n, title="X (feat. Mara Quill)", artist_id=9, fullness=Fullness.OWN)) for n in (11, 12)
    ]
    walks_around_seed(store, planner, pages={"user_tracks": [], "search_tracks": hits})
    assert cuts_of(store) == [("", "max_artist_tracks", "Mara Quill", 1, 2)]
    broken = build_planner("artist_depth", max_artist_tracks=1)
    monkeypatch.setattr(broken.layers["artist_depth"], "after_all_ended", lambda *_: 1 // 0)
    walks_around_seed(store, broken, pages={})
    assert broken.broken == {"artist_depth"}
    assert cuts_of(store) == [("", "max_artist_tracks", "Mara Quill", 1, 2)]
