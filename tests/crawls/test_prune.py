"""``scrapy prune`` and ``scrapy vacuum`` on a harvest: what they remove, and later crawls."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import Retention
from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.soundcloud.raw import dictionary_of, load_dictionary, unpack
from sgr_spiders.storage.retention import steps, users
from sgr_spiders.storage.retention.prune import plan, prune
from sgr_spiders.storage.retention.pseudonyms import FIRST, Pseudonyms, key_path
from sgr_spiders.storage.retention.rules import PERSONAL
from sgr_spiders.storage.store import Store
from sgr_spiders.storage.vacuum import vacuum
from tests.crawls import invariants
from tests.crawls.crawling import Harvester
from tests.databases import connect, copy_database, is_on_server, read_tables, stored_bytes, url_of
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sgr_spiders.storage.retention.prune import Pruned
    from sgr_spiders.storage.store import Connection

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Rule = tuple[str, "Callable[[Row], bool]", tuple[str, ...]]
"""Table, condition of its rows, and the columns that are cleared; without columns, rows are deleted."""

RECORDS = ("tracks", "users", "playlists", "comments")
OLDEST, OLD = "2019-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z"
NEW = "2999-01-01T00:00:00.000000Z"
BLOB = "'\\x00'::bytea" if is_on_server() else "x'00'"
AGED = f"""
UPDATE tracks SET fetched_at = '{OLD}' WHERE track_id % 2 = 1;
UPDATE users SET fetched_at = '{OLD}' WHERE user_id % 2 = 1;
UPDATE playlists SET description = 'about';
UPDATE playlists SET fetched_at = '{OLD}' WHERE playlist_id % 2 = 1;
UPDATE comments SET fetched_at = '{OLD}' WHERE comment_id % 2 = 1;
INSERT INTO engagements (user_id, track_id, kind, first_seen_at, removed_at, removed_reason)
    SELECT user_id, track_id, 'repost', '{OLD}',
           CASE WHEN track_id % 3 > 0 THEN '{OLD}' ELSE '{NEW}' END, 'left_list'
    FROM users, tracks WHERE (user_id + track_id) % 97 = 0 ON CONFLICT DO NOTHING;
INSERT INTO comments (comment_id, track_id, user_id, body, fetched_at, removed_at, removed_reason)
    SELECT comment_id + 1000000000000, track_id, user_id, body, '{NEW}', '{OLD}', 'owner_removed'
    FROM comments;
INSERT INTO walk_records (walk_id, kind, record_id, position, generation, removed_at)
    SELECT walk_id, 'comment', comments.comment_id, 0, -1, '{OLD}' FROM comments, walks
    WHERE endpoint = 'track_comments' AND comments.removed_at = '{OLD}';
UPDATE comments SET removed_at = '{OLD}', removed_reason = 'gone' WHERE comment_id % 3 = 0;
UPDATE playlist_tracks SET removed_at = '{OLD}', removed_reason = 'left_list' WHERE track_id % 3 = 0;
UPDATE selections SET removed_at = '{OLD}' WHERE record_id % 4 = 0 AND kind = 'track';
UPDATE tracks SET removed_at = '{OLD}', removed_reason = 'gone' WHERE track_id % 7 = 0;
UPDATE tracks SET removed_at = '{NEW}', removed_reason = 'gone' WHERE track_id % 7 = 1;
UPDATE users SET removed_at = '{OLD}', removed_reason = 'gone' WHERE user_id % 11 = 0;
UPDATE playlists SET removed_at = '{OLD}', removed_reason = 'private' WHERE playlist_id % 3 = 0;
INSERT INTO walk_pages (walk_id, generation, page, cursor_hash, received, fetched_at)
    SELECT walk_id, -1, 0, 1, 0, CASE WHEN walk_id % 2 = 1 THEN '{OLD}' ELSE '{NEW}' END
    FROM walks WHERE pages > 0;
INSERT INTO rejects (walk_id, generation, page, item, kind, reason, raw)
    SELECT walk_id, -1, 0, 0, 'track', 'odd', {BLOB} FROM walks WHERE pages > 0;
WITH numbers (value) AS (VALUES (0), (1), (2), (3), (4)) INSERT INTO runs
    (run_id, spider, layers, scope, refresh, fresh_after, started_at, finished_at, outcome, exit_code)
    SELECT value + 100, 'deep', '', 'scope' || (value % 2), false, '{OLD}', '{OLD}', '{OLD}', 'complete', 0
    FROM numbers;
INSERT INTO counter_history (kind, record_id, counter, observed_at, value)
    SELECT 'track', track_id, 'playback_count', at, playback_count + more
    FROM tracks, (SELECT '{OLDEST}' AS at, 2 AS more UNION ALL SELECT '{OLD}', 1
        UNION ALL SELECT '{NEW}', 0) AS looks
    WHERE playback_count IS NOT NULL AND (track_id % 2 = 0 OR at <> '{NEW}');
UPDATE counter_history SET value = value - 1 WHERE record_id % 2 = 1;
INSERT INTO run_scope SELECT run_id, 1, 'user_depth', 'x' FROM runs WHERE run_id >= 100;
INSERT INTO seeds (given, track_id, interval_seconds, priority, added_at, next_harvest_at, last_run_id)
    VALUES ('77', 77, 60, 0, '{OLD}', '{NEW}', 100);
"""  # noqa: S608 - ours
"""Half of all records are old, and some of everything is removed, earlier or later."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--users", "100", "--tracks", "600", "--likes-per-user", "15") as process:
        yield process


@pytest.fixture(scope="module")
def harvest(sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a harvest of all layers; tests copy it."""
    harvester = Harvester(sandbox, tmp_path_factory.mktemp("prune") / "harvest.db")
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    return harvester.database


@pytest.fixture
def harvester(sandbox: SandboxProcess, harvest: Path, tmp_path: Path) -> Harvester:
    copy = Harvester(sandbox, tmp_path / "copy.db")
    copy_database(harvest, copy.database)
    return copy


@pytest.fixture
def aged(harvester: Harvester) -> Path:
    with closing(connect(harvester.database)) as connection, connection:
        connection.executescript(AGED)
    return harvester.database


def tables_of(path: Path) -> Tables:
    return {name: sorted(rows, key=repr) for name, rows in read_tables(path).items()}


def apply(path: Path, **retention: Any) -> Pruned:
    with closing(Store.open(url_of(path))) as store:
        return prune(store, Retention(**retention))


def dry_run(path: Path, **retention: Any) -> Pruned:
    with Store(url_of(path)).read() as connection:
        return plan(connection, Retention(**retention))


def is_old(row: Row) -> bool:
    return bool(row["fetched_at"] == OLD)


def was_removed(row: Row) -> bool:
    return bool(row["removed_at"] == OLD)


def cleared(table: str, *columns: str) -> Rule:
    return table, lambda row: is_old(row) and any(row[name] is not None for name in columns), columns


def newest_of_their_scope(row: Row) -> bool:
    return row["run_id"] in {103, 104}


def is_old_run(row: Row) -> bool:
    """Return whether a row is of a run that is neither the newest of its scope nor that of a seed."""
    return row["run_id"] in {101, 102}


RULES: dict[str, list[Rule]] = {
    "raw": [*(cleared(table, "raw") for table in RECORDS)],
    "comment_texts": [cleared("comments", "body")],
    "descriptions": [cleared(table, "description") for table in ("tracks", "playlists", "users")],
    "personal_fields": [cleared("users", *PERSONAL)],
    "page_ledgers": [
        ("walk_pages", lambda row: row["generation"] == -1 and row["fetched_at"] == OLD, ()),
        ("rejects", lambda row: row["generation"] == -1 and row["walk_id"] % 2 == 1, ()),
    ],
    "counters": [("counter_history", lambda row: row["observed_at"] == OLDEST, ())],
    "runs": [("run_scope", is_old_run, ()), ("runs", is_old_run, ())],
}


def expect(before: Tables, rules: list[Rule]) -> Tables:
    after = {name: [dict(row) for row in rows] for name, rows in before.items()}
    for table, condition, columns in rules:
        if columns:
            for row in filter(condition, after[table]):
                row.update(dict.fromkeys(columns))
        else:
            after[table] = [row for row in after[table] if not condition(row)]
    return {name: sorted(rows, key=repr) for name, rows in after.items()}


def differences(before: Tables, after: Tables) -> dict[str, int]:
    """Count the rows of *before* that are not in *after* as they were, by table."""
    found = {
        name: sum((Counter(map(repr, rows)) - Counter(map(repr, after[name]))).values())
        for name, rows in before.items()
    }
    return {name: number for name, number in found.items() if number}


def size(value: object) -> int:
    if isinstance(value, bytes):
        return len(value)
    return 0 if value is None else len(str(value).encode())


def bytes_lost(before: Tables, rules: list[Rule]) -> int:
    return sum(
        size(row[column])
        for table, condition, columns in rules
        for row in filter(condition, before[table])
        for column in columns or row
    )


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_removes_exactly_what_it_says(aged: Path, name: str) -> None:
    before = tables_of(aged)
    planned = dry_run(aged, **{name: 30})
    assert tables_of(aged) == before, "a dry run changes nothing"
    assert apply(aged, **{name: 30}) == planned
    after = tables_of(aged)
    outdated = [row for row in after["walks"] if row["outdated"]]
    for row in after["walks"]:
        row["outdated"] = 0
    assert len(outdated) <= 1, "at most the seed is fetched again"
    assert {name: sorted(rows, key=repr) for name, rows in after.items()} == expect(before, RULES[name])
    (rule,) = planned.rules
    changed = differences(before, after)
    assert {table: rows for table, rows in rule.tables.items() if rows} == changed
    assert set(changed) == {table for table, _, _ in RULES[name]}
    assert (rule.rows, rule.bytes) == (sum(changed.values()), bytes_lost(before, RULES[name]))
    invariants.check_ledger(aged)
    (again,) = apply(aged, **{name: 30}).rules
    assert (again.rows, again.bytes) == (0, 0)


def test_removed_rows_are_deleted_and_removed_records_become_stubs(aged: Path) -> None:
    before = tables_of(aged)
    planned = dry_run(aged, removed_rows=30)
    assert apply(aged, removed_rows=30) == planned
    after = tables_of(aged)
    deleted: list[Rule] = [
        (table, was_removed, ()) for table in ("engagements", "playlist_tracks", "selections", "walk_records")
    ]
    gone = {row["track_id"] for row in before["tracks"] if was_removed(row)}
    unlisted = {row["record_id"] for row in before["walk_records"] if was_removed(row)}
    deleted += [
        ("comments", lambda row: was_removed(row) and row["comment_id"] in unlisted, ()),
        ("comments", was_removed, ("body", "raw")),
        ("track_mentions", lambda row: row["track_id"] in gone, ()),
        ("counter_history", lambda row: row["record_id"] in gone, ()),
    ]
    expected = expect(before, deleted)
    for table in ("tracks", "users", "playlists"):
        key, kept = f"{table[:-1]}_id", {"fetched_at", "first_seen_at", "last_seen_at"}
        for row in filter(was_removed, expected[table]):
            kept_values = {name: row[name] for name in (key, "removed_at", "removed_reason", *kept)}
            row.update(dict.fromkeys(row) | kept_values | {"is_stub": 1, "fullness": 0})
    changed = differences(before, after)
    assert {table: number for table, number in planned.rules[0].tables.items() if number} == changed
    for rows in (*expected.values(), *after.values()):
        for row in rows:
            row.pop("library", None)  # derived
    assert after == {name: sorted(rows, key=repr) for name, rows in expected.items()}
    assert {"tracks", "users", "playlists", "comments", "track_mentions"} < set(changed)


def test_several_rules_count_nothing_twice(aged: Path) -> None:
    before = tables_of(aged)
    everything = dict.fromkeys(("removed_rows", *RULES), 30)
    planned = dry_run(aged, **everything)
    apply(aged, **everything)
    after = tables_of(aged)
    assert [row for rule in dry_run(aged, **everything).rules for row in rule.tables.values() if row] == []
    for table in ("engagements", "walk_pages", "runs"):
        lost = len(before[table]) - len(after[table])
        assert sum(rule.tables.get(table, 0) for rule in planned.rules) == lost
    by_rule = {rule.rule: rule for rule in planned.rules}
    with_raw = [row for row in before["tracks"] if row["raw"] is not None and is_old(row)]
    assert by_rule["raw"].tables["tracks"] == sum(not was_removed(row) for row in with_raw)
    old_comments = [row for row in before["comments"] if is_old(row) and not was_removed(row)]
    assert by_rule["comment_texts"].tables["comments"] == len(old_comments) > 0
    alone = dry_run(aged, users="pseudonymise").rules[0]
    together = dry_run(aged, users="pseudonymise", personal_fields=0, descriptions=0, raw=0, comment_texts=0)
    assert together.rules[-1].rows == alone.rows
    assert together.rules[-1].bytes < alone.bytes


# ---- users

KEY = Pseudonyms(b"k" * 32)


@pytest.fixture
def _key() -> None:
    path = key_path()
    path.parent.mkdir(parents=True)
    path.write_text(KEY.key.hex())


def names_and_ids(before: Tables) -> tuple[set[str], set[int]]:
    named = {row[name] for row in before["users"] for name in ("username", "permalink", "full_name")}
    return {name for name in named if name and len(name) > 2}, {row["user_id"] for row in before["users"]}


def assert_nobody_is_left(path: Path, before: Tables) -> None:
    with closing(Store.open(url_of(path))) as store:
        vacuum(store)
    content = stored_bytes(path)
    names, ids = names_and_ids(before)
    assert len(names) > 50
    assert [
        name for name in names if re.search(rb"\b%b\b" % re.escape(name.encode()), content, re.IGNORECASE)
    ] == []
    printed = set(map(int, re.findall(rb"(?<![0-9a-f])\d{4,}(?![0-9a-f])", content)))
    assert printed & ids == set()
    track_ids = {row["track_id"] for row in before["tracks"]}
    for table, rows in tables_of(path).items():
        for row in rows:
            found = {name for name, value in row.items() if value in ids - track_ids}
            assert not found, (table, row)


@pytest.mark.usefixtures("_key")
def test_pseudonyms_replace_users_everywhere(harvester: Harvester) -> None:
    path = harvester.database
    before = tables_of(path)
    assert len(before["users"]) > 50
    planned = dry_run(path, users="pseudonymise")
    assert apply(path, users="pseudonymise") == planned
    invariants.check_ledger(path)
    after = tables_of(path)
    assert {row["user_id"] for row in after["users"]} == {
        KEY.of_id(row["user_id"]) for row in before["users"]
    }
    for table, column in (
        *(("engagements", "user_id"), ("tracks", "artist_id"), ("playlists", "owner_id")),
        *(("comments", "user_id"), ("track_mentions", "user_id")),
    ):
        mapped = [None if row[column] is None else KEY.of_id(row[column]) for row in before[table]]
        assert Counter(row[column] for row in after[table]) == Counter(mapped), table
    likes = {(KEY.of_id(row["user_id"]), row["track_id"], row["kind"]) for row in before["engagements"]}
    assert {(row["user_id"], row["track_id"], row["kind"]) for row in after["engagements"]} == likes
    for table in ("walks", "walk_requests", "walk_records", "walk_pages", "selections", "playlist_tracks"):
        assert len(after[table]) == len(before[table]), table
    (rule,) = planned.rules
    assert rule.tables["users"] == len(before["users"])
    assert rule.tables["engagements"] == len(before["engagements"])
    assert_nobody_is_left(path, before)
    assert apply(path, users="pseudonymise").rules[0].rows == 0
    assert_it_still_trains(path, before)


def assert_it_still_trains(path: Path, before: Tables) -> None:
    url = {"HARVEST_DATABASE_URL": url_of(path)}
    assert run_command("relate", **url).code == 0
    after = tables_of(path)
    for table, *keys in (("user_similarities", "user_id_a", "user_id_b"),):
        pairs = {frozenset(map(KEY.of_id, (row[keys[0]], row[keys[1]]))) for row in before[table]}
        assert {frozenset((row[keys[0]], row[keys[1]])) for row in after[table]} == pairs
        assert pairs
    assert len(after["artist_relationships"]) == len(before["artist_relationships"])
    assert run_command("embed", **url).code == 0
    ended = run_command("export", "--for", "ml", "--output", str(path.with_suffix(".ml")), **url)
    assert ended.code == 0, ended.err


def test_dropped_users_take_everything_along_that_refers_to_them(harvester: Harvester) -> None:
    path = harvester.database
    before = tables_of(path)
    planned = dry_run(path, users="drop")
    assert apply(path, users="drop") == planned
    invariants.check_ledger(path)
    after = tables_of(path)
    for table in ("users", "engagements", "comments", "track_mentions"):
        assert after[table] == [], table
    assert (
        {row["artist_id"] for row in after["tracks"]}
        == {row["owner_id"] for row in after["playlists"]}
        == {None}
    )
    assert {row["kind"] for row in after["walk_records"]} == {"track", "playlist"}
    for table in ("tracks", "playlists", "playlist_tracks"):
        assert len(after[table]) == len(before[table])
    (rule,) = planned.rules
    for table in ("walks", "walk_records", "walk_requests", "walk_pages", "engagements", "selections"):
        assert rule.tables[table] == len(before[table]) - len(after[table]), table
    assert_nobody_is_left(path, before)


def add_a_like(path: Path, tables: Tables) -> tuple[int, int]:
    """Add a like to a whole library, as if it was taken back since; return the IDs of user and track."""
    library = next(
        row for row in tables["walks"] if row["endpoint"] == "user_likes" and row["status"] == "done"
    )
    user_id = int(library["target"])
    liked = {row["track_id"] for row in tables["engagements"] if row["user_id"] == user_id}
    track_id = next(row["track_id"] for row in tables["tracks"] if row["track_id"] not in liked)
    with closing(connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO engagements (user_id, track_id, kind, first_seen_at, last_seen_at) "
            "VALUES (?, ?, 'like', ?, ?)",
            (user_id, track_id, OLD, OLD),
        )
    return user_id, track_id


@pytest.mark.slow
@pytest.mark.usefixtures("_key")
def test_a_harvest_of_a_pseudonymised_database_gives_the_same_people(
    harvester: Harvester, tmp_path: Path
) -> None:
    before = tables_of(harvester.database)
    apply(harvester.database, users="pseudonymise")
    first = tables_of(harvester.database)
    unliked = add_a_like(harvester.database, first)
    config = tmp_path / "config.yaml"
    config.write_text(
        "deep_harvest: {request_delay: 0}\nretention: {users: pseudonymise, raw: 0, after_runs: true}\n"
    )
    harvester.config = str(config)
    harvester.unchecked = "the statistics of the run are those before its users were replaced"
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 0, ended.log
    assert "Pruned " in ended.log
    invariants.check_ledger(harvester.database)
    after = tables_of(harvester.database)
    left = [row for row in after["engagements"] if (row["user_id"], row["track_id"]) == unliked]
    assert [(row["removed_at"] is not None, row["removed_reason"]) for row in left] == [(True, "left_list")]
    after["engagements"] = [row for row in after["engagements"] if row not in left]
    for table, columns in (
        ("users", ("user_id", "username")),
        ("engagements", ("user_id", "track_id", "kind", "first_seen_at", "removed_at")),
        ("comments", ("comment_id", "user_id", "body", "removed_at")),
        ("tracks", ("track_id", "artist_id", "title", "raw")),
        ("walks", ("walk_id", "endpoint", "target", "status", "received", "kept")),
        ("walk_records", ("walk_id", "kind", "record_id", "position", "removed_at")),
    ):
        was, now = ({tuple(row[name] for name in columns) for row in rows[table]} for rows in (first, after))
        assert now == was, table
    assert len(after["user_similarities"]) == len(before["user_similarities"]) > 0
    assert_nobody_is_left(harvester.database, before)


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(("mode", "after"), [("pseudonymise", 30), ("drop", 30)])
def test_an_interruption_leaves_a_consistent_database_and_a_rerun_completes(
    aged: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str, after: int
) -> None:
    rules = {"users": mode, "raw": 30, "removed_rows": 30}
    monkeypatch.setattr(steps, "BATCH", 300)
    monkeypatch.setattr(users, "BATCH", 20)
    whole = tmp_path / "whole.db"
    copy_database(aged, whole)
    apply(whole, **rules)
    with monkeypatch.context() as broken:
        write, calls = Store.write, []

        def interrupted(store: Store) -> AbstractContextManager[Connection]:
            calls.append(1)
            if len(calls) > after:
                raise KeyboardInterrupt
            return write(store)

        broken.setattr(Store, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            apply(aged, **rules)
    invariants.check_ledger(aged)
    apply(aged, **rules)
    invariants.check_ledger(aged)
    ended, expected = tables_of(aged), tables_of(whole)
    if mode == "drop":  # names get other pseudonyms in each run
        assert {name: len(rows) for name, rows in ended.items()} == {
            name: len(rows) for name, rows in expected.items()
        }
        return
    for found in (ended, expected):
        found.pop("pseudonym_key")
    assert ended == expected


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("mode", ["pseudonymise", "drop"])
def test_every_transaction_leaves_a_consistent_ledger(
    aged: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(steps, "BATCH", 300)
    monkeypatch.setattr(users, "BATCH", 20)
    write, transactions = Store.write, []

    @contextmanager
    def checked(store: Store) -> Iterator[Connection]:
        with write(store) as connection:
            yield connection
        invariants.check_ledger(aged)
        transactions.append(1)

    monkeypatch.setattr(Store, "write", checked)
    apply(aged, users=mode, **dict.fromkeys(("removed_rows", *RULES), 30))
    assert len(transactions) > 50


def test_pending_walks_keep_their_users(harvester: Harvester) -> None:
    with closing(connect(harvester.database)) as connection, connection:
        connection.execute(
            "UPDATE walks SET status = 'planned', finished_at = NULL, reason = NULL "
            "WHERE endpoint = 'user_likes'"
        )
    before = tables_of(harvester.database)
    pruned = apply(harvester.database, users="pseudonymise")
    assert pruned.pending == sum(row["endpoint"] == "user_likes" for row in before["walks"]) > 0
    assert pruned.rules == []
    assert tables_of(harvester.database) == before


def test_the_key_is_private_and_must_not_be_lost(harvester: Harvester) -> None:
    apply(harvester.database, users="pseudonymise")
    path = key_path()
    assert path.stat().st_mode & 0o777 == 0o600
    key = path.read_text()
    assert len(bytes.fromhex(key)) == 32
    assert key.encode() not in stored_bytes(harvester.database)
    before = tables_of(harvester.database)
    path.write_text("00" * 32)
    with pytest.raises(ConfigError, match=r"not the key that made those of .+; nothing was pruned$"):
        apply(harvester.database, users="pseudonymise", raw=0)
    path.unlink()
    with pytest.raises(ConfigError, match=r"No such file or directory; nothing was pruned$"):
        apply(harvester.database, users="pseudonymise", raw=0)
    url = {"HARVEST_DATABASE_URL": url_of(harvester.database)}
    refused = run_command("forget", f"user:{before['users'][0]['user_id']}", **url)
    assert refused.code == ConfigError.exit_code
    assert refused.err.endswith("No such file or directory; nothing was forgotten\n")
    assert tables_of(harvester.database) == before
    path.write_text(key)
    assert apply(harvester.database, users="pseudonymise").rules[0].rows == 0


def test_pseudonyms_differ_by_key_and_are_no_ids_of_the_api() -> None:
    other = Pseudonyms(b"x" * 32)
    found = {KEY.of_id(number) for number in range(1, 2000)}
    assert len(found) == 1999
    assert all(FIRST <= pseudonym < 2**63 for pseudonym in found)
    assert KEY.of_id(5) != other.of_id(5)
    assert KEY.of_id(KEY.of_id(5)) == KEY.of_id(5)
    assert (
        KEY.of_name("The Plume Drift") == KEY.of_name("the-plume_drift") != other.of_name("The Plume Drift")
    )
    assert KEY.of_name(KEY.of_name("x")) == KEY.of_name("x")


# ---- commands


def test_the_command_prints_the_same_for_a_dry_run_and_vacuums_if_asked(aged: Path, tmp_path: Path) -> None:
    url = {"HARVEST_DATABASE_URL": url_of(aged)}
    config = tmp_path / "config.yaml"
    config.write_text("retention: {raw: 30, comment_texts: 30, removed_rows: 30}")
    dry = run_command("prune", "--config", str(config), "--dry-run", "--json", **url)
    real = run_command("prune", "--config", str(config), "--vacuum", "--json", **url)
    told = [json.loads(ended.out) for ended in (dry, real)]
    assert [answer.pop("dry_run") for answer in told] == [True, False]
    vacuumed = told[1].pop("vacuum")
    assert told[0] == told[1]
    assert [rule["rule"] for rule in told[0]["rules"]] == ["removed_rows", "raw", "comment_texts"]
    assert vacuumed["database"]["bytes_after"] < vacuumed["database"]["bytes_before"]
    text = run_command("prune", "--config", str(config), **url).out
    assert re.search(r"^  raw +0 +0 B$", text, re.MULTILINE)


def test_the_command_keeps_everything_by_default(harvester: Harvester) -> None:
    url = {"HARVEST_DATABASE_URL": url_of(harvester.database)}
    before = tables_of(harvester.database)
    assert "keeps everything" in run_command("prune", **url).out
    assert tables_of(harvester.database) == before


@pytest.mark.sqlite("the lock of the file")
def test_the_command_is_refused_during_a_crawl(harvester: Harvester) -> None:
    url = {"HARVEST_DATABASE_URL": url_of(harvester.database)}
    with closing(Store.open(url["HARVEST_DATABASE_URL"])):
        ended = run_command("prune", **url)
        assert ended.code == 5
        assert "nothing was pruned" in ended.err
        assert run_command("prune", "--dry-run", **url).code == 0


# ---- raw


def fields(path: Path) -> tuple[dict[str, dict[int, Any]], set[int]]:
    """Return the unpacked ``raw`` of all records, and the dictionaries that it needs."""
    found = tables_of(path)
    for row in found["raw_dictionaries"]:
        load_dictionary(row["content"])
    packed = {
        table: {row[f"{table[:-1]}_id"]: row["raw"] for row in found[table] if row["raw"] is not None}
        for table in RECORDS
    }
    used = {dictionary_of(raw) for rows in packed.values() for raw in rows.values()}
    return {table: {key: unpack(raw) for key, raw in rows.items()} for table, rows in packed.items()}, used


def test_a_crawl_after_a_vacuum_packs_with_the_dictionary(harvester: Harvester) -> None:
    before, alone = fields(harvester.database)
    assert alone == {0}
    assert run_command("vacuum", HARVEST_DATABASE_URL=url_of(harvester.database)).code == 0
    vacuumed, used = fields(harvester.database)
    assert vacuumed == before
    (dictionary_id,) = used - {0}
    apply(harvester.database, raw=0)
    assert fields(harvester.database)[0] == {table: {} for table in RECORDS}
    ended = harvester.crawl("user_depth", refresh=1)
    assert ended.code == 0, ended.log
    after, used = fields(harvester.database)
    assert len(after["tracks"]) > len(before["tracks"]) / 2
    for table, rows in after.items():
        assert rows == {key: before[table][key] for key in rows}
    assert used - {0} == {dictionary_id}
    assert harvester.value("SELECT count(*) FROM raw_dictionaries") == 1
