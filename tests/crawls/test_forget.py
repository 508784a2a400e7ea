"""``scrapy forget`` removes a record with all that derives from it; later harvests never store it again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.soundcloud.raw import pack, unpack
from sgr_spiders.soundcloud.urns import urn
from sgr_spiders.storage.store import Store
from tests import databases
from tests.crawls import invariants
from tests.crawls.crawling import Harvester
from tests.crawls.small import settings_of, start_sandbox, write_config
from tests.databases import connect, copy_database, stored_bytes, url_of
from tests.scrapy_process import ROOT, CommandResult, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_process import SandboxProcess

Tables = dict[str, list[dict[str, Any]]]

MAY_CHANGE = {"runs", "walks", "rejects", "tombstones", "tombstone_salt", "sqlite_stat1"}
"""Tables whose rows may change: cursors and commands lose an ID, and tombstones are new."""


@dataclass(frozen=True)
class Chosen:
    """Records with as many derived rows as possible, by kind; none of them belongs to another."""

    user: int
    track: int
    playlist: int
    comment: int
    seed: int

    def of(self, name: str) -> tuple[str, int]:
        """Return kind and ID of a record."""
        return ("track" if name == "seed" else name), getattr(self, name)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def harvested(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Harvest all layers, and build all that is built from a harvest."""
    folder = tmp_path_factory.mktemp("harvested")
    config = write_config(folder / "small.yaml", settings_of())
    harvester = Harvester(shared_sandbox, folder / "harvest.db", config=str(config))
    assert harvester.crawl("deep_harvest").code == 0
    for command in (["relate"], ["embed", "--output", str(folder / "vectors")]):
        done = run(harvester.database, *command)
        assert done.code == 0, done.err
    assert run(harvester.database, "export", "--for", "graphs", "--output", str(folder / "graphs")).code == 0
    return harvester


@pytest.fixture
def copied(harvested: Harvester, sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    """Copy that harvest for a test that changes it."""
    copy_database(harvested.database, tmp_path / "harvest.db")
    return Harvester(sandbox, tmp_path / "harvest.db", config=harvested.config)


@pytest.fixture(scope="module")
def chosen(harvested: Harvester) -> Chosen:
    seed = harvested.sandbox.seed_track_id
    user = harvested.value(
        "SELECT user_id FROM engagements JOIN comments USING (user_id) JOIN user_vectors USING (user_id) "
        "WHERE user_id IN (SELECT artist_id FROM tracks) AND user_id IN (SELECT owner_id FROM playlists) "
        "GROUP BY user_id ORDER BY count(*) DESC LIMIT 1"
    )
    track = harvested.value(
        "SELECT track_id FROM engagements JOIN tracks USING (track_id) JOIN track_vectors USING (track_id) "
        "JOIN playlist_tracks USING (track_id) WHERE track_id <> ? AND artist_id <> ? AND NOT is_stub "
        "GROUP BY track_id ORDER BY count(*) DESC LIMIT 1",
        seed,
        user,
    )
    playlist = harvested.value(
        "SELECT playlist_id FROM playlist_tracks JOIN playlists USING (playlist_id) WHERE owner_id <> ? "
        "GROUP BY playlist_id ORDER BY count(*) DESC LIMIT 1",
        user,
    )
    comment = harvested.query(
        "SELECT min(comment_id) FROM comments WHERE user_id <> ? GROUP BY user_id HAVING count(*) = 1",
        user,
    )[0][0]
    return Chosen(user, track, playlist, comment, seed)


def run(database: Path, name: str, *arguments: str) -> CommandResult:
    return run_command(name, *arguments, HARVEST_DATABASE_URL=url_of(database))


def forget(database: Path, *arguments: str) -> CommandResult:
    done = run(database, "forget", *arguments)
    assert done.code == 0, done.err
    return done


def read_tables(database: Path) -> Tables:
    """Return the rows of all tables, with ``raw`` as text."""
    return {name: list(map(_readable, rows)) for name, rows in databases.read_tables(database).items()}


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("raw") is not None:
        row["raw"] = json.dumps(unpack(row["raw"]), sort_keys=True)
    return row


def mentions(tables: Tables, text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows with a value that contains *text*, with their tables."""
    return [
        (name, row)
        for name, rows in tables.items()
        for row in rows
        if any(text in str(value) for value in row.values())
    ]


def own_texts(tables: Tables, kind: str, record_id: int) -> list[str]:
    """Return the texts of a record that identify it."""
    (row,) = (row for row in tables[f"{kind}s"] if row[f"{kind}_id"] == record_id)
    names = ("permalink_url", "avatar_url", "artwork_url", "body", "username", "title", "description")
    return [row[name] for name in names if row.get(name) and len(row[name]) > 9]


@pytest.mark.parametrize("name", ["user", "track", "playlist", "comment", "seed"])
def test_a_record_goes_with_all_that_derives_from_it(copied: Harvester, chosen: Chosen, name: str) -> None:
    kind, record_id = chosen.of(name)
    before = read_tables(copied.database)
    assert mentions(before, str(record_id))
    done = json.loads(forget(copied.database, urn(kind, record_id), "--json").out)
    after = read_tables(copied.database)
    assert mentions(after, str(record_id)) == []
    content = stored_bytes(copied.database)
    assert str(record_id).encode() not in content
    texts = [text for text in own_texts(before, kind, record_id) if not mentions(after, text)]
    assert texts
    assert [text for text in texts if text.encode() in content] == []
    check_the_rest(before, after, done["removed"])
    invariants.check_ledger(copied.database)


def check_the_rest(before: Tables, after: Tables, removed: dict[str, int]) -> None:
    """Check that only rows about a removed record or walk are gone, as many as *removed*, and none is new."""
    gone = {
        name: [row for row in rows if row not in after[name]]
        for name, rows in before.items()
        if name not in MAY_CHANGE
    }
    assert {name: len(rows) for name, rows in gone.items() if rows} == {
        name: count for name, count in removed.items() if name not in MAY_CHANGE
    }
    keys = {"tracks": "track_id", "users": "user_id", "playlists": "playlist_id", "comments": "comment_id"}
    ids = {row[key] for table, key in keys.items() for row in gone[table]}
    left = {row["walk_id"] for row in after["walks"]}
    ids |= {row["walk_id"] for row in before["walks"]} - left
    comments = [(row["user_id"], row["track_id"]) for row in gone["comments"]]
    for name, rows in gone.items():
        for row in rows:
            is_author = row.get("user_id", row.get("record_id")) in dict(comments)
            assert ids.intersection(row.values()) or is_author or name == "cuts", (name, row)
    for name, rows in after.items():
        if name not in MAY_CHANGE:
            assert all(row in before[name] for row in rows), name
    changed = [row for row in after["walks"] if row not in before["walks"]]
    assert all({**row, "cursor": ""} in [{**old, "cursor": ""} for old in before["walks"]] for row in changed)


def test_what_a_user_owns_goes_too(copied: Harvester, chosen: Chosen) -> None:
    owned = copied.query("SELECT track_id FROM tracks WHERE artist_id = ?", chosen.user)
    assert owned
    assert copied.query("SELECT 1 FROM playlists WHERE owner_id = ?", chosen.user)
    assert copied.query("SELECT 1 FROM comments WHERE user_id = ?", chosen.user)
    forget(copied.database, urn("user", chosen.user))
    tables = read_tables(copied.database)
    for (track_id,) in owned:
        assert mentions(tables, str(track_id)) == []


def test_raw_of_others_loses_what_it_embeds(copied: Harvester, chosen: Chosen) -> None:
    raw = {
        "label_id": chosen.user,
        "reposted_by": [{"kind": "user", "id": chosen.user, "username": "X"}, {"kind": "user", "id": 5}],
        "station_urn": f"soundcloud:users:{chosen.user}",
        "caption": "stays",
    }
    with closing(connect(copied.database)) as connection:
        connection.execute("UPDATE tracks SET raw = ? WHERE track_id = ?", (pack(raw), chosen.track))
        connection.execute(
            "INSERT INTO rejects SELECT walk_id, 0, 0, 77, 'user', ?, 'city', 'bad city: ''X''', NULL "
            "FROM walk_pages LIMIT 1",
            (chosen.user,),
        )
        connection.commit()
    done = json.loads(forget(copied.database, urn("user", chosen.user), "--json").out)
    kept = unpack(copied.value("SELECT raw FROM tracks WHERE track_id = ?", chosen.track))
    assert kept == {"reposted_by": [{"kind": "user", "id": 5}], "caption": "stays"}
    assert done["changed"]["tracks.raw"] == 1
    assert copied.query("SELECT kind, record_id, field, reason FROM rejects WHERE item = 77") == [
        ("user", None, "city", "forgotten")
    ]


def test_a_second_harvest_does_not_bring_them_back(copied: Harvester, chosen: Chosen) -> None:
    named = [chosen.of(name) for name in ("user", "track", "playlist", "comment")]
    forget(copied.database, *(urn(*reference) for reference in named))
    ended = copied.crawl("deep_harvest", refresh=1)
    assert ended.code == 0, ended.log
    tables = read_tables(copied.database)
    for _, record_id in named:
        assert mentions(tables, str(record_id)) == []
    kinds = copied.query("SELECT DISTINCT kind FROM rejects WHERE reason = 'forgotten' ORDER BY kind")
    assert kinds == [("comment",), ("playlist",), ("track",), ("user",)]
    assert copied.value("SELECT count(*) FROM walks WHERE status = 'done' AND generation = 1") > 5


def test_a_forgotten_seed_is_left_out(copied: Harvester, chosen: Chosen) -> None:
    (page,) = copied.query("SELECT permalink_url FROM tracks WHERE track_id = ?", chosen.seed)[0]
    forget(copied.database, f"track:{chosen.seed}")
    copied.sandbox.clear_log()
    for arguments in ({"track_id": str(chosen.seed)}, {"track_url": page}):
        ended = copied.crawl("user_depth", **arguments)
        assert ended.code == 3, ended.log
        (line,) = (line for line in ended.log.splitlines() if "was forgotten and is left out" in line)
        assert f"forget --lift {next(iter(arguments.values()))}" in line
        assert copied.query("SELECT outcome, reason FROM runs ORDER BY run_id DESC LIMIT 1") == [
            ("partial", "1 forgotten seed left out")
        ]
    assert [entry["path"] for entry in copied.sandbox.log() if "/_sandbox" not in entry["path"]] == []
    tables = read_tables(copied.database)
    assert mentions(tables, str(chosen.seed)) == []
    assert mentions(tables, page) == []
    added = run(copied.database, "seeds", "add", str(chosen.seed))
    assert (added.code, "was forgotten" in added.err) == (2, True)
    lifted = run(copied.database, "forget", "--lift", f"track:{chosen.seed}")
    assert lifted.out.startswith("2 tombstones removed")
    assert run(copied.database, "seeds", "add", str(chosen.seed)).code == 0


def test_the_author_of_a_comment_has_not_commented_any_more(copied: Harvester, chosen: Chosen) -> None:
    place = "SELECT user_id, track_id FROM comments WHERE comment_id = ?"
    (author,) = copied.query(place, chosen.comment)
    engaged = "SELECT kind FROM engagements WHERE user_id = ? AND track_id = ? AND kind = 'comment'"
    assert copied.query(engaged, *author)
    forget(copied.database, urn("comment", chosen.comment))
    assert copied.query(engaged, *author) == []
    assert copied.query("SELECT 1 FROM users WHERE user_id = ?", author[0])


def test_what_is_gone_is_forgotten_by_rule(copied: Harvester, chosen: Chosen, tmp_path: Path) -> None:
    config = json.loads(Path(str(copied.config)).read_text()) | {"retention": {"on_gone": "forget"}}
    path = tmp_path / "forgetful.yaml"
    path.write_text(json.dumps(config))
    with closing(connect(copied.database)) as connection:
        # As if an earlier run had found it private.
        removed = "removed_at = last_seen_at, removed_reason = 'private'"
        connection.execute(f"UPDATE playlists SET {removed} WHERE playlist_id = {chosen.playlist}")  # noqa: S608
        connection.commit()
    copied.sandbox.mutate(delete_tracks=[chosen.seed])
    copied.unchecked = "the statistics of the run count the pages that it has forgotten"
    ended = copied.crawl("user_depth", config=str(path), refresh=1, accept_gone=1)
    assert ended.code == 3, ended.log
    assert "Forgotten because they are gone (retention.on_gone): 1 track" in ended.log
    assert "Forgotten because they are private (retention.on_gone): 1 playlist" in ended.log
    tables = read_tables(copied.database)
    assert mentions(tables, str(chosen.seed)) == mentions(tables, str(chosen.playlist)) == []
    assert copied.query("SELECT reason FROM runs ORDER BY run_id DESC LIMIT 1") == [
        ("seed (forgotten) is gone (HTTP 404: 404 - Not Found)",)
    ]
    assert {row["reason"] for row in tables["tombstones"]} == {"gone", "private"}
    invariants.check_ledger(copied.database)


def test_the_report(copied: Harvester, chosen: Chosen, harvested: Harvester, tmp_path: Path) -> None:
    named = tmp_path / "records.txt"
    named.write_text(f"# asked by mail\n{urn('comment', chosen.comment)}\nplaylist {chosen.playlist}\n")
    before = read_tables(copied.database)
    trial = forget(copied.database, "--file", str(named), "--dry-run").out
    assert trial.startswith("Would forget: 1 comment, 1 playlist")
    assert read_tables(copied.database) == before
    out = forget(copied.database, "--file", str(named), "--no-vacuum").out
    assert re.search(r"^Not rewritten: `--no-vacuum`; run `\S*scrapy vacuum.*`$", out, re.MULTILINE)
    assert out.startswith("Forgotten: 1 comment, 1 playlist, with all that derives from them\n\nremoved")
    folder = harvested.database.parent
    for purpose in ("graphs", "vectors"):
        assert f"  {folder / purpose} ({purpose}, 20" in out
    counted = "Relationships built before still count what was forgotten"
    assert re.search(rf"{counted}; run `\S*scrapy relate.*`", out)
    again = forget(copied.database, "--file", str(named)).out
    assert again.splitlines() == [
        f"soundcloud:comments:{chosen.comment} was forgotten before",
        f"soundcloud:playlists:{chosen.playlist} was forgotten before",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["user:5"], 2, "soundcloud:users:5 is not in this database; nothing was forgotten"),
        (["soundcloud:users:x"], 2, "not a record: 'soundcloud:users:x'; name a URN"),
        ([], 2, "name at least one record: a URN"),
        (["--lift", "user:5"], 2, "soundcloud:users:5 was not forgotten; nothing was changed"),
        (["--file", "/nowhere"], 2, "'/nowhere' cannot be read: No such file or directory"),
    ],
)
def test_mistakes(harvested: Harvester, arguments: list[str], code: int, message: str) -> None:
    done = run(harvested.database, "forget", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(message)
    assert done.err.count("\n") == 1


def test_one_mistake_forgets_nothing(copied: Harvester, chosen: Chosen) -> None:
    before = read_tables(copied.database)
    assert run(copied.database, "forget", urn("user", chosen.user), "user:5").code == 2
    assert read_tables(copied.database) == before


def test_a_kill_forgets_nothing(copied: Harvester, chosen: Chosen) -> None:
    before = read_tables(copied.database)
    arguments = ["scrapy", "forget", urn("user", chosen.user)]
    script = (
        "from tests.crawls.kill_settings import KillSwitch\n"
        "from scrapy.cmdline import execute\n"
        f"KillSwitch()\nexecute({arguments})"
    )
    environment = os.environ | {"HARVEST_DATABASE_URL": url_of(copied.database)}
    for number in (70, 110):
        killed = subprocess.run(
            [sys.executable, "-c", script], env=environment | {"KILL_AT": str(number)}, cwd=ROOT, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        assert read_tables(copied.database) == before
    forget(copied.database, urn("user", chosen.user))
    assert mentions(read_tables(copied.database), str(chosen.user)) == []


@pytest.mark.sqlite("the file is rewritten")
def test_an_interruption_of_the_rewriting_does_not_deny_the_rest(
    copied: Harvester, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Store) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sgr_spiders.storage.vacuum.vacuum", interrupt)
    out = forget(copied.database, urn("comment", chosen.comment)).out
    assert out.startswith("Forgotten: 1 comment")
    assert re.search(r"^Not rewritten: interrupted; run `.*scrapy vacuum", out, re.MULTILINE)
    assert mentions(read_tables(copied.database), str(chosen.comment)) == []


@pytest.mark.sqlite("the lock of the file")
def test_a_database_in_use_is_left_alone(copied: Harvester, chosen: Chosen) -> None:
    with closing(Store.open(url_of(copied.database))):
        done = run(copied.database, "forget", urn("user", chosen.user))
    assert done.code == 5
    assert done.err.endswith("nothing was forgotten\n")


def test_another_address_of_a_forgotten_seed(copied: Harvester, chosen: Chosen) -> None:
    """Only the API knows where it leads; it is then forgotten as well."""
    ((page,),) = copied.query("SELECT permalink_url FROM tracks WHERE track_id = ?", chosen.seed)
    forget(copied.database, f"track:{chosen.seed}")
    with closing(connect(copied.database)) as connection:
        # As if the track had been renamed since.
        connection.execute("DELETE FROM tombstones WHERE kind = 'url'")
        connection.commit()
    copied.unchecked = "the statistics of the run count the page that it has forgotten"
    ended = copied.crawl("user_depth", track_url=page)
    assert ended.code == 3, ended.log
    assert copied.query("SELECT reason FROM runs ORDER BY run_id DESC LIMIT 1") == [
        ("seed (forgotten) was forgotten",)
    ]
    tables = read_tables(copied.database)
    assert mentions(tables, page) == mentions(tables, str(chosen.seed)) == []
    ended = copied.crawl("user_depth", track_url=page)
    assert "was forgotten and is left out" in ended.log
