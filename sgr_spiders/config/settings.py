"""The settings that a user may change: accepted values, meanings, and the check of all of them.

``sgr_spiders/settings.py`` contains the defaults and the reasons for them.
"""

from __future__ import annotations

import codecs
import ipaddress
import json
import logging
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.masking import mask_url
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. ``accepts`` may also raise ``ValueError`` with the reason against a value."""

    demand: str
    """A description of the values: ``an integer from 0 to 100``."""
    accepts: Callable[[object], bool]
    is_secret: bool = False
    """True if messages must not show the values."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The accepted values and the meaning of a setting."""

    kind: Kind
    meaning: str


# ---- the check


def check_settings(settings: Mapping[str, object], scrapy_names: Container[str] = ()) -> None:
    """Check all *settings* before anything is opened or sent; raise ``ConfigError`` for the first wrong one.

    *scrapy_names* are the names of Scrapy's own settings.
    """
    for problem in find_problems(settings, scrapy_names):
        raise ConfigError(problem)


def find_problems(settings: Mapping[str, object], scrapy_names: Container[str] = ()) -> Iterator[str]:
    """Yield a message for each wrong setting."""
    for name in settings:
        # A settings module's own names may begin with an underscore.
        if name not in SETTINGS and name not in scrapy_names and not name.startswith("_"):
            hint = _find_misspelling(name)
            if hint is not None:
                yield f"setting `{for_message(name)}`: unknown{hint}"
    for name, setting in SETTINGS.items():
        if name in settings:
            problem = find_problem(setting.kind, settings[name])
            if problem is not None:
                yield f"setting `{name}`: {problem}"


def check_mappings(given: Iterable[str]) -> None:
    """Check the mappings among the ``NAME=VALUE`` strings of ``-s``; Scrapy decodes them unchecked."""
    for name, _, value in (text.partition("=") for text in given):
        if name in SETTINGS and SETTINGS[name].kind in {MAPPING, NO_FEEDS}:
            problem = find_problem(SETTINGS[name].kind, value)
            if problem is not None:
                raise ConfigError(f"setting `{name}`: {problem}")


def find_problem(kind: Kind, value: object) -> str | None:
    """Return the reason against a value, with the value itself, shortened and without a password."""
    try:
        if kind.accepts(value):
            return None
        problem = f"must be {kind.demand}, not"
    except ValueError as error:
        problem = f"{error}:"
    return f"{problem.rstrip(':, not')}" if kind.is_secret else f"{problem} {_shown(value)}"


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return quote_value(value)
    if "@" in value and "://" not in value:
        # This may be a broken URL, any part of which may be the password.
        return quote_value(re.split("[:/@]", value)[0] + "…")
    return quote_value(mask_url(value))


def _find_misspelling(name: str) -> str | None:
    """Return a hint if an unknown name has a prefix of this project or is very close to a known one.

    Other names may belong to the user's components.
    """
    if name.startswith(_OURS):
        return did_you_mean(name, SETTINGS)
    close = get_close_matches(name, SETTINGS, n=1, cutoff=0.92)
    return f" (did you mean `{close[0]}`?)" if close else None


_OURS = (
    "BACKOFF_",
    "DEDUPE_",
    "DISALLOWED_",
    "HARVEST_",
    "MAX_GONE_",
    "OUTAGE_",
    "PROGRESS",
    "RATE_LIMIT_",
    "SOUNDCLOUD_",
    "TOKEN_",
)


# ---- numbers, switches, words


def _integer(least: int, most: int) -> Kind:
    def accepts(value: object) -> bool:
        if isinstance(value, str):
            # `int(text)` alone would accept `1_000` and digits of every script.
            return re.fullmatch("-?[0-9]{1,18}", value) is not None and least <= int(value) <= most
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return Kind(f"an integer from {least} to {most}", accepts)


def _number(least: float, most: float, *, above: bool = False) -> Kind:
    """Return the kind of numbers from *least* to *most*; *above* excludes *least*."""

    def accepts(value: object) -> bool:
        if isinstance(value, str):
            if not re.fullmatch(_NUMBER, value):
                return False
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return least <= value <= most and not (above and value == least)

    lower = f"above {least:g}, at most" if above else f"from {least:g} to"
    return Kind(f"a number {lower} {most:g}", accepts)


_NUMBER = r"-?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE]-?[0-9]{1,2})?"


def _words(*known: str) -> Kind:
    *others, last = known
    text = f"{', '.join(others)} or {last}" if others else last
    return Kind(text, lambda value: isinstance(value, str) and value in known)


def _optional(kind: Kind) -> Kind:
    return Kind(f"{kind.demand}, or empty", lambda value: value is None or value == "" or kind.accepts(value))


def _is_switch(value: object) -> bool:
    if isinstance(value, str):
        return value in {"0", "1", "true", "false", "True", "False"}
    return isinstance(value, int) and value in {0, 1}


SWITCH = Kind("0, 1, true or false", _is_switch)


# ---- text


def _is_printable(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_header(value: object) -> bool:
    return _is_printable(value) and 0 < len(str(value).strip()) <= 500


def _is_key(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value


TEXT = Kind("printable text on one line", _is_printable)
HEADER = Kind("printable text on one line, of 1 to 500 characters", _is_header)
KEY = Kind("printable ASCII without whitespace", _is_key, is_secret=True)


def _is_log_level(value: object) -> bool:
    if isinstance(value, str):
        return value in _LEVELS
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= logging.CRITICAL


_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
LOG_LEVEL = Kind("CRITICAL, ERROR, WARNING, INFO or DEBUG", _is_log_level)


def _is_log_format(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        record = logging.LogRecord("name", logging.INFO, "path", 1, "message", None, None)
        logging.Formatter(value).format(record)
    except (ValueError, KeyError, TypeError):
        return False
    return True


def _is_date_format(value: object) -> bool:
    # `strftime` raises on a NUL and returns an empty string for an unknown directive.
    return _is_printable(value) and time.strftime(str(value) or "x", time.gmtime(0)) != ""


def _is_encoding(value: object) -> bool:
    try:
        # Text encodings only: `hex` and `rot13` are codecs as well.
        "text".encode(str(value))
        codecs.lookup(str(value))
    except (LookupError, ValueError):
        return False
    return isinstance(value, str)


# ---- files


def _is_writable_file(value: object) -> bool:
    path = _path(value)
    try:
        if path.is_dir():
            raise ValueError("is a directory, not a file")
        if not path.parent.is_dir():
            raise ValueError("its directory does not exist; create it")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ValueError("cannot be written")
    except OSError as error:
        raise ValueError(f"cannot be used ({error.strerror})") from None
    return True


def _is_directory(value: object) -> bool:
    path = _path(value)
    try:
        if path.exists() and not path.is_dir():
            raise ValueError("is a file, not a directory")
    except OSError as error:
        raise ValueError(f"cannot be used ({error.strerror})") from None
    return True


def _path(value: object) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise ValueError("must be a path")  # noqa: TRY004 - the caller catches only ValueError
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("must be a path")
    return Path(text)


def _is_metrics_file(value: object) -> bool:
    path = _path(value)
    if path.suffix != ".prom":
        raise ValueError("must end in .prom, because the node exporter reads no others")
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        raise ValueError("is in a directory that cannot be written")
    return _is_writable_file(path)


FILE = _optional(Kind("the path of a file", _is_writable_file))
METRICS_FILE = _optional(Kind("the path of a file that ends in .prom", _is_metrics_file))
DIRECTORY = _optional(Kind("the path of a directory", _is_directory))


# ---- URLs


def _is_http_url(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return False
    if " " in value or "\\" in value:
        raise ValueError("must be an HTTP URL without spaces or backslashes")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    if "@" in parts.netloc:
        raise ValueError("must be a URL without a user name")
    if "?" in value or "#" in value:
        raise ValueError("must be a URL without a query or fragment")
    return _is_host(parts.netloc)


def _is_host(netloc: str) -> bool:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]*))?", netloc)
    if match is None or (match[2] is not None and not _is_port(match[2])):
        raise ValueError("must name a host and, if any, a port from 1 to 65535")
    host = match[1]
    if host.startswith("["):
        ipaddress.IPv6Address(host[1:-1])
        return True
    return all(re.fullmatch("[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})", part) for part in host.split("."))


def _is_port(text: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and 1 <= int(text) <= 65535


def listen_address(value: object) -> tuple[str, int]:
    """Return the host and port of ``PORT`` or ``HOST:PORT``; without a host, only this machine can connect.

    Raises:
        ValueError: *value* is neither.
    """
    host, colon, port = str(value).rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535 or (colon and not _is_host(host)):
        raise ValueError("must be a port from 0 to 65535, or HOST:PORT")
    return host.strip("[]") or LOOPBACK, int(port)


LOOPBACK = "127.0.0.1"
METRICS_PORT = _optional(
    Kind("a port from 0 to 65535, or HOST:PORT", lambda value: bool(listen_address(value)))
)


def _are_http_urls(value: object) -> bool:
    # Scrapy also reads a list from a string with commas.
    urls = value.split(",") if isinstance(value, str) else value
    if not isinstance(urls, list | tuple):
        return False
    return all(_is_http_url(url) for url in urls if url != "" or len(urls) > 1)


def _is_proxy(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return False
    parts = urlsplit(value)
    if parts.scheme != "http":
        raise ValueError("must begin with http://, because other kinds of proxies are not supported")
    return _is_host(parts.netloc.rpartition("@")[2])


def check_proxy(settings: Mapping[str, object], proxies: Mapping[str, str]) -> None:
    """Check the proxy for https among the *proxies* of the environment, if the settings lead to it."""
    urls = (settings["SOUNDCLOUD_API_URL"], settings["SOUNDCLOUD_TOKEN_URL"])
    uses_https = any(str(url).startswith("https:") for url in urls)
    if uses_https and "https" in proxies and str(settings["HTTPPROXY_ENABLED"]) in {"1", "true", "True"}:
        problem = find_problem(PROXY, proxies["https"])
        if problem is not None:
            raise ConfigError(f"environment variable https_proxy: {problem}")


PROXY = Kind("the HTTP URL of a proxy", _is_proxy)
HTTP_URL = Kind("an HTTP URL", _is_http_url)
HTTP_URLS = Kind("a list of HTTP URLs, separated by commas", _are_http_urls)

DRIVERS = {
    "sqlite": "sqlite3",
    "sqlite+pysqlite": "sqlite3",
    "postgresql": "psycopg",
    "postgresql+psycopg": "psycopg",
    "postgresql+psycopg2": "psycopg2",
}
"""The schemes of database URLs, with the package that connects to such a database."""


def _is_database_url(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable():
        return False
    scheme, separator, rest = value.partition("://")
    if not separator:
        return False
    if scheme == "postgres":
        raise ValueError("must begin with postgresql://, as SQLAlchemy spells it")
    if scheme not in DRIVERS:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if find_spec(DRIVERS[scheme]) is None:
        package = "psycopg[binary]" if DRIVERS[scheme] == "psycopg" else DRIVERS[scheme]
        raise ValueError(f'needs a package that is not installed: `pip install "{package}"`')
    return _is_sqlite(rest) if scheme.startswith("sqlite") else _is_server(rest)


def _is_sqlite(rest: str) -> bool:
    path, _, query = rest.partition("?")
    if path in {"", "/", "/:memory:"} or path.startswith("/file:"):
        raise ValueError("must name a file: a database in memory is lost when the process ends")
    if not path.startswith("/"):
        raise ValueError("must begin with sqlite:///, and sqlite://// before an absolute path")
    if query and not re.fullmatch("timeout=[0-9]{1,4}", query):
        raise ValueError("must have no other option than `?timeout=SECONDS`")
    if path.endswith("/") or _is_directory_now(path[1:]):
        raise ValueError("is a directory, not a file")
    return True


def _is_directory_now(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError as error:
        raise ValueError(f"cannot be used ({error.strerror})") from None


def _is_server(rest: str) -> bool:
    address = rest.partition("?")[0]
    host, slash, name = address.rpartition("@")[2].partition("/")
    if host:
        _is_host(host)
    if slash and not name:
        raise ValueError("must name a database after the host")
    return True


DATABASE = Kind("an SQLAlchemy URL such as sqlite:///data/x.db", _is_database_url)


# ---- of Scrapy's components


def _is_mapping(value: object) -> bool:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return False
    return isinstance(value, Mapping)


def _is_dotted(value: object) -> bool:
    if not isinstance(value, str):
        return value is not None
    return re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value, re.ASCII) is not None


def _is_no_feed(value: object) -> bool:
    if value in ("", "{}", None) or (isinstance(value, Mapping) and not value):
        return True
    raise ValueError(f"must be empty: {NO_FEEDS_BECAUSE}")


def _is_off(value: object) -> bool:
    if _is_switch(value) and str(value).lower() in {"0", "false"}:
        return True
    raise ValueError(
        "must be off: a rerun sends no request for what the database contains; `-a refresh=1` refetches it"
    )


MAPPING = Kind("a mapping, as JSON", _is_mapping)
NO_FEEDS_BECAUSE = "a crawl writes its records to the database, and the command `export` writes files"
"""The reason against ``-o``, ``-O`` and ``FEEDS``: an item is a page of the API, not a record."""
# The URI of a feed may contain a password in forms that are not masked.
NO_FEEDS = Kind("empty", _is_no_feed, is_secret=True)
NO_CACHE = Kind("off", _is_off)
DOTTED = Kind("the import path of a class", _is_dotted)

# ---- the settings

COUNT = _integer(0, 10**9)
SECONDS = _number(0, 86_400)
SOME_SECONDS = _number(0, 86_400, above=True)
MEGABYTES = _integer(0, 10**7)
BYTES = _integer(0, 2**40)

SETTINGS: dict[str, Setting] = {
    # --- ours
    "SOUNDCLOUD_API_URL": Setting(HTTP_URL, "the API"),
    "SOUNDCLOUD_TOKEN_URL": Setting(HTTP_URL, "the token endpoint"),
    "SOUNDCLOUD_SITE_URL": Setting(HTTP_URL, "the site whose pages Splash renders"),
    "SPLASH_URL": Setting(HTTP_URL, "Splash, which renders pages"),
    "SCOPE_ORIGINS": Setting(HTTP_URLS, "origins other than the API that requests may go to"),
    "SOUNDCLOUD_CLIENT_ID": Setting(KEY, "the client ID of your app"),
    "SOUNDCLOUD_CLIENT_SECRET": Setting(KEY, "the client secret of your app"),
    "SOUNDCLOUD_ACCESS_TOKEN": Setting(KEY, "your own access token, used instead of client credentials"),
    "SOUNDCLOUD_CREDENTIALS": Setting(
        _optional(Kind("the path of a file", lambda value: bool(_path(value)))),
        "a file of named client credentials or tokens, one lane for each, used instead of the above",
    ),
    "CONTACT": Setting(HEADER, "your address or URL, for the operator of the API"),
    "USER_AGENT": Setting(HEADER, "the name of this crawler in each request"),
    "HARVEST_DATABASE_URL": Setting(DATABASE, "the database"),
    "HARVEST_CONFIG": Setting(TEXT, "the configuration: a YAML file or a name in `configs/`"),
    "HARVEST_SHARE_LANES": Setting(SWITCH, "share the request rate of a key among workers on a server"),
    "HARVEST_LEASE_SECONDS": Setting(SOME_SECONDS, "seconds after which a silent worker loses its leases"),
    "HARVEST_RESULT_FILE": Setting(FILE, "file for the result of a crawl"),
    "HARVEST_METRICS_FILE": Setting(METRICS_FILE, "file for metrics, for Prometheus"),
    "HARVEST_METRICS_PORT": Setting(METRICS_PORT, "port that serves metrics to Prometheus"),
    "HARVEST_METRICS_INTERVAL": Setting(SOME_SECONDS, "seconds between two updates of the metrics"),
    "HARVEST_COMMAND": Setting(TEXT, "the command that resumes the run"),
    "DEDUPE_MEMORY": Setting(_integer(1, 10**9), "record versions kept in memory"),
    "RETRY_TIMES": Setting(_integer(0, 100), "retries after a transient error"),
    "BACKOFF_BASE": Setting(SECONDS, "seconds before the first retry"),
    "BACKOFF_MAX": Setting(SECONDS, "maximum seconds before a retry"),
    "DISALLOWED_RETRY_TIMES": Setting(_integer(0, 100), "pauses or retries after a refusal by the gateway"),
    "DISALLOWED_BACKOFF_BASE": Setting(SECONDS, "seconds of the first of these pauses"),
    "RATE_LIMIT_BASE": Setting(SECONDS, "seconds of a rate-limit pause if the response names no time"),
    "RATE_LIMIT_MAX": Setting(SECONDS, "maximum seconds of such a pause"),
    "RATE_LIMIT_MAX_HOLDS": Setting(_integer(1, 1000), "consecutive pauses after which the run ends"),
    "MAX_GONE_ROW": Setting(_integer(1, 10**6), "responses without data in a row that cause a check"),
    "OUTAGE_AFTER": Setting(_integer(0, 1000), "failures in a row after which the API is probed; 0: never"),
    "OUTAGE_PROBES": Setting(_integer(1, 1000), "probes during an outage, before the run ends"),
    "OUTAGE_PROBES_AT_START": Setting(_integer(1, 1000), "such probes before the first response of a run"),
    "TOKEN_TRIES": Setting(_integer(1, 100), "tries per token request"),
    "PROGRESS": Setting(_words("auto", "bar", "off"), "display of progress"),
    "PROGRESS_INTERVAL": Setting(SOME_SECONDS, "seconds between two lines of progress"),
    # --- the log
    "LOG_JSON": Setting(SWITCH, "one JSON object per line"),
    "LOG_ENABLED": Setting(SWITCH, "write a log"),
    "LOG_LEVEL": Setting(LOG_LEVEL, "lowest level to log"),
    "LOG_FILE": Setting(FILE, "log file; standard error if empty"),
    "LOG_FILE_APPEND": Setting(SWITCH, "append to the log file"),
    "LOG_FORMAT": Setting(Kind("a format of Python's logging", _is_log_format), "format of a log line"),
    "LOG_DATEFORMAT": Setting(Kind("a date format, e.g. %Y-%m-%d", _is_date_format), "format of times"),
    "LOG_ENCODING": Setting(Kind("a text encoding, e.g. utf-8", _is_encoding), "encoding of the log"),
    "LOG_STDOUT": Setting(SWITCH, "also log standard output"),
    "LOG_SHORT_NAMES": Setting(SWITCH, "log only the first part of logger names"),
    "LOG_COLOR": Setting(SWITCH, "colours in the log of a terminal"),
    "LOG_INSTALL_ROOT_HANDLER": Setting(SWITCH, "let Scrapy install the log handler"),
    "STATS_DUMP": Setting(SWITCH, "log all statistics at the end"),
    # --- request rate
    "CONCURRENT_REQUESTS": Setting(_integer(1, 1000), "requests in progress at a time, per lane"),
    "CONCURRENT_REQUESTS_PER_DOMAIN": Setting(_integer(1, 1000), "transfers at a time, per lane"),
    "CONCURRENT_ITEMS": Setting(_integer(1, 1000), "pages in the pipelines at a time"),
    "DOWNLOAD_DELAY": Setting(_number(0, 3600), "seconds between two requests; `request_delay` sets it"),
    "DOWNLOAD_DELAY_JITTER": Setting(_number(0, 1), "share of the delay that is random"),
    "RANDOMIZE_DOWNLOAD_DELAY": Setting(SWITCH, "vary the delay at random"),
    "DOWNLOAD_SLOTS": Setting(MAPPING, "concurrency and delay of slots"),
    "DOWNLOAD_TIMEOUT": Setting(SOME_SECONDS, "seconds until a request times out"),
    "DOWNLOAD_MAXSIZE": Setting(BYTES, "maximum bytes of a response, decompressed; 0: no limit"),
    "DOWNLOAD_WARNSIZE": Setting(BYTES, "bytes of a response that cause a warning; 0: never"),
    "DOWNLOAD_FAIL_ON_DATALOSS": Setting(SWITCH, "treat a truncated response as an error"),
    "DOWNLOAD_VERIFY_CERTIFICATES": Setting(SWITCH, "verify certificates"),
    "AUTOTHROTTLE_ENABLED": Setting(SWITCH, "adapt the delay to the load of the server"),
    "AUTOTHROTTLE_DEBUG": Setting(SWITCH, "log each change of the delay"),
    "AUTOTHROTTLE_START_DELAY": Setting(_number(0, 3600), "seconds between requests at the start"),
    "AUTOTHROTTLE_TARGET_CONCURRENCY": Setting(_number(0, 1000, above=True), "requests at a time on average"),
    "AUTOTHROTTLE_MAX_DELAY": Setting(_number(0, 3600), "maximum seconds between requests"),
    "TWISTED_DNS_RESOLVER": Setting(DOTTED, "resolver of names"),
    "DNSCACHE_ENABLED": Setting(SWITCH, "cache name lookups"),
    "DNSCACHE_SIZE": Setting(COUNT, "name lookups in the cache"),
    "REACTOR_THREADPOOL_MAXSIZE": Setting(_integer(1, 1000), "threads of the reactor"),
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": Setting(_integer(1, 2**40), "bytes of responses processed at a time"),
    # --- ends
    "CLOSESPIDER_TIMEOUT": Setting(_number(0, 10**9), "close after seconds; 0: never"),
    "CLOSESPIDER_TIMEOUT_NO_ITEM": Setting(_number(0, 10**9), "close after seconds without a page; 0: never"),
    "CLOSESPIDER_ITEMCOUNT": Setting(COUNT, "close after pages; 0: never"),
    "CLOSESPIDER_PAGECOUNT": Setting(COUNT, "close after responses; 0: never"),
    "CLOSESPIDER_PAGECOUNT_NO_ITEM": Setting(COUNT, "close after responses without a page; 0: never"),
    "CLOSESPIDER_ERRORCOUNT": Setting(COUNT, "close after errors; 0: never"),
    "MEMUSAGE_ENABLED": Setting(SWITCH, "watch the memory"),
    "MEMUSAGE_LIMIT_MB": Setting(MEGABYTES, "megabytes at which the crawl closes; 0: never"),
    "MEMUSAGE_WARNING_MB": Setting(MEGABYTES, "megabytes that cause a warning; 0: never"),
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": Setting(SOME_SECONDS, "seconds between two checks of the memory"),
    "MEMDEBUG_ENABLED": Setting(SWITCH, "log live objects at the end"),
    # --- on and off
    "JOBDIR": Setting(DIRECTORY, "directory of Scrapy's own state; not needed by a harvest"),
    "FEEDS": Setting(NO_FEEDS, "Scrapy's feeds of items; always empty, because `scrapy export` writes files"),
    "HTTPCACHE_ENABLED": Setting(
        NO_CACHE, "Scrapy's cache of responses; always off, because the database is one"
    ),
    "HTTPPROXY_ENABLED": Setting(SWITCH, "use the proxy that the environment names"),
    "COMPRESSION_ENABLED": Setting(SWITCH, "request compressed responses"),
    "COOKIES_ENABLED": Setting(SWITCH, "send cookies"),
    "COOKIES_DEBUG": Setting(SWITCH, "log cookies"),
    "RETRY_ENABLED": Setting(SWITCH, "Scrapy's own retries"),
    "REDIRECT_ENABLED": Setting(SWITCH, "follow redirects"),
    "METAREFRESH_ENABLED": Setting(SWITCH, "follow redirects in pages"),
    "REFERER_ENABLED": Setting(SWITCH, "send referers"),
    "ROBOTSTXT_OBEY": Setting(SWITCH, "obey robots.txt, except that of the API host"),
    "TELNETCONSOLE_ENABLED": Setting(SWITCH, "a console on a port"),
    "REMOTE_CONTROL_ENABLED": Setting(SWITCH, "control by other processes"),
    "WARN_ON_GENERATOR_RETURN_VALUE": Setting(SWITCH, "check callbacks"),
    # --- components
    "ADDONS": Setting(MAPPING, "add-ons that install components"),
    "WRAPPED_DOWNLOAD_HANDLER": Setting(DOTTED, "download handler that transfers requests"),
    "SCHEDULER": Setting(DOTTED, "scheduler of requests"),
    "TWISTED_REACTOR": Setting(
        _words("twisted.internet.asyncioreactor.AsyncioSelectorReactor"), "the event loop's reactor"
    ),
    "ITEM_PIPELINES": Setting(MAPPING, "pipelines of pages"),
    "EXTENSIONS": Setting(MAPPING, "components connected to signals"),
    "DOWNLOAD_HANDLERS": Setting(MAPPING, "handlers that send requests"),
    "DOWNLOADER_MIDDLEWARES": Setting(MAPPING, "middlewares of requests and responses"),
    "SPIDER_MIDDLEWARES": Setting(MAPPING, "middlewares of responses and pages"),
    "DEFAULT_REQUEST_HEADERS": Setting(MAPPING, "headers of each request"),
}
"""Every setting of this project, and the settings of Scrapy that it relies on."""
