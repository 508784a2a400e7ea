"""A wrong setting is reported in one line with name and value before anything is opened or sent."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.crawler import Crawler
from scrapy.settings import default_settings
from scrapy.utils.project import get_project_settings

from sgr_spiders import settings as project
from sgr_spiders.config.settings import SETTINGS, check_mappings, check_settings
from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.spiders.user_depth import UserDepthSpider
from tests.scrapy_process import scrapy

COUNTS = [
    "RETRY_TIMES", "DISALLOWED_RETRY_TIMES", "TOKEN_TRIES", "RATE_LIMIT_MAX_HOLDS", "DEDUPE_MEMORY",
    "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "CONCURRENT_ITEMS", "DOWNLOAD_MAXSIZE",
    "DOWNLOAD_WARNSIZE", "CLOSESPIDER_ITEMCOUNT", "CLOSESPIDER_PAGECOUNT", "CLOSESPIDER_ERRORCOUNT",
    "MEMUSAGE_LIMIT_MB", "MEMUSAGE_WARNING_MB", "DNSCACHE_SIZE", "REACTOR_THREADPOOL_MAXSIZE",
]  # fmt: skip
NUMBERS = [
    "BACKOFF_BASE", "BACKOFF_MAX", "DISALLOWED_BACKOFF_BASE", "RATE_LIMIT_BASE", "RATE_LIMIT_MAX",
    "PROGRESS_INTERVAL", "DOWNLOAD_DELAY", "DOWNLOAD_DELAY_JITTER", "DOWNLOAD_TIMEOUT",
    "AUTOTHROTTLE_START_DELAY", "AUTOTHROTTLE_TARGET_CONCURRENCY", "AUTOTHROTTLE_MAX_DELAY",
    "CLOSESPIDER_TIMEOUT", "MEMUSAGE_CHECK_INTERVAL_SECONDS",
]  # fmt: skip
SWITCHES = [
    "LOG_ENABLED", "LOG_JSON", "LOG_FILE_APPEND", "LOG_STDOUT", "AUTOTHROTTLE_ENABLED", "ROBOTSTXT_OBEY",
    "COOKIES_ENABLED", "REDIRECT_ENABLED", "MEMUSAGE_ENABLED", "HTTPPROXY_ENABLED",
    "DOWNLOAD_VERIFY_CERTIFICATES",
]  # fmt: skip
URLS = ["SOUNDCLOUD_API_URL", "SOUNDCLOUD_TOKEN_URL", "SOUNDCLOUD_SITE_URL", "SPLASH_URL", "SCOPE_ORIGINS"]

WRONG: list[tuple[str, object, str]] = [
    *((name, value, "must be an integer from") for name in COUNTS for value in ("many", "-1", "1_0", "1.5")),
    *((name, value, "must be a number") for name in NUMBERS for value in ("often", "-1", "inf", "nan", "")),
    *((name, value, "must be 0, 1, true or false") for name in SWITCHES for value in ("yes", "2", "")),
    *((name, "ftp://example.org/", "HTTP URL") for name in URLS),
    *((name, "localhost:8899", "HTTP URL") for name in URLS),
    *((name, "http://exa mple.org", "without spaces") for name in URLS),
    *((name, "http://me:hushhush@example.org", "without a user name: 'http://me:***@") for name in URLS),
    *((name, "http://example.org:0", "port from 1 to 65535") for name in URLS),
    *((name, "http://example.org:70000/x", "port from 1 to 65535") for name in URLS),
    *((name, "http://example.org:http", "port from 1 to 65535") for name in URLS),
    *((name, "https://example.org/?a=1", "without a query") for name in URLS),
    *((name, "https://example.org/#a", "without a query or fragment") for name in URLS),
    ("SPLASH_URL", "", "must be an HTTP URL, not ''"),
    ("SPLASH_URL", "http://", "must be an HTTP URL, not"),
    ("SPLASH_URL", "http://[::1", "Invalid IPv6 URL"),
    ("SPLASH_URL", "http://a..b", "must be an HTTP URL, not"),
    ("RETRY_TIMES", "101", "must be an integer from 0 to 100, not '101'"),
    ("RETRY_TIMES", True, "must be an integer from 0 to 100, not True"),
    ("RETRY_TIMES", None, "must be an integer from 0 to 100, not None"),
    ("RETRY_TIMES", "٣", "must be an integer from 0 to 100, not '٣'"),
    ("RETRY_TIMES", "9" * 5000, "must be an integer from 0 to 100, not '999"),
    ("TOKEN_TRIES", "0", "must be an integer from 1 to 100, not '0'"),
    ("CONCURRENT_REQUESTS", "0", "must be an integer from 1 to 1000, not '0'"),
    ("PROGRESS_INTERVAL", "0", "must be a number above 0, at most 86400, not '0'"),
    ("PROGRESS_INTERVAL", [60], "must be a number above 0, at most 86400, not [60]"),
    ("DOWNLOAD_TIMEOUT", "0", "must be a number above 0"),
    ("PROGRESS", "Bars", "must be auto, bar or off, not 'Bars'"),
    ("LOG_LEVEL", "info", "must be CRITICAL, ERROR, WARNING, INFO or DEBUG, not 'info'"),
    ("LOG_LEVEL", "20", "must be CRITICAL"),
    ("LOG_LEVEL", True, "must be CRITICAL"),
    ("LOG_FORMAT", "%(nonsense)s", "must be a format of Python's logging"),
    ("LOG_FORMAT", "%(message", "must be a format of Python's logging"),
    ("LOG_ENCODING", "utf-88", "must be a text encoding"),
    ("LOG_ENCODING", "hex", "must be a text encoding"),
    ("LOG_FILE", "/", "is a directory, not a file: '/'"),
    ("LOG_FILE", "/nowhere/at/all.log", "its directory does not exist; create it: '/nowhere/at/all.log'"),
    ("LOG_FILE", "a\0b", "must be a path: 'a\\x00b'"),
    ("LOG_FILE", "a" * 5000, "cannot be used (File name too long)"),
    ("HARVEST_METRICS_FILE", "metrics.txt", "must end in .prom, because the node exporter reads no others"),
    ("HARVEST_METRICS_FILE", "/nowhere/a.prom", "its directory does not exist; create it: '/nowhere/a.prom'"),
    *(("HARVEST_METRICS_PORT", value, "must be a port from 0 to 65535, or HOST:PORT")
      for value in ("many", "-1", "65536", "a..b:1", "host:", True)),
    *(("HARVEST_METRICS_PORT", value, "must name a host") for value in (":9400", "a b:9400")),
    ("HARVEST_METRICS_INTERVAL", "0", "must be a number above 0"),
    ("FEEDS", {"out.jsonl": {"format": "jsonlines"}}, "must be empty: a crawl writes its records"),
    ("FEEDS", "s3://me:hushhush@bucket/out.jsonl", "the command `export` writes files"),
    *(("HTTPCACHE_ENABLED", value, "must be off") for value in (True, "1", "true", "yes", "")),
    ("JOBDIR", __file__, "is a file, not a directory"),
    ("CONTACT", "me\r\nX-Evil: 1", "must be printable text on one line, of 1 to 500 characters"),
    ("USER_AGENT", "", "must be printable text"),
    ("USER_AGENT", "x" * 501, "must be printable text"),
    ("SOUNDCLOUD_CLIENT_ID", "a b", "must be printable ASCII without whitespace"),
    ("TWISTED_REACTOR", "twisted.internet.pollreactor.PollReactor", "AsyncioSelectorReactor, not 'twisted"),
    ("DOWNLOAD_SLOTS", "x.Y", "must be a mapping, as JSON, not 'x.Y'"),
    ("SCHEDULER", "not a path", "must be the import path of a class"),
    ("HARVEST_CONFIG", "a\nb", "must be printable text on one line, not 'a\\nb'"),
    ("HARVEST_DATABASE_URL", "nonsense", "such as sqlite:///data/x.db, not 'nonsense'"),
    ("HARVEST_DATABASE_URL", "me:hushhush@host/db", "not 'me…'"),
    ("HARVEST_DATABASE_URL", "postgresql//me:hushhush@host/db", "not 'postgresql…'"),
    ("HARVEST_DATABASE_URL", "", "must be an SQLAlchemy URL"),
    ("HARVEST_DATABASE_URL", None, "must be an SQLAlchemy URL"),
    ("HARVEST_DATABASE_URL", "postgres://me:hushhush@h/d", "must begin with postgresql://"),
    ("HARVEST_DATABASE_URL", "mysql://me:hushhush@h/d", "must begin with sqlite:/// or postgresql://"),
    ("HARVEST_DATABASE_URL", "postgresql+psycopg2://me:hushhush@h/d", '`pip install "psycopg2"`'),
    ("HARVEST_DATABASE_URL", "sqlite://", "must name a file: a database in memory is lost"),
    ("HARVEST_DATABASE_URL", "sqlite:///:memory:", "must name a file: a database in memory is lost"),
    ("HARVEST_DATABASE_URL", "sqlite:///file:x?mode=memory&uri=true", "must name a file"),
    ("HARVEST_DATABASE_URL", "sqlite:///x.db?password=hushhush", "no other option than `?timeout=SECONDS`"),
    ("HARVEST_DATABASE_URL", "sqlite://x.db", "must begin with sqlite:///"),
    ("HARVEST_DATABASE_URL", "sqlite:////", "is a directory, not a file"),
    ("HARVEST_DATABASE_URL", "sqlite:///data/", "is a directory, not a file"),
]  # fmt: skip


def check(**values: object) -> None:
    check_mappings(f"{name}={value}" for name, value in values.items() if isinstance(value, str))
    settings = get_project_settings()
    settings.update(values, priority="cmdline")
    check_settings(settings, vars(default_settings))


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 150
    assert len({name for name, _, _ in WRONG}) >= 50


@pytest.mark.parametrize(("name", "value", "problem"), WRONG)
def test_a_wrong_value_is_one_line_with_name_and_value(name: str, value: object, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"setting `{name}`: ")
    assert problem in message
    assert message.isprintable()
    assert len(message) < 260
    assert "hushhush" not in message


@pytest.mark.parametrize(
    "url", ["postgresql://h:0/d", "postgresql://h:99999/d", "postgresql://h:x/d", "postgresql://h/"]
)
def test_database_servers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sgr_spiders.config.settings.find_spec", lambda name: name == "psycopg")
    with pytest.raises(ConfigError, match=r"`HARVEST_DATABASE_URL`: must name a "):
        check(HARVEST_DATABASE_URL=url)
    for fine in (
        "postgresql://h/d",
        "postgresql+psycopg://me:p@ss/w?rd@h:5432/d",
        "postgresql:///d?host=/tmp",
        "postgresql://h",
    ):
        check(HARVEST_DATABASE_URL=fine)


def test_the_defaults_are_accepted() -> None:
    check()
    own = {name for name in vars(project) if name.isupper()}
    fixed = {"BOT_NAME", "SPIDER_MODULES", "NEWSPIDER_MODULE", "COMMANDS_MODULE", "ASYNCIO_EVENT_LOOP"}
    assert own - fixed <= set(SETTINGS)
    assert all(setting.meaning and setting.kind.demand for setting in SETTINGS.values())


@pytest.mark.parametrize("name", sorted(set(SETTINGS) & set(vars(default_settings))))
def test_the_defaults_of_scrapy_are_accepted(name: str) -> None:
    check(**{name: getattr(default_settings, name)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRY_TIMES", "0"), ("RETRY_TIMES", 100), ("PROGRESS_INTERVAL", "0.5"), ("BACKOFF_BASE", ".01"),
        ("BACKOFF_MAX", "1e-2"), ("DOWNLOAD_DELAY", 0), ("LOG_LEVEL", "DEBUG"), ("LOG_LEVEL", logging.INFO),
        ("LOG_FILE", ""), ("LOG_FILE", None), ("LOG_FILE", "crawl.log"), ("LOG_FILE", Path("crawl.log")),
        ("LOG_JSON", "true"), ("LOG_JSON", "False"), ("LOG_JSON", 1), ("LOG_JSON", False),
        ("SPLASH_URL", "http://[::1]:8050"), ("SOUNDCLOUD_API_URL", "http://127.0.0.1:8899"),
        ("SOUNDCLOUD_TOKEN_URL", "https://a.example/oauth/token"), ("JOBDIR", ""), ("JOBDIR", "jobs"),
        ("SCOPE_ORIGINS", "http://a,https://b"), ("SCOPE_ORIGINS", ["http://a"]), ("SCOPE_ORIGINS", ""),
        ("CONTACT", "Zoë <zoe@example.org>"), ("DOWNLOAD_SLOTS", "{}"), ("EXTENSIONS", {}),
        ("HARVEST_DATABASE_URL", "sqlite:////tmp/a@b:c.db"), ("HARVEST_DATABASE_URL", "sqlite:///a.db?timeout=5"),
        ("HARVEST_METRICS_FILE", "a.prom"), ("HARVEST_METRICS_PORT", 9400),
        ("HARVEST_METRICS_PORT", "0.0.0.0:0"),
        ("HARVEST_METRICS_PORT", "[::1]:9400"), ("HARVEST_METRICS_PORT", "localhost:9400"),
        ("LOG_ENCODING", "latin-1"), ("LOG_DATEFORMAT", "%H:%M"), ("SOUNDCLOUD_CLIENT_ID", ""),
    ],
)  # fmt: skip
def test_accepted_values(name: str, value: object) -> None:
    check(**{name: value})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HARVEST_DATABSE_URL", "HARVEST_DATABASE_URL"),
        ("HARVEST_DATABASE", "HARVEST_DATABASE_URL"),
        ("SOUNDCLOUD_CLIENTID", "SOUNDCLOUD_CLIENT_ID"),
        ("RATE_LIMIT_MAXHOLDS", "RATE_LIMIT_MAX_HOLDS"),
        ("PROGRESS_INTERVALL", "PROGRESS_INTERVAL"),
        ("MAX_GONE_ROWS_ALLOWED", "MAX_GONE_ROW"),
        ("CONCURENT_REQUESTS", "CONCURRENT_REQUESTS"),
    ],
)
def test_a_misspelt_name_is_corrected(name: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(**{name: "1"})
    assert str(caught.value) == f"setting `{name}`: unknown (did you mean `{meant}`?)"


def test_a_setting_of_another_component_is_ignored() -> None:
    check(SCRAPEOPS_API_KEY="x", MY_OWN="y", FEED_EXPORT_INDENT="2", DOWNLOAD_DIRECTORY="z")


@given(
    name=st.sampled_from(sorted(SETTINGS)), value=st.one_of(st.text(), st.integers(), st.floats(), st.none())
)
def test_every_value_is_accepted_or_refused_in_one_line(name: str, value: object) -> None:
    try:
        check_settings({name: value})
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - or there is none
        assert len(str(error)) < 300  # noqa: PT017


@given(st.text(alphabet="postgresql+sqlite:/@?#[]&=.%0123456789 hñ\\"))
def test_every_text_like_a_url_is_accepted_or_refused_in_one_line(text: str) -> None:
    for name in ("HARVEST_DATABASE_URL", "SPLASH_URL", "SCOPE_ORIGINS"):
        try:
            check_settings({name: text})
        except ConfigError as error:
            assert str(error).isprintable()  # noqa: PT017 - as above


# ---- as commands


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("crawl", "user_depth", "-a", "track_id=1", "-s", "RETRY_TIMES=many"),
            "setting `RETRY_TIMES`: must be an integer from 0 to 100, not 'many'",
        ),
        (
            ("crawl", "user_depth", "-a", "track_id=1", "-L", "loud"),
            "setting `LOG_LEVEL`: must be CRITICAL, ERROR, WARNING, INFO or DEBUG, not 'loud'",
        ),
        (
            ("crawl", "deep_harvest", "-a", "track_id=1", "--logfile", "no/where.log"),
            "setting `LOG_FILE`: its directory does not exist; create it: 'no/where.log'",
        ),
        (
            ("status", "-s", "HARVEST_DATABSE_URL=x"),
            "setting `HARVEST_DATABSE_URL`: unknown (did you mean `HARVEST_DATABASE_URL`?)",
        ),
        (
            ("relate", "-s", "LOG_LEVEL=info"),
            "setting `LOG_LEVEL`: must be CRITICAL, ERROR, WARNING, INFO or DEBUG, not 'info'",
        ),
        (
            ("harvests", "--database", "postgres://me:hushhush@h/d"),
            "option `--database`: must begin with postgresql://, as SQLAlchemy spells it: 'postgres://me:***@h/d'",
        ),
    ],
)
def test_a_command_ends_with_code_2_and_one_line(
    command: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    database = tmp_path / "harvest.db"
    said = scrapy(*command, HARVEST_DATABASE_URL=f"sqlite:///{database}")
    assert (said.code, said.out, said.err) == (2, "", f"{message}\n")
    assert not list(tmp_path.iterdir())


def test_the_environment_is_checked_as_well(tmp_path: Path) -> None:
    said = scrapy("crawl", "user_depth", "-a", "track_id=1", HARVEST_DATABASE_URL=f"sqlite:///{tmp_path}")
    assert said.code == 2
    assert said.err.startswith("setting `HARVEST_DATABASE_URL`: is a directory, not a file: ")
    assert said.err.count("\n") == 1


def test_the_log_of_a_job_of_scrapyd_says_why_it_was_not_started(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    # With `items_dir`, Scrapyd asks for a feed.
    feeds = ("-s", 'FEEDS={"file:///a.jl": {"format": "jsonlines"}}')
    said = scrapy("crawl", "user_depth", "-a", "track_id=1", "-s", f"LOG_FILE={log}", *feeds)
    assert said.code == 2
    assert said.err.startswith("setting `FEEDS`: must be empty: a crawl writes its records to the database")
    assert log.read_text() == f"Not started: {said.err}"


def test_a_crawler_created_in_python_is_checked_as_well() -> None:
    settings = get_project_settings()
    settings.set("RETRY_TIMES", "many")
    with pytest.raises(ConfigError, match="setting `RETRY_TIMES`: must be an integer"):
        UserDepthSpider.from_crawler(Crawler(UserDepthSpider, settings), track_id="1")


def test_the_own_names_of_a_settings_module_are_not_misspellings() -> None:
    check_settings({"_ITEM_PIPELINES": {}, "_PROGRESS_": 1})
    with pytest.raises(ConfigError, match="`PROGRES`: unknown"):
        check_settings({"PROGRES": "off"})
