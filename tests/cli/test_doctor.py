"""``scrapy doctor``: each check, with the fault that it must find."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tomllib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import psycopg
import pytest
import sqlalchemy as sa
from scrapy.http import Response
from scrapy.settings import Settings

from sgr_spiders.cli.checks import setup
from sgr_spiders.cli.checks.online import check_lanes
from sgr_spiders.crawl.online_checks import Online, QuestionSpider, ask_online
from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.soundcloud.tokens import Token, TokenCache
from sgr_spiders.storage import migrate
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.store import Store
from sgr_spiders.traffic.sandbox_world import WORLD
from tests.databases import VARIABLE, connect, create_blank, create_empty, is_on_server, url_of
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import run_command, scrapy

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import AsyncCrawlerProcess

    from sgr_spiders.traffic.response import ApiResponse

SECRET = "kept-from-everybody-0123456789"
KEYS = {"SOUNDCLOUD_CLIENT_ID": "an-app", "SOUNDCLOUD_CLIENT_SECRET": SECRET, "CONTACT": "a@example.org"}


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "harvest.db"
    create_empty(path)
    return path


def diagnose(database: Path | str, **settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Return the exit code, and the state and message of each check."""
    url = database if isinstance(database, str) else url_of(database)
    code, out, err = run_command("doctor", "--json", **{**KEYS, "HARVEST_DATABASE_URL": url, **settings})
    assert not err
    assert SECRET not in out
    found: dict[str, Any] = json.loads(out)
    assert found["ok"] == (code == 0)
    checks: dict[str, tuple[str, str]] = {}
    for check in found["checks"]:
        # The worst of a name is the one that counts.
        if checks.get(check["name"], ("ok",))[0] != "error":
            checks[check["name"]] = check["state"], check["message"]
    return code, checks


def errors(checks: dict[str, tuple[str, str]]) -> set[str]:
    return {name for name, (state, _) in checks.items() if state == "error"}


def warnings(checks: dict[str, tuple[str, str]]) -> set[str]:
    return {name for name, (state, _) in checks.items() if state == "warning"}


def test_what_is_in_order_is_said(database: Path) -> None:
    code, checks = diagnose(database, USER_AGENT="x (a@example.org)")
    assert code == 0
    assert not errors(checks)
    assert not warnings(checks)
    assert {"settings", "contact", "configuration", "credentials", "token cache", "schema"} <= checks.keys()
    assert ("encoding" if is_on_server() else "lock") in checks


def test_it_creates_nothing(tmp_path: Path) -> None:
    if is_on_server():
        create_blank(tmp_path / "new.db")
    code, checks = diagnose(tmp_path / "new.db")
    assert code == 0
    assert "the first crawl creates it" in str(checks)
    assert list(tmp_path.iterdir()) == []


def test_every_wrong_setting_is_named(database: Path) -> None:
    code, out, _ = run_command(
        "doctor", RETRY_TIMES="often", HARVEST_CONFG="x", HARVEST_DATABASE_URL=url_of(database), **KEYS
    )
    assert code == 1
    wrong = [line for line in out.splitlines() if line.startswith("error") and "settings" in line]
    assert any("RETRY_TIMES" in line for line in wrong)
    assert any("did you mean `HARVEST_CONFIG`" in line for line in wrong)
    assert "A harvest would stop: 2 errors" in out


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("deep_harvst: {}", "did you mean"),
        ("deep_harvest: {enabled: false}", "no layer is enabled"),
        ("deep_harvest: {request_delay: -1}", "must be at least 0"),
    ],
)
def test_a_wrong_configuration(database: Path, tmp_path: Path, content: str, why: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(content)
    code, checks = diagnose(database, HARVEST_CONFIG=str(config))
    assert code == 1
    assert errors(checks) == {"configuration"}
    assert why in checks["configuration"][1]


def test_a_method_without_its_package(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_is_installed", lambda package: package != "gensim")
    config = "{embeddings: {on_close: true, method: item2vec}}"
    code, checks = diagnose(database, HARVEST_CONFIG=config)
    assert code == 1
    assert "`pip install 'soundgraph-deep-harvest[ml]'`" in checks["configuration"][1]
    assert "not installed (gensim)" in checks["part ml"][1]
    assert diagnose(database)[0] == 0


def test_credentials(database: Path, tmp_path: Path) -> None:
    code, checks = diagnose(database, SOUNDCLOUD_CLIENT_ID="")
    assert code == 1
    assert "missing SOUNDCLOUD_CLIENT_ID" in checks["credentials"][1]

    lanes = tmp_path / "lanes.yaml"
    lanes.write_text(f"anna: {{client_id: a, client_secret: {SECRET}}}\nbert: {{access_token: {SECRET}2}}\n")
    lanes.chmod(0o644)
    code, checks = diagnose(database, SOUNDCLOUD_CREDENTIALS=str(lanes))
    assert (code, errors(checks)) == (1, {"credentials"})
    assert "chmod 600" in checks["credentials"][1]

    lanes.chmod(0o600)
    code, checks = diagnose(database, SOUNDCLOUD_CREDENTIALS=str(lanes))
    assert code == 0
    assert "2 lanes" in checks["credentials"][1]
    assert "token of anna" in checks
    assert "token of bert" not in checks


def test_the_token_cache(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = TokenCache("https://secure.soundcloud.com/oauth/token", "an-app")
    assert "none yet" in diagnose(database)[1]["token of default"][1]
    cache.save(Token(SECRET, None, 4e9, 1e9))
    state, message = diagnose(database)[1]["token of default"]
    assert (state, message.split()[0]) == ("ok", "valid")

    cache.path.chmod(0o640)
    code, checks = diagnose(database)
    assert code == 0
    assert warnings(checks) >= {"token cache"}
    assert f"chmod 600 {cache.path}" in checks["token cache"][1]

    cache.path.write_text("{")
    assert "token of default" in warnings(diagnose(database)[1])

    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "token cache" in errors(diagnose(database)[1])


def test_an_older_and_a_newer_schema(database: Path) -> None:
    for revision, state in (("0001", "warning"), ("9999", "error")):
        with closing(connect(database)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            connection.commit()
        code, checks = diagnose(database)
        assert checks["schema"][0] == state
        assert code == (state == "error")


def test_the_data_of_another_api(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store.open(url_of(database))) as store, store.write() as connection:
        source.adopt(connection, "https://api.example.org", None)
    assert diagnose(database)[0] == 0
    monkeypatch.setattr(source, "is_filled", lambda _connection: True)
    code, checks = diagnose(database)
    assert code == 1
    assert checks["source"][0] == "error"
    assert "accept_source=1" in checks["source"][1]
    assert diagnose(database, SOUNDCLOUD_API_URL="https://api.example.org")[0] == 0


@pytest.mark.sqlite("a file")
def test_a_locked_a_foreign_and_a_damaged_file(database: Path, tmp_path: Path) -> None:
    with closing(Store.open(url_of(database))):
        code, checks = diagnose(database)
    assert (code, errors(checks)) == (1, {"lock"})
    assert diagnose(database)[0] == 0

    foreign = tmp_path / "foreign.db"
    with closing(connect(foreign)) as connection:
        connection.execute("CREATE TABLE t (a)")
    before = foreign.read_bytes()
    code, checks = diagnose(foreign)
    assert (code, errors(checks)) == (1, {"database"})
    assert foreign.read_bytes() == before

    lock = database.with_name(f"{database.name}.lock")
    lock.unlink()
    lock.mkdir()
    code, checks = diagnose(database)
    assert (code, errors(checks)) == (1, {"lock"})
    assert f"lock file {lock} cannot be opened: " in checks["lock"][1]

    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    assert errors(diagnose(damaged)[1]) == {"database"}


@pytest.mark.sqlite("a file")
def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, checks = diagnose(f"sqlite:///{tmp_path}/file/x.db")
    assert (code, errors(checks)) == (1, {"database"})
    # Not even root can write there.
    code, checks = diagnose("sqlite:////proc/x/y.db")
    assert code == 1
    assert "no file can be created" in checks["database"][1]


@pytest.mark.sqlite("a file")
@pytest.mark.parametrize(("free", "state"), [(10**6, "error"), (10**8, "warning"), (10**10, "ok")])
def test_the_disk(database: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 0, free))
    code, checks = diagnose(database)
    assert checks["disk"][0] == state
    assert code == (state == "error")


@pytest.mark.postgresql("a server")
def test_a_server(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert diagnose(database)[1]["encoding"] == ("ok", "UTF8")
    with closing(connect(database)) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        connection.commit()
    assert "server" in errors(diagnose(database)[1])

    monkeypatch.setattr("sgr_spiders.cli.checks.database.MIN_VERSION", 990_000)
    assert "older than PostgreSQL 99" in diagnose(database)[1]["server"][1]


@pytest.mark.postgresql("a server")
def test_a_server_without_a_schema(tmp_path: Path) -> None:
    create_blank(tmp_path / "new.db")
    with closing(connect(tmp_path / "new.db")) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = nowhere')
        connection.commit()
    code, checks = diagnose(tmp_path / "new.db")
    assert (code, errors(checks)) == (1, {"schema"})
    assert checks["schema"][1] == "no schema of `search_path` exists; create one"


@pytest.mark.postgresql("a server")
def test_a_database_in_another_encoding() -> None:
    url, name = os.environ[VARIABLE], f"doctor_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        made = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        connection.execute(f"CREATE DATABASE {name} {made}")
        latin1 = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
        try:
            code, checks = diagnose(latin1)
        finally:
            connection.execute(f"DROP DATABASE {name}")
    assert (code, errors(checks)) == (1, {"encoding"})
    assert "LATIN1" in checks["encoding"][1]


def test_a_server_that_is_not_there() -> None:
    code, checks = diagnose("postgresql://nobody:hidden@127.0.0.1:1/x")
    assert (code, errors(checks)) == (1, {"database"})
    assert "hidden" not in str(checks)


@pytest.mark.slow
def test_online_each_lane_is_asked(tmp_path: Path, database: Path) -> None:
    with SandboxProcess() as sandbox:
        environment: dict[str, Any] = {**sandbox.env(), "HARVEST_DATABASE_URL": url_of(database)}
        code, out, _ = scrapy("doctor", "--online", **environment)
        assert code == 0, out
        assert "token accepted" in out
        assert [line["path"] for line in sandbox.log()] == ["/oauth/token", "/users"]

        sandbox.set_faults([{"name": "wrong_clock", "seconds": -500}])
        _, out, _ = scrapy("doctor", "--online", **environment)
        assert "ahead of the API's" in out

        sandbox.set_faults(["waf_challenge"])
        code, out, _ = scrapy("doctor", "--online", "--json", **environment)
        assert code == 1
        assert "lane default" in {check["name"] for check in json.loads(out)["checks"]}

        lanes = tmp_path / "lanes.yaml"
        lanes.write_text(f"anna: {{client_id: another, client_secret: {SECRET}}}\n")
        lanes.chmod(0o600)
        sandbox.clear_faults()
        environment["SOUNDCLOUD_CREDENTIALS"] = str(lanes)
        code, out, err = scrapy("doctor", "--online", **environment)
        assert code == 1
        assert "refused" in out
        assert SECRET not in out + err


class FakeProcess:
    """Stands for the process of Scrapy: *run* is done with the spider in place of a crawl."""

    def __init__(self, run: Callable[[QuestionSpider], None], *, error: Exception | None = None) -> None:
        self.settings = Settings({**KEYS, "SOUNDCLOUD_CLIENT_ID": "an-app"})
        self.spider: QuestionSpider | None = None
        self._run = run
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_future()
        self._error = error

    def create_crawler(self, _spider: type[QuestionSpider]) -> FakeProcess:
        return self

    def crawl(self, _crawler: FakeProcess, **arguments: Any) -> asyncio.Future[None]:
        self.spider = QuestionSpider(**arguments)
        return self._task

    def start(self) -> None:
        assert self.spider is not None
        if self._error is None:
            self._run(self.spider)
            self._task.set_result(None)
        else:
            self._task.set_exception(self._error)
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def ask(process: FakeProcess) -> Online:
    return ask_online(cast("AsyncCrawlerProcess", process))


def test_a_lane_that_was_not_asked_is_an_error() -> None:
    checks = list(check_lanes(ask(FakeProcess(lambda spider: spider.closed("finished"))).problems))
    assert [(check.state, check.message) for check in checks] == [("error", "was not asked")]


def test_an_interrupted_or_failed_question_is_no_answer() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(FakeProcess(lambda spider: spider.closed("shutdown")))
    with pytest.raises(ConfigError, match="wrong"):
        ask(FakeProcess(lambda _: None, error=ConfigError("wrong")))


@pytest.mark.parametrize("date", ["yesterday", f"Thu, 01 Jan {10**30} 00:00:00 GMT"])
def test_a_malformed_date_says_nothing_about_the_clock(date: str) -> None:
    spider = QuestionSpider(online=Online())
    spider._note(cast("ApiResponse", Response("https://x", headers={"Date": date, WORLD: "w"})))
    assert (spider.online.clock_error, spider.online.world) == (None, "w")


def test_the_parts_are_those_that_can_be_installed(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    parts = {name: wanted for name, wanted in project["optional-dependencies"].items() if name != "dev"}
    assert setup.EXTRAS.keys() == parts.keys()
    for name, wanted in parts.items():
        packages = {re.split(r"[\[<>=]", one)[0].replace("-", "_") for one in wanted} - {"setuptools"}
        assert set(setup.EXTRAS[name]) == packages


def test_as_a_process_with_wrong_settings() -> None:
    environment: dict[str, Any] = {"HARVEST_DATABASE_URL": "sqlite:///:memory:", **KEYS}
    code, out, err = scrapy("doctor", **environment)
    assert code == 1, err
    assert "must name a file" in out
    assert migrate.HEAD not in out
    assert SECRET not in out + err
