"""``scrapy status`` tells what lies in a database, whatever state it is in, and changes nothing."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import ROOT, Harvester

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

STATUSES = ("done", "capped", "gone", "failed", "running", "planned")


def ask(database: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command, without credentials."""
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "status", *options],
        cwd=ROOT,
        env={**os.environ, "HARVEST_DATABASE_URL": f"sqlite:///{database}", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def text_of(database: Path) -> str:
    said = ask(database)
    assert (said.returncode, said.stderr) == (0, "")
    return said.stdout


def json_of(database: Path) -> dict[str, Any]:
    said = ask(database, "--json")
    assert (said.returncode, said.stderr) == (0, "")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.fixture(scope="module")
def deep(shared_sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Harvester:
    """A deep harvest in which a walk failed and others were capped, after one whose seed is not there."""
    shared_sandbox.clear_faults()
    harvester = Harvester(shared_sandbox, tmp_path_factory.mktemp("status") / "harvest.db")
    assert harvester.crawl("user_depth", track_id=5).code == 3
    harvester.environment["SCRAPY_SETTINGS_MODULE"] = "tests.crawls.spoiled_settings"
    ended = harvester.crawl("deep_harvest")
    assert ended.code == 3, ended.log
    return harvester


@pytest.fixture(scope="module")
def told(deep: Harvester) -> dict[str, Any]:
    return json_of(deep.database)


@pytest.fixture(scope="module")
def text(deep: Harvester) -> str:
    return text_of(deep.database)


def paths_in(value: object, path: str = "") -> set[str]:
    """Name every place in a JSON document; the rows of a list are all called ``[]``."""
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict) and not path.endswith(("statistics", "arguments")):
        inner = [(f"{path}.{key}".lstrip("."), one) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[]", one) for one in value]
    return {path}.union(*(paths_in(one, name) for name, one in inner))


def test_every_key_is_documented_and_every_documented_key_is_there(told: dict[str, Any], root: Path) -> None:
    document = (root / "docs/status.md").read_text()
    paths = paths_in(told)
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


def test_the_json_says_what_the_database_says(deep: Harvester, told: dict[str, Any]) -> None:
    assert told["database"]["where"] == str(deep.database)
    assert told["runs"]["count"] == 2
    assert [run["run_id"] for run in told["runs"]["latest"]] == [2, 1]
    assert told["runs"]["latest"][0]["layers"] == list(LAYER_NAMES)
    assert told["runs"]["latest"][0]["statistics"] == json.loads(
        deep.value("SELECT stats FROM runs WHERE run_id = 2")
    )
    for layer in LAYER_NAMES:
        walks = told["walks"]["layers"][layer]
        rows = deep.query(
            """SELECT status, count(*), sum(received) FROM walks
               WHERE walk_id IN (SELECT walk_id FROM walk_requests WHERE layer = ?) GROUP BY status""",
            layer,
        )
        counts = {status: count for status, count, _ in rows}
        assert {status: walks[status] for status in STATUSES} == {s: counts.get(s, 0) for s in STATUSES}
        assert walks["received"] == sum(received for _, _, received in rows)
    compared = deep.query(
        "SELECT sum(received), sum(expected) FROM walks WHERE status = 'done' AND expected NOTNULL"
    )
    together = told["walks"]["together"]
    assert [(together["compared_received"], together["compared_expected"])] == compared
    rows_of = {name: table["rows"] for name, table in told["tables"].items()}
    assert rows_of == {name: deep.value(f"SELECT count(*) FROM {name}") for name in rows_of}  # noqa: S608 - our names
    assert rows_of["walk_records"] > 1000
    size = sum(table["bytes"] for table in told["tables"].values())
    assert 0.75 * told["database"]["bytes"] < size <= told["database"]["bytes"]
    oldest, newest = told["freshness"]["oldest"], told["freshness"]["newest"]
    ended = "FROM walks WHERE status IN ('done', 'capped', 'gone')"
    assert deep.query(f"SELECT min(finished_at), max(finished_at) {ended}") == [(oldest, newest)]


def test_what_failed_is_gone_or_capped_is_told_with_the_reason(
    deep: Harvester, told: dict[str, Any], text: str
) -> None:
    lost = {(one["status"], one["endpoint"]): one for one in told["lost"]}
    assert {endpoint for status, endpoint in lost if status == "failed"} == {"track_reposters"}
    seed = str(deep.sandbox.seed_track_id)
    assert lost["failed", "track_reposters"]["example"] == seed
    assert lost["gone", "track"] | {"reason": ""} == {
        "status": "gone", "endpoint": "track", "reason": "", "walks": 1, "example": "5",
    }  # fmt: skip
    failed = rf"^Failed; rerun to retry\n  1  track_reposters  e\.g\. {seed}  OutOfScopeError: "
    assert re.search(failed, text, re.MULTILINE)
    capped = {one["setting"]: one for one in told["capped"]}
    assert capped["semantic_depth.fuzzy_search_limit"]["cap"] == 100
    assert re.search(
        r"^  \d+  search_tracks +e\.g\. \w+ +semantic_depth\.fuzzy_search_limit = 100$", text, re.MULTILINE
    )


def test_seeds_are_told_with_title_and_state(deep: Harvester, told: dict[str, Any], text: str) -> None:
    found, gone = told["seeds"]["latest"]
    title, artist = deep.query(
        "SELECT title, username FROM tracks JOIN users ON user_id = artist_id WHERE track_id = ?",
        deep.sandbox.seed_track_id,
    )[0]
    assert (found["title"], found["artist"], found["status"]) == (title, artist, "done")
    assert (gone["given"], gone["status"], gone["title"]) == ("5", "gone", None)
    assert re.search(rf"1 failed +{re.escape(f'{title} by {artist}')}$", text, re.MULTILINE)
    assert re.search(r"^  5 +gone +HTTP 404", text, re.MULTILINE)


def test_the_text_fits_a_terminal_and_names_the_next_command(deep: Harvester, text: str) -> None:
    lines = text.splitlines()
    *others, last = lines
    # The path of a test's database may be longer than a terminal is wide; it is cut.
    assert max(map(len, others)) <= 100
    assert others[-1] == "Next (unfinished):"
    assert last.startswith(f"  scrapy crawl deep_harvest -a track_id={deep.sandbox.seed_track_id} ")


def test_it_changes_nothing(deep: Harvester) -> None:
    before = deep.database.read_bytes()
    lock = deep.database.with_name("harvest.db.lock").stat()
    text_of(deep.database)
    assert deep.database.read_bytes() == before
    assert deep.database.with_name("harvest.db.lock").stat().st_mtime_ns == lock.st_mtime_ns


def test_another_database_and_a_freshness_can_be_given(deep: Harvester, tmp_path: Path) -> None:
    (tmp_path / "fresh.yaml").write_text("deep_harvest: {freshness_days: 0}")
    said = ask(
        tmp_path / "other.db",
        "--json",
        "--database",
        f"sqlite:///{deep.database}",
        HARVEST_CONFIG=str(tmp_path / "fresh.yaml"),
    )
    freshness = json.loads(said.stdout)["freshness"]
    assert freshness["days"] == 0
    assert freshness["stale"] == deep.value(
        "SELECT count(*) FROM walks WHERE status IN ('done', 'capped', 'gone')"
    )


def test_nothing_is_left_to_do(harvester: Harvester) -> None:
    assert harvester.crawl().code == 0
    assert text_of(harvester.database).splitlines()[-1] == "Up to date."
    with closing(sqlite3.connect(harvester.database)) as connection, connection:
        connection.execute("UPDATE walks SET finished_at = '2001-01-01T00:00:00.000000Z'")
    told = json_of(harvester.database)
    assert told["next"]["why"] == "not fresh"
    (command,) = told["next"]["commands"]
    assert command.startswith("scrapy crawl user_depth -a track_id=")


def test_while_a_crawl_runs(harvester: Harvester) -> None:
    process = harvester.start(settings={"DOWNLOAD_DELAY": 1.5})
    harvester.wait_until(lambda: harvester.database.exists() and _pages(harvester) >= 3, process)
    told, text = json_of(harvester.database), text_of(harvester.database)
    assert process.poll() is None, "the crawl ended too soon for this test"
    (run,) = told["runs"]["latest"]
    assert (run["outcome"], run["finished_at"]) == (None, None)
    walks = told["walks"]["together"]
    assert walks["done"] >= 1
    assert walks["planned"] + walks["running"] > 10
    assert re.search(r"^  1 +user_depth  running or killed ", text, re.MULTILINE)
    assert told["next"]["commands"] == [run["statistics"]["sgr/command"]]
    process.kill()
    harvester.wait(process, killed=True)
    assert json_of(harvester.database)["next"] == told["next"]
    assert harvester.crawl().code == 0
    second, first = json_of(harvester.database)["runs"]["latest"]
    assert (second["outcome"], first["outcome"]) == ("complete", None)
    assert re.search(r"^  1 +user_depth  killed ", text_of(harvester.database), re.MULTILINE)


def _pages(harvester: Harvester) -> int:
    try:
        pages: int = harvester.value("SELECT count(*) FROM walk_pages")
    except sqlite3.OperationalError:
        return 0
    return pages


def test_an_empty_database(tmp_path: Path) -> None:
    database = tmp_path / "harvest.db"
    Store.open(f"sqlite:///{database}").close()
    told = json_of(database)
    assert told["runs"] == {"count": 0, "latest": []}
    assert told["next"]["why"] == "no run yet"
    assert text_of(database).splitlines()[-1] == "  scrapy crawl deep_harvest -a track_id=ID"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = ask(tmp_path / "none.db")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == f"database {tmp_path}/none.db: no such file; create it with `scrapy crawl`\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("revision", "words"),
    [("0000", "run `scrapy upgrade`"), ("9999", "use the one that made it")],
)
def test_another_version(tmp_path: Path, revision: str, words: str) -> None:
    database = tmp_path / "harvest.db"
    Store.open(f"sqlite:///{database}").close()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    said = ask(database, "--json")
    assert (said.returncode, said.stdout) == (1, "")
    assert len(said.stderr.splitlines()) == 1
    assert revision in said.stderr
    assert words in said.stderr
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]


@pytest.mark.parametrize("content", [b"", b"this is no database, but long enough to be looked at" * 100])
def test_no_harvest_at_all(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "harvest.db"
    database.write_bytes(content)
    said = ask(database)
    assert said.returncode == 1
    assert len(said.stderr.splitlines()) == 1
    assert str(database) in said.stderr
    assert database.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "words"),
    [(["more"], "unexpected argument: 'more'"), (["--database", "nonsense"], "not an SQLAlchemy URL")],
)
def test_bad_arguments(tmp_path: Path, options: list[str], words: str) -> None:
    said = ask(tmp_path / "harvest.db", *options)
    assert said.returncode == 2
    assert words in said.stderr
    assert len(said.stderr.splitlines()) == 1
