"""The planner between layers and ledger, with a real database but without a crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import pytest
import sqlalchemy as sa

from sgr_spiders.config.arguments import read_seed
from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.crawl.judging import Stop, judge_run
from sgr_spiders.crawl.opening import KINDS
from sgr_spiders.crawl.planner import Plan, Planner
from sgr_spiders.layers import build
from sgr_spiders.layers.label_layer import LabelLayer
from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.model.items import Entry, Fullness, Page, Track, User, Walk
from sgr_spiders.model.outcome import Outcome
from sgr_spiders.soundcloud.raw import pack
from sgr_spiders.storage.ledger import workers
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.storage.schema import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.layers.base import LayerView, Seed, Wanted
    from sgr_spiders.model.items import MainRecord
    from sgr_spiders.storage.store import Store

SEED = Track(
    7,
    title="Paper Tides",
    artist_id=1,
    label_name="Night Works",
    raw=pack({"publisher_metadata": {"p_line_for_display": "2019 Tidal Press"}}),
    fullness=Fullness.OWN,
)
ARTIST = User(1, username="Mara Quill", fullness=Fullness.OWN)


def build_planner(layer: str, seeds: tuple[str, ...] = ("7",), **section: Any) -> Planner:
    """Build a planner of one layer with these settings in its configuration section."""
    config = HarvestConfig.model_validate({"deep_harvest": {layer: section}})
    plan = Plan("deep_harvest", tuple(map(read_seed, seeds)), {layer: "settings"}, 7, refresh=False)
    return Planner(plan, build((layer,), config), KINDS)


def begin(connection: sa.Connection, planner: Planner) -> None:
    """Start a run of its own; on a server it would join an earlier one whose worker is still at work."""
    workers.bury_dead(connection, planner.plan.lease_seconds)
    planner.start(connection)


def spill(ledger: Ledger, planner: Planner, page: Page) -> None:
    page.received = len(page.entries)
    spilled = spill_page(ledger.connection, page, ledger.run)
    assert spilled is not None
    planner.page_spilled(ledger, page, ended=spilled.walk is None)


def walks_around_seed(store: Store, planner: Planner, *, pages: dict[str, list[Entry]]) -> list[Walk]:
    """Spill the seed, then one page of each walk whose endpoint is in *pages*; return the other walks."""
    others = []
    with store.write() as connection:
        begin(connection, planner)
        ledger = planner.ledger(connection)
        pages = {"track": [Entry(SEED, inside=[ARTIST])], **pages}
        while leased := ledger.lease(10):
            for walk in leased:
                if walk.endpoint in pages:
                    spill(ledger, planner, Page(walk, pages[walk.endpoint]))
                else:
                    others.append(walk)
    return others


def judge(store: Store, planner: Planner) -> Outcome:
    """Judge a run that Scrapy ended without an error."""
    with store.read() as connection:
        return judge_run(connection, planner, Stop("finished", None, 0))[0]


@pytest.mark.parametrize(("cap", "libraries"), [(0, []), (1, ["5"])])
def test_a_cap_of_0_requests_no_walk(store: Store, cap: int, libraries: list[str]) -> None:
    planner = build_planner("user_depth", max_tracks_per_user=cap, include_reposters=False)
    likers = [Entry(User(5, username="five", fullness=Fullness.OWN))]
    walks = walks_around_seed(store, planner, pages={"track_favoriters": likers})
    assert [walk.target for walk in walks if walk.endpoint == "user_likes"] == libraries


def test_a_layer_sees_fields_of_the_seed_without_a_column(store: Store) -> None:
    planner = build_planner("label_layer")
    walks = walks_around_seed(store, planner, pages={})
    assert {walk.target for walk in walks} == {"Night Works", "Tidal Press"}


def test_the_order_of_seeds_does_not_matter_to_a_harvest(store: Store) -> None:
    with store.write() as connection:
        for seeds in (("7", "8"), ("8", "7"), ("7",)):
            begin(connection, build_planner("user_depth", seeds))
        first, second, third = connection.scalars(sa.select(runs.c.scope).order_by(runs.c.run_id))
    assert first == second != third


class BrokenLayer(LabelLayer):
    """A layer whose passes fail for one seed: it must not choose from what it never saw."""

    asked = 0

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        raise ZeroDivisionError

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        self.asked += 1
        return super().after_all_ended(seed, view)


def test_a_broken_layer_is_asked_no_more(store: Store) -> None:
    planner = build_planner("label_layer")
    layer = BrokenLayer(HarvestConfig().deep_harvest.label_layer)
    planner.layers = {"label_layer": layer}
    assert walks_around_seed(store, planner, pages={}) == []
    assert (planner.broken, layer.asked) == ({"label_layer"}, 0)
    assert (judge(store, planner).name, judge(store, planner).exit_code) == ("failed", 1)


def test_an_error_of_the_database_breaks_no_layer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer reads what it has found; a connection may break meanwhile."""
    error = sa.exc.OperationalError("SELECT", None, Exception("connection lost"))
    monkeypatch.setattr(Ledger, "walks_of_step", mock.Mock(side_effect=error))
    planner = build_planner("label_layer")
    with pytest.raises(StorageError, match="connection lost"):
        walks_around_seed(store, planner, pages={"search_users": []})
    assert planner.broken == set()


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        ("gone", ("partial", 3), ["seed 7", "HTTP 404"]),
        ("failed", ("partial", 3), ["1 walk failed"]),
        (None, ("complete", 0), []),
    ],
)
def test_a_run_is_judged_by_its_walks(
    store: Store, status: Literal["gone", "failed"] | None, outcome: tuple[str, int], words: list[str]
) -> None:
    planner = build_planner("label_layer", max_labels_per_track=0)
    with store.write() as connection:
        begin(connection, planner)
        ledger = planner.ledger(connection)
        (walk,) = ledger.lease(10)
        entries = [Entry(SEED, inside=[ARTIST])] if status is None else []
        spill(ledger, planner, Page(walk, entries, status=status, reason=status and "HTTP 404"))
    judged = judge(store, planner)
    assert (judged.name, judged.exit_code) == outcome
    assert all(word in str(judged.reason) for word in words), judged.reason
    assert (judged.reason is None) is (status is None)


def test_records_are_looked_up_once_it_is_committed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[int] = []
    monkeypatch.setattr(Ledger, "look_up_vanished", lambda *_: looked_up.append(1))
    planner = build_planner("label_layer", max_labels_per_track=0)
    assert walks_around_seed(store, planner, pages={}) == []
    with pytest.raises(ZeroDivisionError), store.write() as connection:  # noqa: PT012 - rolls back
        planner.lease(connection, 10)
        raise ZeroDivisionError
    for committed in (1, 1):
        with store.write() as connection:
            planner.lease(connection, 10)
        planner.note_leased()
        assert len(looked_up) == 1 + committed


@pytest.mark.postgresql("a file has one worker, whose transactions are never run again")
def test_a_doubt_that_is_not_remembered_is_settled_by_fetching_again(store: Store) -> None:
    """The connection broke after the memory had changed."""
    planner = build_planner("label_layer", max_labels_per_track=0)
    with store.write() as connection:
        begin(connection, planner)
        (walk,) = planner.lease(connection, 10)
        spill(planner.ledger(connection), planner, Page(walk, [], status="gone", missing=True))
        assert planner.lease(connection, 10, doubted=[walk.walk_id]) == []
        assert [again.walk_id for again in planner.lease(connection, 10)] == [walk.walk_id]
