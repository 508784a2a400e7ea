"""A refresh says what is present and what has been removed, as the sandbox's world is."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import frictionless
import polars as pl
import pytest

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports.export import export, resolve_options
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import relate
from sgr_spiders.sandbox.generations import age, delete_users
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import Harvester
from tests.crawls.small import build_world, start_sandbox, write_config
from tests.databases import copy_database, url_of
from tests.relationships.worlds import LOOKS, Rows, expected, stored
from tests.relationships.worlds import World as RelatedWorld
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World

LAYERS = "user_depth,commentary_layer,playlist_depth,artist_depth"
EVERYTHING = 100_000
UNCAPPED = {
    "user_depth": {"max_users_per_track": EVERYTHING, "max_tracks_per_user": EVERYTHING},
    "playlist_depth": {
        "max_likers": EVERYTHING, "max_search_playlists": 6, "max_playlists": EVERYTHING,
        "max_tracks_per_playlist": EVERYTHING, "max_playlists_per_liker": EVERYTHING,
    },
    "artist_depth": {"max_artist_tracks": EVERYTHING},
    "commentary_layer": {"max_commenters": EVERYTHING},
}  # fmt: skip
ROUNDS = 4
"""Enough that a world of this size loses something of everything."""

PRESENT = {
    "tracks": "SELECT track_id FROM tracks WHERE removed_at IS NULL",
    "users": "SELECT user_id FROM users WHERE removed_at IS NULL",
    "playlists": "SELECT playlist_id FROM playlists WHERE removed_at IS NULL",
    "comments": "SELECT comment_id FROM comments WHERE removed_at IS NULL",
    "engagements": "SELECT user_id, track_id, kind FROM engagements WHERE removed_at IS NULL",
    "playlist_tracks": "SELECT playlist_id, track_id, position FROM playlist_tracks WHERE removed_at IS NULL",
    "walk_records": "SELECT walk_id, kind, record_id, position FROM walk_records WHERE removed_at IS NULL",
}


def crawl(harvester: Harvester, **arguments: Any) -> None:
    path = write_config(harvester.database.with_suffix(".yaml"), UNCAPPED)
    ended = harvester.crawl("deep_harvest", config=path, layers=LAYERS, **arguments)
    assert ended.code == 0, ended.log


def present(harvester: Harvester) -> dict[str, set[tuple[Any, ...]]]:
    return {table: set(harvester.query(sql)) for table, sql in PRESENT.items()}


class Aged:
    """A world before and after a change: a refresh and a new harvest of the changed world."""

    def __init__(self, before: Harvester, refreshed: Harvester, fresh: Harvester, world: World) -> None:
        self.before, self.refreshed, self.fresh, self.world = before, refreshed, fresh, world
        self.lookups: list[dict[str, Any]] = []


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aged]:
    folder = tmp_path_factory.mktemp("presence")
    with start_sandbox("--extra-fields") as sandbox:
        before = Harvester(sandbox, folder / "before.db")
        crawl(before)
        refreshed, fresh = Harvester(sandbox, folder / "again.db"), Harvester(sandbox, folder / "fresh.db")
        copy_database(before.database, refreshed.database)
        world = build_world()
        for _ in range(ROUNDS):
            age(world)
        users = (world.likers(world.seed_track_id) or [])[1:3]
        comments = [comment.comment_id for comment in world.comments_on(world.seed_track_id) or ()][2:5]
        delete_users(world, users)
        sandbox.mutate(rounds=ROUNDS, delete_users=users, delete_comments=comments)
        sandbox.clear_log()
        crawl(refreshed, refresh=1, accept_gone=1)
        log = sandbox.log()
        crawl(fresh)
        result = Aged(before, refreshed, fresh, world)
        result.lookups = [entry for entry in log if "urns=" in entry["query"]]
        yield result


def test_the_world_lost_something_of_everything(aged: Aged) -> None:
    removed = "SELECT count(*) FROM {} WHERE removed_at IS NOT NULL"
    for table in PRESENT:
        assert aged.refreshed.value(removed.format(table)), table
        assert not aged.before.value(removed.format(table)), table
        assert not aged.fresh.value(removed.format(table)), table


@pytest.mark.parametrize("table", ["engagements", "playlist_tracks", "comments", "walk_records"])
def test_what_is_present_after_a_refresh_is_what_a_new_harvest_finds(aged: Aged, table: str) -> None:
    refreshed, fresh = present(aged.refreshed)[table], present(aged.fresh)[table]
    assert fresh <= refreshed
    # The walks that only the first harvest wanted are refreshed as well.
    if table == "walk_records":
        ours = aged.fresh.query("SELECT walk_id FROM walks WHERE status <> 'gone'")
        assert {row for row in refreshed if (row[0],) in set(ours)} == fresh


def test_no_like_is_present_that_the_world_does_not_have(aged: Aged) -> None:
    likes = aged.refreshed.query(
        "SELECT user_id, track_id FROM engagements WHERE kind = 'like' AND removed_at IS NULL"
    )
    libraries = {user: aged.world.library(user) for user, _ in likes}
    # Nobody can know what is in a library that has been hidden.
    likes = [like for like in likes if libraries[like[0]] is not None]
    fans = {track: set(aged.world.likers(track) or ()) for _, track in likes}
    assert [
        like for like in likes if like[1] not in (libraries[like[0]] or ()) and like[0] not in fans[like[1]]
    ] == []


def test_records_that_left_lists_are_told_apart_from_those_that_are_gone(aged: Aged) -> None:
    """They are looked up together, so nothing that is stored as present is gone."""
    assert {entry["path"] for entry in aged.lookups} == {"/tracks", "/users"}
    assert max(Counter(entry["path"] for entry in aged.lookups).values()) < 10
    tracks = aged.refreshed.query("SELECT track_id, removed_reason FROM tracks WHERE NOT is_stub")
    public = {track for track, _ in tracks if aged.world.track_is_visible(track)}
    assert {track for track, reason in tracks if reason is None} == public
    assert {reason for track, reason in tracks if track not in public} == {"gone"}
    of_gone = (
        "SELECT count(*) FROM playlists JOIN users ON user_id = owner_id WHERE users.removed_reason = 'gone'"
    )
    assert aged.refreshed.value(f"{of_gone} AND playlists.removed_at IS NULL") == 0
    users = aged.refreshed.query("SELECT user_id, removed_reason FROM users WHERE NOT is_stub")
    assert {(user, aged.world.user_is_visible(user)) for user, _ in users} == {
        (user, reason is None) for user, reason in users
    }


def test_removed_rows_say_why_and_when(aged: Aged) -> None:
    began = aged.refreshed.value("SELECT max(started_at) FROM runs")
    reasons = set()
    for table in PRESENT.keys() - {"walk_records"}:
        for seen, removed, reason in aged.refreshed.query(
            f"SELECT last_seen_at, removed_at, removed_reason FROM {table} WHERE removed_at IS NOT NULL"  # noqa: S608
        ):
            assert seen < began <= removed, table
            reasons.add(reason)
    assert reasons == {"left_list", "owner_removed", "gone"}
    unstamped = "SELECT count(*) FROM {} WHERE first_seen_at IS NULL OR last_seen_at < first_seen_at"
    for table in PRESENT.keys() - {"walk_records"}:
        assert aged.refreshed.value(unstamped.format(table)) == 0, table


def test_a_playlist_has_the_order_of_its_last_whole_look(aged: Aged) -> None:
    places = "SELECT position FROM playlist_tracks WHERE removed_at IS NULL AND playlist_id = ? ORDER BY 1"
    for (playlist,) in aged.refreshed.query("SELECT playlist_id FROM playlists WHERE removed_at IS NULL"):
        positions = [row[0] for row in aged.refreshed.query(places, playlist)]
        assert len(positions) == len(set(positions)), playlist
    assert aged.refreshed.value("SELECT count(*) FROM playlist_tracks WHERE next_position IS NOT NULL") == 0


def test_what_comes_back_is_present_again(aged: Aged, tmp_path_factory: pytest.TempPathFactory) -> None:
    returned = Harvester(aged.refreshed.sandbox, tmp_path_factory.mktemp("back") / "back.db")
    copy_database(aged.refreshed.database, returned.database)
    returned.sandbox.undo_changes()
    crawl(returned, refresh=1)
    before, after = present(aged.before), present(returned)
    for table in ("engagements", "comments", "walk_records"):
        assert before[table] <= after[table], table
    first = "SELECT user_id, track_id, kind, first_seen_at FROM engagements"
    assert set(aged.before.query(first)) <= set(returned.query(first))


# What changes of a record


def test_the_fields_of_other_versions_of_the_api_are_columns(aged: Aged) -> None:
    tracks = """SELECT count(*), count(permalink), count(last_modified), count(full_duration), count(policy),
        count(monetization_model), count(original_format) FROM tracks WHERE NOT is_stub"""
    assert len(set(aged.before.query(tracks)[0])) == 1
    dated = "SELECT release_year, release_month, release_day, release_date FROM tracks WHERE NOT is_stub"
    days = aged.before.query(dated)
    assert {day for *_, day in days} > {None}
    assert all(
        day == (None if year is None else f"{year:04}-{month:02}-{date:02}")
        for year, month, date, day in days
    )
    published = "SELECT count(*) FROM tracks WHERE album_title IS NOT NULL AND contains_music AND explicit"
    assert aged.before.value(published) > 0
    assert aged.before.value("SELECT count(*) FROM users WHERE verified AND badges LIKE '%verified'") > 0
    assert aged.before.value("SELECT count(*) FROM users WHERE country_code = 'JP' AND country = 'Japan'") > 0
    playlists = "SELECT count(*), count(reposts_count), count(is_album), count(published_at) FROM playlists"
    assert len(set(aged.before.query(f"{playlists} WHERE NOT is_stub")[0])) == 1


def test_counters_that_changed_have_their_first_and_their_last_value(aged: Aged) -> None:
    counters = "SELECT track_id, counted_at, playback_count FROM tracks WHERE playback_count IS NOT NULL"
    before = {track: (plays, at) for track, at, plays in aged.before.query(counters)}
    plays_now = {track: plays for track, _, plays in aged.refreshed.query(counters)}
    run, began = aged.refreshed.query("SELECT run_id, started_at FROM runs ORDER BY run_id DESC")[0]
    history: dict[int, list[tuple[Any, ...]]] = {}
    for track, value, at, in_run in aged.refreshed.query(
        """SELECT record_id, value, observed_at, run_id FROM counter_history
        WHERE kind = 'track' AND counter = 'playback_count' ORDER BY observed_at"""
    ):
        history.setdefault(track, []).append((value, at, in_run))
    changed = {track for track in before if plays_now[track] != before[track][0]}
    assert changed
    for track in changed:
        first, last = history[track]
        assert first == (*before[track], None)
        assert last[0] == plays_now[track]
        assert last[1] >= began
        assert last[2] == run
    assert history.keys().isdisjoint(before.keys() - changed)
    assert aged.before.value("SELECT count(*) FROM counter_history") == 0


def test_changes_of_a_record_are_shown(aged: Aged) -> None:
    query = """SELECT record_id FROM counter_history WHERE kind = 'track' AND counter = 'playback_count'
        GROUP BY record_id HAVING count(*) = 2 LIMIT 1"""
    track = aged.refreshed.value(query)
    found = json.loads(changes(aged.refreshed, "track", str(track), "--json"))
    rows = "SELECT counter, count(*) FROM counter_history WHERE kind = 'track' AND record_id = ? GROUP BY 1"
    # A counter that never changed has no row, and is shown with the value that it has.
    shown = dict.fromkeys(found["counters"], 1) | dict(aged.refreshed.query(rows, track))
    assert Counter(value["counter"] for value in found["values"]) == shown
    plays = [value for value in found["values"] if value["counter"] == "playback_count"]
    assert plays[-1]["value"] == found["counters"]["playback_count"]
    assert plays[-1]["change"] == plays[-1]["value"] - plays[0]["value"]
    text = changes(aged.refreshed, "track", str(track))
    assert f"{plays[-1]['value']:,}" in text
    seed = str(aged.before.sandbox.seed_track_id)
    assert "No change known since 20" in changes(aged.before, "track", seed)
    assert "track 1 is not in this database" in changes(aged.before, "track", "1", code=2)


def changes(harvester: Harvester, *options: str, code: int = 0) -> str:
    done = scrapy("changes", *options, HARVEST_DATABASE_URL=url_of(harvester.database))
    assert done.code == code, done.err
    return done.out if code == 0 else done.err


def test_changes_are_counted_by_kind_and_reason(aged: Aged) -> None:
    found = json.loads(changes(aged.refreshed, "--json", "--limit", "1000"))
    for kind in ("track", "user", "playlist", "comment"):
        rows = f"SELECT removed_reason, count(*) FROM {kind}s WHERE removed_at IS NOT NULL GROUP BY 1"  # noqa: S608
        removed = {change: count for change, count in found["counts"][kind].items() if change != "appeared"}
        assert removed == dict(aged.refreshed.query(rows)), kind
        assert len([change for change in found["changes"] if change["kind"] == kind]) == sum(
            found["counts"][kind].values()
        )
    left = aged.refreshed.value(
        "SELECT count(*) FROM engagements WHERE kind = 'like' AND removed_reason = 'left_list'"
    )
    assert found["counts"]["like"]["left_list"] == left
    # One seed: everything that changed was found around it.
    (around,) = found["seeds"]
    assert around["track_id"] == aged.world.seed_track_id
    for kind in ("track", "user", "comment", "like"):
        assert around["counts"][kind] == found["counts"][kind], kind


def test_the_summary_of_a_refresh_counts_the_changes(aged: Aged) -> None:
    table = changes(aged.refreshed).split("\n\n")[1].splitlines()
    log = aged.refreshed.log().split("Changes since the run began\n")[1].splitlines()
    assert log[: len(table)] == table
    assert "Changes since" not in aged.fresh.log()


def test_changes_since_a_run_or_a_time(aged: Aged) -> None:
    first = json.loads(changes(aged.refreshed, "--json", "--since", "1"))
    gone = aged.refreshed.value("SELECT count(*) FROM users WHERE removed_reason = 'gone'")
    assert first["counts"]["user"]["gone"] == gone >= 2
    assert first["counts"]["track"]["appeared"] > 100
    assert changes(aged.refreshed, "--since", "2200-01-01").startswith(
        "Nothing changed since 2200-01-01 00:00"
    )
    assert "option `--since`: there is no run 77" in changes(aged.refreshed, "--since", "77", code=2)
    assert "option `--since`: must be a date or time" in changes(aged.refreshed, "--since", "soon", code=2)


def related(harvester: Harvester) -> dict[str, Rows]:
    with closing(Store.open(url_of(harvester.database))) as store:
        relate(store, HarvestConfig())
        return stored(store)


def test_relationships_after_a_refresh_are_those_of_the_changed_world(aged: Aged) -> None:
    """The tables equal brute force over the sandbox's truth: no pair is false or missing."""
    world = aged.world
    looks = dict(aged.refreshed.query(LOOKS))
    libraries = {user: world.library(user) or [] for user, state in looks.items() if state == "whole"}
    tracks = {track for library in libraries.values() for track in library}
    playlists: dict[int, set[int]] = {}
    places = "SELECT playlist_id, track_id FROM playlist_tracks WHERE removed_at IS NULL"
    for playlist, track in aged.refreshed.query(places):
        playlists.setdefault(playlist, set()).add(track)
    for playlist in playlists:
        # A refresh cannot know of a deleted playlist that only a search has found.
        if (listed := world.playlist_tracks(playlist)) is not None:
            playlists[playlist] = set(listed)
    truth = RelatedWorld(
        {(user, track, "like") for user, library in libraries.items() for track in library},
        playlists,
        {track: artist for track in tracks if (artist := world.artist_of(track)) is not None},
        looks=looks,
    )
    wanted = expected(truth, HarvestConfig().relationships)
    found, before = (related(harvester) for harvester in (aged.refreshed, aged.before))
    for table in ("user_similarities", "track_relationships", "artist_relationships"):
        assert found[table] == wanted[table], table
        assert before[table] != wanted[table], table


def keys_of(folder: Path, database: Path, **extent: Any) -> dict[str, set[tuple[Any, ...]]]:
    """Export all tables; return the keys of their rows."""
    options = resolve_options("tables", ["parquet"], Choice(), with_raw=False, **extent)
    export(Store(url_of(database)), folder, options)
    described = json.loads((folder / "datapackage.json").read_text())["resources"]
    return {
        table["path"]: set(
            pl.read_parquet(folder / table["path"]).select(table["schema"]["primaryKey"]).rows()
        )
        for table in described
        if "primaryKey" in table["schema"]
    }


def test_an_export_as_of_a_time_has_the_rows_of_then(aged: Aged, tmp_path: Path) -> None:
    between = aged.before.value("SELECT finished_at FROM runs")
    then = keys_of(tmp_path / "then", aged.before.database)
    known = keys_of(tmp_path / "known", aged.refreshed.database, as_of=between)
    assert {"tracks.parquet", "engagements.parquet", "discoveries.parquet", "walks.parquet"} <= known.keys()
    # What is stored and listed now, but was not listed then, cannot be told.
    assert then["discoveries.parquet"] <= known.pop("discoveries.parquet")
    # Relationships are built when they are asked for, here by another test; lanes are those of the last run;
    # the first values of counters have rows since these changed.
    built = {
        "lanes",
        "counter_history",
        "relationship_runs",
        *(relationship.table.name for relationship in TYPES.values()),
    }
    others = {name for name, keys in known.items() if keys != then[name]}
    assert {name.removesuffix(".parquet") for name in others} <= built
    manifest = json.loads((tmp_path / "known" / "manifest.json").read_text())
    assert manifest["rows"] == f"as of {between}"
    assert {"walk_records", "cuts"} <= set(manifest["left_out"])
    assert not {f"{name}.parquet" for name in manifest["left_out"]} & known.keys()


def test_an_export_contains_what_is_present_or_all(aged: Aged, tmp_path: Path) -> None:
    known = keys_of(tmp_path / "present", aged.refreshed.database)
    everything = keys_of(tmp_path / "all", aged.refreshed.database, include_removed=True)
    for table, columns in (("engagements", "user_id, track_id, kind"), ("comments", "comment_id")):
        rows = f"SELECT {columns} FROM {table}"  # noqa: S608 - names of the schema
        assert everything[f"{table}.parquet"] == set(aged.refreshed.query(rows))
        present_rows = set(aged.refreshed.query(f"{rows} WHERE removed_at IS NULL"))
        assert known[f"{table}.parquet"] == present_rows < everything[f"{table}.parquet"]
    for folder, rows in (("present", "present"), ("all", "present and removed")):
        assert json.loads((tmp_path / folder / "manifest.json").read_text())["rows"] == rows
        options = resolve_options(
            "tables", ["csv"], Choice(), with_raw=False, include_removed=folder == "all"
        )
        export(Store(url_of(aged.refreshed.database)), tmp_path / folder, options)
        report = frictionless.validate(str(tmp_path / folder / "datapackage.json"))
        assert report.valid, report.flatten(["name", "message"])[:5]


def test_training_data_are_of_present_likes_unless_all_are_asked_for(aged: Aged, tmp_path: Path) -> None:
    likes = "SELECT count(*) FROM engagements WHERE kind = 'like'"
    store = Store(url_of(aged.refreshed.database))
    for include_removed, sql in ((False, f"{likes} AND removed_at IS NULL"), (True, likes)):
        choice = Choice(include_unseen=True)
        options = resolve_options("ml", ["npz"], choice, with_raw=False, include_removed=include_removed)
        assert export(store, tmp_path / "ml", options).counts["interactions"] == aged.refreshed.value(sql)


def test_the_histories_say_what_is_present(aged: Aged) -> None:
    for table in PRESENT.keys() - {"walk_records"}:
        known, gone = aged.refreshed.query(
            f"SELECT sum(present), count(*) - sum(present) FROM {table}_history"  # noqa: S608
        )[0]
        assert known == len(present(aged.refreshed)[table])
        assert gone == aged.refreshed.value(f"SELECT count(*) FROM {table} WHERE removed_at IS NOT NULL")  # noqa: S608
    columns = "kind, record_id, seed_id, layer"
    now = set(aged.refreshed.query(f"SELECT {columns} FROM discoveries"))  # noqa: S608
    assert now == set(aged.refreshed.query(f"SELECT {columns} FROM discoveries_history WHERE present = 1"))  # noqa: S608
    before = set(aged.before.query(f"SELECT {columns} FROM discoveries"))  # noqa: S608
    assert before - now <= set(
        aged.refreshed.query(
            f"SELECT {columns} FROM discoveries_history WHERE removed_at IS NOT NULL"  # noqa: S608
        )
    )
    assert before - now
    assert now == set(aged.fresh.query(f"SELECT {columns} FROM discoveries"))  # noqa: S608
