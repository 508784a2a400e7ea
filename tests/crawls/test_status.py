"""``scrapy status`` reports the contents of a database in any state, and changes nothing."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.storage import plans
from sgr_spiders.storage.plans import Plan
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import Harvester
from tests.databases import connect, exists, is_on_server, url_of
from tests.scrapy_process import CommandResult, run_command, scrapy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

STATUSES = ("done", "capped", "gone", "failed", "running", "planned")


def run_status(database: Path, *options: str, **settings: str) -> CommandResult:
    """Run the command in this process, without credentials."""
    return run_command("status", *options, HARVEST_DATABASE_URL=url_of(database), **settings)


def run_process(database: Path, *options: str) -> CommandResult:
    """Run the command in a process of its own: only there do the commands that it names show the database."""
    return scrapy("status", *options, HARVEST_DATABASE_URL=url_of(database))


def text_of(database: Path) -> str:
    result = run_status(database)
    assert (result.code, result.err) == (0, "")
    return result.out


def json_of(database: Path) -> dict[str, Any]:
    result = run_status(database, "--json")
    assert (result.code, result.err) == (0, "")
    found: dict[str, Any] = json.loads(result.out)
    return found


@pytest.fixture(scope="module")
def deep(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """Run a harvest of a missing seed, then a deep harvest with a failed walk and capped walks."""
    shared_sandbox.clear_faults()
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("status") / "harvest.db")
    assert harvester.crawl("user_depth", track_id=5).code == 3
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.spoiled_settings"
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 3, ended.log
    _save_plan(harvester)
    return harvester


def _save_plan(harvester: Harvester) -> None:
    """Store the plan of the latest run, as if it had been made before."""
    scope = harvester.value("SELECT scope FROM runs ORDER BY run_id DESC LIMIT 1")
    plan = Plan("2026-01-01T00:00:00.000000Z", scope, False, 100, 90, 120, 5000, 30.0, 10**6)  # noqa: FBT003
    with closing(Store.open(harvester.url)) as store, store.write() as connection:
        plans.save(connection, plan)


@pytest.fixture(scope="module")
def report(deep: Harvester) -> dict[str, Any]:
    return json_of(deep.database)


@pytest.fixture(scope="module")
def text(deep: Harvester) -> str:
    return text_of(deep.database)


def paths_in(value: object, path: str = "") -> set[str]:
    """Return the path of every value in a JSON document, with ``[]`` for each item of a list."""
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict) and not path.endswith(("statistics", "arguments")):
        inner = [(f"{path}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[]", item) for item in value]
    return {path}.union(*(paths_in(item, name) for name, item in inner))


def test_every_key_is_documented_and_every_documented_key_exists(report: dict[str, Any], root: Path) -> None:
    document = (root / "docs/status.md").read_text()
    paths = paths_in(report)
    assert len(paths) > 100
    for path in paths:
        leaf = path.removesuffix("[]").rpartition(".")[2]
        is_name = re.fullmatch(r"(walks\.layers|tables|relationships)\.\w+", path) is not None
        groups = {"", "database", "runs", "seeds", "walks", "layers", "latest", "freshness", "tables", "next"}
        groups |= {"relationships"}
        assert is_name or leaf in groups or re.search(rf"[`.]{leaf}(\[\])?`", document), path
    first_column = re.findall(r"^\| (`.+?`) \| ", document, re.MULTILINE)
    for key in re.findall(r"`([^`]+)`", " ".join(first_column)):
        pattern = re.sub("<[a-z]+>", r"\\w+", re.escape(key))
        assert any(re.fullmatch(pattern, path) for path in paths), key


def test_the_json_agrees_with_the_database(deep: Harvester, report: dict[str, Any]) -> None:
    assert report["database"]["where"] == Store(deep.url).describe()
    assert report["runs"]["count"] == 2
    assert [run["run_id"] for run in report["runs"]["latest"]] == [2, 1]
    assert report["runs"]["latest"][0]["layers"] == list(LAYER_NAMES)
    assert report["runs"]["latest"][0]["statistics"] == json.loads(
        deep.value("SELECT stats FROM runs WHERE run_id = 2")
    )
    for layer in LAYER_NAMES:
        walks = report["walks"]["layers"][layer]
        rows = deep.query(
            """SELECT status, count(*), sum(received) FROM walks
               WHERE walk_id IN (SELECT walk_id FROM walk_requests WHERE layer = ?) GROUP BY status""",
            layer,
        )
        counts = {status: count for status, count, _ in rows}
        assert {status: walks[status] for status in STATUSES} == {s: counts.get(s, 0) for s in STATUSES}
        assert walks["received"] == sum(received for _, _, received in rows)
    compared = deep.query(
        """WITH wanted AS (SELECT walk_id, max(cap) AS cap FROM walk_requests GROUP BY walk_id)
        SELECT count(*), sum(known), sum(CASE WHEN found < known THEN found ELSE known END)
        FROM (SELECT CASE WHEN expected < cap THEN expected ELSE cap END AS known,
                     CASE WHEN endpoint = 'track_comments'
                          THEN (SELECT count(*) FROM comments WHERE track_id = CAST(target AS bigint))
                          ELSE kept END AS found
              FROM walks JOIN wanted USING (walk_id)
              WHERE expected NOTNULL AND NOT (endpoint = 'track_comments' AND kept >= cap)) AS compared"""
    )
    together = report["walks"]["together"]
    figures = tuple(together[f"compared_{name}"] for name in ("walks", "expected", "received"))
    assert [figures] == compared
    rows_of = {name: table["rows"] for name, table in report["tables"].items()}
    assert rows_of == {name: deep.value(f"SELECT count(*) FROM {name}") for name in rows_of}  # noqa: S608 - constants
    assert rows_of["walk_records"] > 1000
    size = sum(table["bytes"] for table in report["tables"].values())
    # A server's database contains 8 MB of its own.
    share = 0 if is_on_server() else 0.75
    assert share * report["database"]["bytes"] < size <= report["database"]["bytes"]
    oldest, newest = report["freshness"]["oldest"], report["freshness"]["newest"]
    ended = "FROM walks WHERE status IN ('done', 'capped', 'gone')"
    assert deep.query(f"SELECT min(finished_at), max(finished_at) {ended}") == [(oldest, newest)]


def test_failed_gone_and_capped_walks_are_shown_with_the_reason(
    deep: Harvester, report: dict[str, Any], text: str
) -> None:
    lost = {(row["status"], row["endpoint"]): row for row in report["lost"]}
    assert {endpoint for status, endpoint in lost if status == "failed"} == {"track_reposters"}
    seed = str(deep.sandbox.seed_track_id)
    assert lost["failed", "track_reposters"]["example"] == seed
    assert lost["gone", "track"] | {"reason": ""} == {
        "status": "gone", "endpoint": "track", "reason": "", "walks": 1, "example": "5",
    }  # fmt: skip
    failed = rf"^Failed; rerun to retry\n  1  track_reposters  e\.g\. {seed}  OutOfScopeError: "
    assert re.search(failed, text, re.MULTILINE)
    capped = {row["setting"]: row for row in report["capped"]}
    assert capped["semantic_depth.fuzzy_search_limit"]["cap"] == 100
    assert re.search(
        r"^ +\d+  semantic_depth\.fuzzy_search_limit = 100 +\d+ of unknown  search_tracks +e\.g\. \w+",
        text,
        re.MULTILINE,
    )
    choice = capped["playlist_depth.max_likers"]
    assert (choice["cap"], choice["kept"], choice["choices"], choice["walks"]) == (50, 50, 1, None)
    likers = "SELECT count(*) FROM engagements WHERE kind = 'like' AND track_id = ?"
    assert choice["available"] == deep.value(likers, deep.sandbox.seed_track_id)
    assert report["seeds"]["latest"][0]["capped"] == report["capped"]
    assert report["seeds"]["latest"][1]["capped"] == []


def test_seeds_are_shown_with_title_and_status(deep: Harvester, report: dict[str, Any], text: str) -> None:
    found, gone = report["seeds"]["latest"]
    title, artist = deep.query(
        "SELECT title, username FROM tracks JOIN users ON user_id = artist_id WHERE track_id = ?",
        deep.sandbox.seed_track_id,
    )[0]
    assert (found["title"], found["artist"], found["status"]) == (title, artist, "done")
    assert (gone["given"], gone["status"], gone["title"]) == ("5", "gone", None)
    assert re.search(rf"1 failed +{re.escape(f'{title} by {artist}')}$", text, re.MULTILINE)
    assert re.search(r"^  5 +not found +check the address \(HTTP 404", text, re.MULTILINE)


def test_the_text_fits_a_terminal_and_names_the_next_command(deep: Harvester, text: str) -> None:
    lines = text.splitlines()
    *others, last = lines
    # The path of a test's database may be wider than a terminal, and is cut.
    assert max(map(len, others)) <= 100
    assert others[-1] == "Next (unfinished):"
    assert f"scrapy crawl deep_harvest -a track_id={deep.sandbox.seed_track_id} " in last


@pytest.mark.sqlite("bytes of the file")
def test_the_command_changes_nothing(deep: Harvester) -> None:
    before = deep.database.read_bytes()
    lock = deep.database.with_name("harvest.db.lock").stat()
    text_of(deep.database)
    assert deep.database.read_bytes() == before
    assert deep.database.with_name("harvest.db.lock").stat().st_mtime_ns == lock.st_mtime_ns


def test_database_and_freshness_are_options(deep: Harvester, tmp_path: Path) -> None:
    (tmp_path / "fresh.yaml").write_text("deep_harvest: {freshness_days: 0}")
    result = run_status(
        tmp_path / "other.db",
        "--json",
        "--database",
        url_of(deep.database),
        HARVEST_CONFIG=str(tmp_path / "fresh.yaml"),
    )
    freshness = json.loads(result.out)["freshness"]
    assert freshness["days"] == 0
    assert freshness["stale"] == deep.value(
        "SELECT count(*) FROM walks WHERE status IN ('done', 'capped', 'gone')"
    )


def test_an_up_to_date_database_has_no_next_command_until_it_is_stale(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    assert text_of(harvester.database).splitlines()[-1] == "Up to date."
    with closing(connect(harvester.database)) as connection, connection:
        connection.execute("UPDATE walks SET finished_at = '2001-01-01T00:00:00.000000Z'")
    report = json_of(harvester.database)
    assert report["next"]["why"] == "not fresh"
    (command,) = report["next"]["commands"]
    assert "scrapy crawl user_depth -a track_id=" in command


def test_a_running_and_a_killed_crawl(harvester: Harvester) -> None:
    process = harvester.start(settings={"DOWNLOAD_DELAY": 1.5})
    harvester.wait_until(lambda: exists(harvester.database) and _pages(harvester) >= 3, process)
    report, text = json_of(harvester.database), text_of(harvester.database)
    assert process.poll() is None, "the crawl ended too soon for this test"
    (run,) = report["runs"]["latest"]
    assert (run["outcome"], run["finished_at"]) == (None, None)
    walks = report["walks"]["together"]
    assert walks["done"] >= 1
    assert walks["planned"] + walks["running"] > 10
    state = "running" if is_on_server() else "running or killed"
    assert re.search(rf"^  1 +user_depth  {state}  ", text, re.MULTILINE)
    (command,) = report["next"]["commands"]
    assert command.endswith(run["statistics"]["sgr/command"])
    process.kill()
    harvester.wait(process, killed=True)
    assert json_of(harvester.database)["next"] == report["next"]
    assert harvester.crawl().code == 0
    second, first = json_of(harvester.database)["runs"]["latest"]
    assert (second["outcome"], first["outcome"]) == ("complete", None)
    assert re.search(r"^  1 +user_depth  killed ", text_of(harvester.database), re.MULTILINE)


def _pages(harvester: Harvester) -> int:
    try:
        pages: int = harvester.value("SELECT count(*) FROM walk_pages")
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return 0
    return pages


def test_an_empty_database(tmp_path: Path) -> None:
    database = tmp_path / "harvest.db"
    Store.open(url_of(database)).close()
    report = json_of(database)
    assert report["runs"] == {"count": 0, "latest": []}
    assert report["next"]["why"] == "no run yet"
    first = f"scrapy crawl deep_harvest -a track_id=ID -s HARVEST_DATABASE_URL={url_of(database)}"
    assert run_process(database).out.splitlines()[-1].endswith(first)


@pytest.mark.sqlite("the file itself")
def test_a_missing_file(tmp_path: Path) -> None:
    result = run_process(tmp_path / "none.db")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"database {tmp_path}/none.db: no such file; create it with `")
    assert result.err.endswith(f" -a track_id=ID -s HARVEST_DATABASE_URL=sqlite:///{tmp_path}/none.db`\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("revision", "words"),
    [("0000", "scrapy upgrade -s HARVEST_DATABASE_URL="), ("9999", "use the version that created it")],
)
def test_another_schema_version(tmp_path: Path, revision: str, words: str) -> None:
    database = tmp_path / "harvest.db"
    Store.open(url_of(database)).close()
    with closing(connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    result = run_process(database, "--json")
    assert (result.code, result.out) == (1, "")
    assert len(result.err.splitlines()) == 1
    assert revision in result.err
    assert words in result.err
    with closing(connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]


@pytest.mark.sqlite("the file itself")
@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be read as one" * 100])
def test_a_file_without_a_harvest(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "harvest.db"
    database.write_bytes(content)
    result = run_status(database)
    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert str(database) in result.err
    assert database.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["more"], "unexpected argument: 'more'"),
        (["--database", "oracle://x"], "option `--database`: must begin with sqlite:/// or postgresql://"),
        (["--database", "me:word@host/x"], "option `--database`: must be an SQLAlchemy URL such as"),
        (["--database", "nowhere.db"], "database nowhere.db: no such file"),
    ],
)
def test_bad_arguments(tmp_path: Path, options: list[str], words: str) -> None:
    result = run_status(tmp_path / "harvest.db", *options)
    assert result.code == 2
    assert words in result.err
    assert len(result.err.splitlines()) == 1
