"""Manifests say how the data was made, and promise nothing that is not there."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports import manifest
from sgr_spiders.exports.export import export, resolve_options
from sgr_spiders.exports.snapshot import export_snapshot
from sgr_spiders.model.items import Fullness
from sgr_spiders.model.versions import PACKAGES, package_versions
from sgr_spiders.storage import schema
from tests.exports.ledgers import ARGUMENTS, CONFIG, LAYER, add_run, add_walk, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sgr_spiders.storage.store import Connection, Store


def made(store: Store, change: Callable[[Connection], object] | None = None) -> dict[str, Any]:
    """Return what a manifest says after a complete run around two seeds and a *change*."""
    with store.write() as connection:
        add_run(connection, [101, 102])
        request(
            connection, add_walk(connection, "user_likes", "7", "done", kept=5, expected=6), 101, "likes", 9
        )
        if change is not None:
            change(connection)
    with store.read() as connection:
        return manifest.origin(connection, store.describe())


def test_a_whole_harvest_is_complete(store: Store) -> None:
    found = made(store)
    assert (found["is_complete"], found["completeness"], found["incomplete_because"]) == (
        True,
        "complete",
        [],
    )
    assert found["run"]["outcome"] == "complete"
    assert [seed["urn"] for seed in found["seeds"]] == ["soundcloud:tracks:101", "soundcloud:tracks:102"]
    assert not any("title" in seed for seed in found["seeds"])
    walks = [row for row in found["walks"] if row["endpoint"] == "user_likes"]
    assert [(row["status"], row["walks"], row["kept"], row["expected"]) for row in walks] == [
        ("done", 1, 5, 6)
    ]


def test_runs_say_how_they_were_started(store: Store) -> None:
    (run,) = made(store)["runs"]
    assert run["arguments"] == {"track_id": "101", "seeds": "seeds.txt", "config": "my.yaml"}
    assert run["version"] == "0.1.0"
    assert run["packages"] == package_versions()
    assert {"python", "numpy", "scipy", "numba", "sqlalchemy", "scrapy"} <= {"python", *PACKAGES}
    assert run["packages"]["numpy"]
    assert (run["started_at"] <= run["finished_at"], run["layers"]) == (True, [LAYER])


def test_the_whole_configuration_is_there(store: Store) -> None:
    found = made(store)
    (run,) = found["runs"]
    configuration = found["configurations"][run["config_hash"]]
    assert configuration == CONFIG.model_dump(mode="json")
    assert configuration["deep_harvest"]["user_depth"]["max_tracks_per_user"] == 500  # a default


def test_no_path_and_no_job_is_named(store: Store) -> None:
    text = json.dumps({name: value for name, value in made(store).items() if name != "database"})
    assert ARGUMENTS["seeds"].rpartition("/")[0] not in text
    assert "_job" not in text


def cap(connection: Connection) -> None:
    walk = add_walk(connection, "user_likes", "8", "capped", kept=500, capped_at=500, expected=900)
    request(connection, walk, 101, "likes", 500)


def cap_for_one_layer(connection: Connection) -> None:
    walk = add_walk(connection, "user_likes", "8", "done", kept=800, expected=900)
    request(connection, walk, 101, "likes", 500)


def cap_for_nobody(connection: Connection) -> None:
    add_walk(connection, "user_likes", "8", "capped", kept=500, capped_at=500)


def cap_for_one_and_for_all(connection: Connection) -> None:
    cap(connection)
    walk = add_walk(connection, "user_likes", "9", "done", kept=800)
    for seed in (101, 102):
        request(connection, walk, seed, "likes", 500 + seed)


def cut(connection: Connection) -> None:
    row = {"seed_id": 101, "layer": LAYER, "step": "", "setting": "max_users_per_track", "target": ""}
    connection.execute(sa.insert(schema.cuts).values(**row, kept=3, available=8, settings="x"))


def cut_a_list_of_seeds(connection: Connection) -> None:
    walk = add_walk(connection, "playlist_tracks", "9", "done", kept=30)
    row = {"run_id": 1, "given": "soundcloud:playlists:9#tracks", "walk_id": walk, "max_tracks": 20}
    connection.execute(sa.insert(schema.run_seeds).values(row))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (cap, "1 walk capped"),
        (cap_for_one_layer, "1 walk capped"),
        (cap_for_nobody, "1 walk capped"),
        (cap_for_one_and_for_all, "2 walks capped"),
        (cut, "1 choice of layers limited"),
        (cut_a_list_of_seeds, "1 list of seeds cut"),
    ],
)
def test_what_caps_cut_is_not_complete(
    store: Store, change: Callable[[Connection], object], reason: str
) -> None:
    found = made(store, change)
    assert (found["is_complete"], found["completeness"]) == (False, "complete within caps")
    assert found["incomplete_because"] == [reason]
    assert found["run"]["outcome"] == found["runs"][-1]["outcome"] == "complete within caps"
    assert '"complete"' not in json.dumps(found)


def test_caps_are_listed_by_layer(store: Store) -> None:
    (found,) = made(store, cap)["caps"]
    assert (found["layer"], found["endpoint"], found["walks"]) == (LAYER, "user_likes", 1)
    assert (found["cap"], found["kept"], found["available"]) == (500, 500, 900)
    assert "example" not in found  # that is somebody's ID


def failed(connection: Connection) -> None:
    request(connection, add_walk(connection, "user_likes", "8", "failed", reason="HTTP 500"), 101, "likes", 9)


def planned(connection: Connection) -> None:
    request(connection, add_walk(connection, "user_likes", "8", "planned"), 101, "likes", 9)


def refused(connection: Connection) -> None:
    walk = add_walk(connection, "user_likes", "8", "gone", reason="refused: HTTP 403")
    request(connection, walk, 101, "likes", 9)


def doubted(connection: Connection) -> None:
    request(connection, add_walk(connection, "user_likes", "8", "gone", doubted=True), 101, "likes", 9)


def outdated(connection: Connection) -> None:
    request(connection, add_walk(connection, "user_likes", "8", "done", outdated=True), 101, "likes", 9)


def killed(connection: Connection) -> None:
    add_run(connection, [101], outcome=None)


def lost(connection: Connection) -> None:
    gone = schema.walks.c.target == "102"
    connection.execute(sa.update(schema.walks).where(gone).values(status="gone", reason="HTTP 404"))


def add_seed(connection: Connection, given: str, endpoint: str, target: str, **more: Any) -> None:
    """Add a seed to the newest run, with the walk that looks it up."""
    run = connection.scalar(sa.select(sa.func.max(schema.runs.c.run_id)))
    walk = add_walk(connection, endpoint, target, "done", kept=more.pop("kept", 0))
    row = {"run_id": run, "given": given, "walk_id": walk, **more}
    connection.execute(sa.insert(schema.run_seeds).values(row))


def not_a_track(connection: Connection) -> None:
    add_seed(connection, "https://soundcloud.com/a/b", "resolve", "https://soundcloud.com/a/b")


def without_tracks(connection: Connection) -> None:
    add_seed(connection, "soundcloud:users:7#tracks", "user_tracks", "7", max_tracks=20)


def rejected(connection: Connection) -> None:
    walk = add_walk(connection, "user_likes", "8", "done", kept=5, generation=1)
    request(connection, walk, 101, "likes", 9)
    what = [(1, None, "has no usable id"), (1, "title", "is a list"), (1, None, "private"), (0, None, "old")]
    rows = [
        {"generation": look, "item": item, "field": field, "reason": reason}
        for item, (look, field, reason) in enumerate(what)
    ]
    place = {"walk_id": walk, "page": 0, "kind": "track"}
    connection.execute(sa.insert(schema.rejects), [{**place, **row} for row in rows])


def partial(connection: Connection) -> None:
    add_run(connection, [101], outcome="partial")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (failed, "1 walk failed"),
        (planned, "1 walk unfinished"),
        (refused, "1 walk refused by the API"),
        (doubted, "1 walk in doubt"),
        (outdated, "1 walk cleared by retention"),
        (killed, "1 harvest not finished"),
        (lost, "1 seed gone, private or failed"),
        (not_a_track, "1 seed gone, private or failed"),
        (without_tracks, "1 seed gone, private or failed"),
        (rejected, "1 invalid record rejected"),
        (partial, "1 harvest ended partial"),
    ],
)
def test_what_was_lost_is_incomplete(
    store: Store, change: Callable[[Connection], object], reason: str
) -> None:
    found = made(store, change)
    assert (found["is_complete"], found["completeness"]) == (False, "incomplete")
    assert found["incomplete_because"] == [reason]


def test_a_walk_that_nobody_wants_any_more_says_nothing(store: Store) -> None:
    def drop(connection: Connection) -> None:
        walk = add_walk(connection, "user_likes", "8", "failed")
        request(connection, walk, 101, "likes", 9, removed_at="2026-01-02T00:00:00.000000Z")

    assert made(store, drop)["is_complete"]


def test_a_list_whose_tracks_were_seeds_already_is_no_loss(store: Store) -> None:
    def add_list(connection: Connection) -> None:
        add_seed(connection, "soundcloud:users:7#tracks", "user_tracks", "7", kept=2, max_tracks=20)

    found = made(store, add_list)
    assert (found["is_complete"], len(found["seeds"])) == (True, 2)


def test_a_track_given_twice_is_one_seed(store: Store) -> None:
    def give_again(connection: Connection) -> None:
        add_seed(connection, "https://soundcloud.com/a/b", "resolve", "a/b", kept=1, track_id=101)

    seeds = made(store, give_again)["seeds"]
    assert [seed["urn"] for seed in seeds] == ["soundcloud:tracks:101", "soundcloud:tracks:102"]


def test_an_earlier_run_was_cut_by_what_the_ledger_says(store: Store) -> None:
    def cut_and_run(connection: Connection) -> None:
        cap(connection)
        add_run(connection, [101])

    outcomes = [run["outcome"] for run in made(store, cut_and_run)["runs"]]
    assert outcomes == ["complete within caps", "complete within caps"]


def test_an_earlier_run_is_judged_by_its_own_statistics(store: Store) -> None:
    def again(connection: Connection) -> None:
        add_run(connection, [101], stats={"sgr/layer/user_depth/capped_by/max_tracks_per_user": 4})
        add_run(connection, [101])

    outcomes = [run["outcome"] for run in made(store, again)["runs"]]
    assert outcomes == ["complete", "complete within caps", "complete"]


def test_without_runs_nothing_is_complete(store: Store) -> None:
    with store.read() as connection:
        found = manifest.origin(connection, "x")
    assert (found["is_complete"], found["incomplete_because"]) == (False, ["no run is recorded"])
    assert found["run"] is None


def test_an_earlier_time_has_no_provenance_of_today(store: Store, tmp_path: Path) -> None:
    made(store)
    with store.write() as connection:
        connection.execute(sa.update(schema.runs).values(started_at="2026-01-01T00:00:00.000000Z"))
        add_run(connection, [101])
    options = resolve_options("tables", (), Choice(), with_raw=False, as_of="2026-01-02T00:00:00.000000Z")
    export(store, tmp_path / "out", options)
    found = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [run["run_id"] for run in found["runs"]] == [found["run"]["run_id"]] == [1]
    assert (found["is_complete"], found["completeness"]) == (False, None)
    assert found["incomplete_because"] == ["the ledger is that of today"]


def test_removed_records_are_not_covered(store: Store) -> None:
    def remove(connection: Connection) -> None:
        known: dict[str, Any] = {"is_stub": False, "fullness": Fullness.OWN, "fetched_at": "x"}
        rows: list[dict[str, Any]] = [{"user_id": 7, "removed_at": None}, {"user_id": 8, "removed_at": "x"}]
        connection.execute(sa.insert(schema.users), [row | known for row in rows])

    assert sum(made(store, remove)["coverage"]["user"].values()) == 1


def test_every_export_says_it(store: Store, tmp_path: Path) -> None:
    made(store, cap)
    found: dict[str, Any] = {}
    for purpose in ("tables", "graphs"):
        export(store, tmp_path / purpose, resolve_options(purpose, (), Choice(), with_raw=False))
        found = json.loads((tmp_path / purpose / "manifest.json").read_text())
        assert found["completeness"] == "complete within caps"
        assert found["coverage"].keys() <= {"user", "track", "playlist"}
        assert found["packages"] == package_versions()
    export_snapshot(store, tmp_path / "out.db")
    with closing(sqlite3.connect(tmp_path / "out.db")) as connection:
        rows = dict(connection.execute("SELECT name, content FROM provenance").fetchall())
    assert json.loads(rows["completeness"]) == "complete within caps"
    assert json.loads(rows["caps"]) == found["caps"]
    assert json.loads(rows["database"]) == store.name
