"""Every setting of the project, with its default and the reason for it.

``-s NAME=value`` overrides a setting. Settings read with ``_from_environment`` can also be given as
environment variables.
"""

from __future__ import annotations

import os
import sys

from sgr_spiders import __version__
from sgr_spiders.config import packages
from sgr_spiders.config.databases import default_database, in_project


def _from_environment(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


# Scrapyd's name for the project.
BOT_NAME = "soundgraph"
# One spider per layer, and `deep_harvest` for all layers.
SPIDER_MODULES = ["sgr_spiders.spiders"]
NEWSPIDER_MODULE = "sgr_spiders.spiders"
# `crawl` with meaningful exit codes, and the other commands of this project.
COMMANDS_MODULE = "sgr_spiders.commands"
# The middlewares wait with asyncio.
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
# Needs half the CPU time of asyncio's own loop.
ASYNCIO_EVENT_LOOP = "uvloop.Loop" if sys.platform != "win32" else None
# The check would read and parse the source of the callback for every request.
WARN_ON_GENERATOR_RETURN_VALUE = False
# A line per page would hide the rest; -s LOG_LEVEL=DEBUG shows these lines.
LOG_LEVEL = "INFO"
# One JSON object per line, for log collectors (docs/log.md).
LOG_JSON = False
# The statistics are in the database (`runs`); fifty lines of them would hide the summary.
STATS_DUMP = False
# Both let other users of this machine run code in the crawl or read its settings, including credentials.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

# Display of progress (docs/progress.md): `bar` is a block of lines below the log. `auto` shows the bar on a
# terminal, and log lines at intervals without a terminal or with LOG_FILE. `off` shows nothing.
PROGRESS = "auto"
# Seconds between two such lines: a harvest overnight writes some hundreds of them.
PROGRESS_INTERVAL = 60

# Metrics for Prometheus (docs/metrics.md), off if both are empty: a file for its node exporter, and a port.
HARVEST_METRICS_FILE = _from_environment("HARVEST_METRICS_FILE")
# A port alone can be reached from this machine only; HOST:PORT also from others. 0 is any free port.
HARVEST_METRICS_PORT = _from_environment("HARVEST_METRICS_PORT")
# Seconds between two updates: Prometheus usually asks every 15 to 60 s.
HARVEST_METRICS_INTERVAL = 15

# --- servers and credentials ----------------------------------------------------------------------

# The API; for an offline harvest, the URL of the sandbox.
SOUNDCLOUD_API_URL = _from_environment("SOUNDCLOUD_API_URL", "https://api.soundcloud.com")
# The token endpoint, which exchanges the client credentials for a token.
SOUNDCLOUD_TOKEN_URL = _from_environment("SOUNDCLOUD_TOKEN_URL", "https://secure.soundcloud.com/oauth/token")
# The client credentials of your app. Prefer the environment to -s, because `ps` shows command lines to every
# user.
SOUNDCLOUD_CLIENT_ID = _from_environment("SOUNDCLOUD_CLIENT_ID")
SOUNDCLOUD_CLIENT_SECRET = _from_environment("SOUNDCLOUD_CLIENT_SECRET")
# Your own access token, used instead of the client credentials.
SOUNDCLOUD_ACCESS_TOKEN = _from_environment("SOUNDCLOUD_ACCESS_TOKEN")
# A YAML file of named client credentials or tokens, used instead of the three above; nobody else may be able
# to read it. Each is a lane with a rate of its own (docs/operations.md). docs/terms.md says for which keys
# this is allowed.
SOUNDCLOUD_CREDENTIALS = _from_environment("SOUNDCLOUD_CREDENTIALS")
# Splash, which renders pages of the site if `commentary_layer.html_fallback` is on; otherwise it gets no
# requests. This is its own default URL.
SPLASH_URL = _from_environment("SPLASH_URL", "http://127.0.0.1:8050")
# The site whose pages Splash renders; tests name another one. Pages of other hosts are not requested.
SOUNDCLOUD_SITE_URL = "https://soundcloud.com"
# Contact for the operator of the API: your email address or URL.
CONTACT = _from_environment("CONTACT", "no contact given")
# Identifies the crawler and its operator.
USER_AGENT = f"SoundGraphDeepHarvest/{__version__} ({CONTACT})"
# The API specification asks clients to send it.
DEFAULT_REQUEST_HEADERS = {"Accept": "application/json; charset=utf-8"}

# --- database and configuration -------------------------------------------------------------------

# An SQLAlchemy URL. A relative path starts from the working directory, but the default is beside scrapy.cfg,
# if there is one. Use an absolute path with Scrapyd. If SOUNDCLOUD_API_URL is on this machine, the default is
# the sandbox's own database: sqlite:///data/sandbox.db
HARVEST_DATABASE_URL = _from_environment("HARVEST_DATABASE_URL", "sqlite:///data/soundgraph.db")
if not os.environ.get("HARVEST_DATABASE_URL"):
    # Beside scrapy.cfg, whatever directory of the project a command is run in.
    HARVEST_DATABASE_URL = in_project(default_database(SOUNDCLOUD_API_URL))
# A YAML file or a name in configs/; the spider argument `config` overrides it.
HARVEST_CONFIG = _from_environment("HARVEST_CONFIG", "deep_harvest")
# A file for the result of `scrapy crawl`, which sgr_spiders.harvest reads; empty: none.
HARVEST_RESULT_FILE = ""
# Workers of one run on a server: one that is silent for so long loses its leases. Far more than any pause.
HARVEST_LEASE_SECONDS = 120.0
# On a database server, all workers with the same API key share its request rate and its pauses. If this is
# off, each of them has a rate of its own, so that together they send more requests than one may.
HARVEST_SHARE_LANES = True
# The command that resumes the run, for messages and `runs`; `scrapy crawl` sets it.
HARVEST_COMMAND = ""
# Pending requests are in the ledger, not in memory.
SCHEDULER = "sgr_spiders.crawl.scheduler.LedgerScheduler"
# Validate, dedupe, spill: each item is one page.
ITEM_PIPELINES = {
    f"{packages.PIPELINES}.validate.ValidatePipeline": 100,
    f"{packages.PIPELINES}.dedupe.DedupePipeline": 200,
    f"{packages.PIPELINES}.spill.SpillPipeline": 300,
}
# Record versions kept in memory to skip unchanged records; about 100 bytes each.
DEDUPE_MEMORY = 200_000
# Maximum pages that wait for the database; beyond that, no requests are sent.
CONCURRENT_ITEMS = 4

# --- components -----------------------------------------------------------------------------------

# The first installs the traffic components: run control, gate, download handler, scope, retries, tokens. The
# second finds the pipelines of an installed package.
ADDONS = {"sgr_spiders.traffic.addon.TrafficAddon": 0, "sgr_spiders.crawl.own_pipelines.OwnPipelines": 0}
# Components that are connected to signals or looked up by others.
EXTENSIONS = {
    # Other components look it up, so a crawl needs it.
    "sgr_spiders.crawl.harvest.Harvest": 0,
    "sgr_spiders.crawl.deadline.Deadline": 0,
    "sgr_spiders.crawl.doubts.Doubts": 0,
    "sgr_spiders.crawl.next_turn.NextTurn": 0,
    # Before Harvest, which creates the database: with wrong settings for Progress there is no database yet.
    "sgr_spiders.crawl.progress.Progress": -1,
    # The same for Metrics.
    "sgr_spiders.crawl.metrics.Metrics": -1,
    # Progress reports more than its "Crawled 120 pages".
    "scrapy.extensions.logstats.LogStats": None,
}
# The download handler that transfers requests. This project's handler wraps it: it signs requests and applies
# rate-limit pauses.
WRAPPED_DOWNLOAD_HANDLER = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
# These would inspect each page without effect: callbacks get responses of any status and yield no requests.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
# Scrapy retries without a wait; FaultMiddleware replaces it.
RETRY_ENABLED = False
# A redirect could lead away from the API; the spider reads that of /resolve itself.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
# The API needs no cookies, and its edge servers could track a crawl by them.
COOKIES_ENABLED = False
# Referers would reveal the order of the crawl; the API does not need them.
REFERER_ENABLED = False
# ScopeGuard exempts only the API host: its robots.txt disallows all crawlers, but the API terms govern access
# with client credentials. The robots.txt of any other host is obeyed.
ROBOTSTXT_OBEY = True
# Origins other than the API that requests may go to, as URLs.
SCOPE_ORIGINS: list[str] = []
# A proxy named in the environment sees only a tunnel for https; http requests to the API never use a proxy.
HTTPPROXY_ENABLED = True
# Scrapy's default is False, with which anyone on the network path could read the token. The authorities are
# those of the system, or of the environment variable SSL_CERT_FILE.
DOWNLOAD_VERIFY_CERTIFICATES = True
# Scrapy's default knows only IPv4. Its cache would keep an address for a whole run, but the addresses of the
# API's edge change; a connection is kept open, so there are few lookups.
TWISTED_DNS_RESOLVER = "scrapy.resolver.CachingHostnameResolver"
DNSCACHE_ENABLED = False

# --- request rate ---------------------------------------------------------------------------------

# The limits are unpublished; one test account was throttled after two calls within ten seconds. This number
# and the next are those of one lane: they are multiplied by the number of lanes.
CONCURRENT_REQUESTS_PER_DOMAIN = 2
# More than are in flight, because a request that waits for its retry occupies one of these slots (but no
# transfer slot); few enough that the queue behind the delay is shorter than the expiry margin of a token.
CONCURRENT_REQUESTS = 8
# The spider sets DOWNLOAD_DELAY and AUTOTHROTTLE_START_DELAY to `request_delay` of the configuration. It
# is a minimum, so there is no jitter. For the API one object applies it, the rule of AutoThrottle and the
# rate learned from refusals (sgr_spiders/traffic/pace.py); these settings are its parameters.
DOWNLOAD_DELAY_JITTER = 0
AUTOTHROTTLE_ENABLED = True
# One request at a time on average: within the "1-2 concurrent" that is considered polite.
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
# The edge servers time out after about a minute.
AUTOTHROTTLE_MAX_DELAY = 60.0
# Token requests: one at a time, without a delay.
DOWNLOAD_SLOTS = {"sgr-authorising": {"concurrency": 1, "delay": 0}}
# The edge servers respond with 504 by then.
DOWNLOAD_TIMEOUT = 60
# A page of 200 tracks has about 0.4 MB, a page of playlists with all their tracks a few MB, decompressed.
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
# Off: DOWNLOAD_MAXSIZE is the only limit.
DOWNLOAD_WARNSIZE = 0

# --- retries, rate limits, tokens -----------------------------------------------------------------

# Five retries, with the waits below 15 to 31 s in total: enough for the short errors observed (502, 503,
# 504). The next run retries a walk that fails after that.
RETRY_TIMES = 5
# Seconds, doubled for each retry; a random half to all of it is used.
BACKOFF_BASE = 1.0
BACKOFF_MAX = 60.0
# The gateway refuses this client ("Quota exceeded", "Access to this API has been disallowed", …): all
# requests pause for 15, 30 and 60 s (half to all of it at random) while it also refuses a record known to be
# good, then the run stops as blocked. A request that alone is refused is given up after as many retries.
DISALLOWED_RETRY_TIMES = 3
DISALLOWED_BACKOFF_BASE = 15.0
# The pause after a 429 without a time: 5 s, doubled until a good response (half to all of it at random). Once
# a rate is learned, the first pause is one interval between requests.
# A time that the response names is obeyed, up to 24 h (soundcloud.rate_limits.MAX_HOLD).
RATE_LIMIT_BASE = 5.0
RATE_LIMIT_MAX = 900.0
# Eight consecutive rate-limit pauses without a good response (11 to 21 minutes if no time is named) stop
# the run with exit code 4.
RATE_LIMIT_MAX_HOLDS = 8
# Gone, hidden or empty responses in a row after which the run asks for a record known to be good, such as
# the seed. If that is refused, too, the run stops as blocked, and none of them is recorded as gone. A check
# is one or two requests.
MAX_GONE_ROW = 5
# After three failures without a response of the API in between, a probe asks for what it answered before. If
# that fails too, nothing answers: all requests wait, and the probe is repeated with the waits above (3 to 5
# minutes in total), which bridges a restart of the router or the API. Then the run stops as unreachable, exit
# code 3, with its walks pending. Before the first response a wrong URL is likelier, so there is less
# patience: 8 to 15 s in total. OUTAGE_AFTER = 0 leaves every failure to its own walk.
OUTAGE_AFTER = 3
OUTAGE_PROBES = 10
OUTAGE_PROBES_AT_START = 4
# Tries per token request at transient errors and 429. Failed tries count against the quota of 30 per hour, so
# there are few.
TOKEN_TRIES = 5
