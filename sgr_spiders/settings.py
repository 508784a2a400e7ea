"""Every setting of the project, with its default and the reason for it.

A setting given with ``-s NAME=value`` comes before these. Those read with ``_from_environment`` can
also be given as environment variables.
"""

from __future__ import annotations

import os
import sys

from sgr_spiders import __version__


def _from_environment(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


# Scrapyd's name for the project.
BOT_NAME = "soundgraph"
# One spider a layer, and `deep_harvest` for all.
SPIDER_MODULES = ["sgr_spiders.spiders"]
NEWSPIDER_MODULE = "sgr_spiders.spiders"
# `crawl` with exit codes that can be trusted, and the commands of this project.
COMMANDS_MODULE = "sgr_spiders.commands"
# The waits of the middlewares are asyncio's.
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
# Half the CPU of asyncio's own loop.
ASYNCIO_EVENT_LOOP = "uvloop.Loop" if sys.platform != "win32" else None
# The check would read and parse the callback's source anew for every request.
WARN_ON_GENERATOR_RETURN_VALUE = False
# A line for each page would bury what matters; -s LOG_LEVEL=DEBUG shows them.
LOG_LEVEL = "INFO"
# One JSON object a line instead, for programs that gather logs (docs/log.md).
LOG_JSON = False
# The statistics stand in the database, one row of `runs` a crawl; fifty lines of them hide the summary.
STATS_DUMP = False
# Both let others on this machine run code in the crawl, or read its settings (keys!) out of it.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False

# How a harvest shows how far it is (docs/progress.md): `bar`, a block of lines below the log; `off`; or
# `auto`, the bar on a terminal, and where there is none or LOG_FILE is set a line in the log now and then.
PROGRESS = "auto"
# Seconds from one such line to the next: a harvest of a night makes some hundred of them.
PROGRESS_INTERVAL = 60

# --- what to talk to, and as whom -----------------------------------------------------------------

# Where the API is; the sandbox's address for a harvest offline.
SOUNDCLOUD_API_URL = _from_environment("SOUNDCLOUD_API_URL", "https://api.soundcloud.com")
# Where a token is got for the keys.
SOUNDCLOUD_TOKEN_URL = _from_environment("SOUNDCLOUD_TOKEN_URL", "https://secure.soundcloud.com/oauth/token")
# The keys of your app. In the environment rather than with -s, as `ps` shows command lines to everybody.
SOUNDCLOUD_CLIENT_ID = _from_environment("SOUNDCLOUD_CLIENT_ID")
SOUNDCLOUD_CLIENT_SECRET = _from_environment("SOUNDCLOUD_CLIENT_SECRET")
# A token of your own, used instead of the keys.
SOUNDCLOUD_ACCESS_TOKEN = _from_environment("SOUNDCLOUD_ACCESS_TOKEN")
# Where Splash listens, which renders pages of the site where `commentary_layer.html_fallback` is on; its own
# default. Without that nothing is ever sent there.
SPLASH_URL = _from_environment("SPLASH_URL", "http://127.0.0.1:8050")
# The site whose pages those are. A stand-in for it in tests; no other host's pages are asked for.
SOUNDCLOUD_SITE_URL = "https://soundcloud.com"
# Whom the operator of the API can reach about this crawl: your address or URL.
CONTACT = _from_environment("CONTACT", "no contact given")
# Honest: what this is, and whose.
USER_AGENT = f"SoundGraphDeepHarvest/{__version__} ({CONTACT})"
# What the specification asks clients for.
DEFAULT_REQUEST_HEADERS = {"Accept": "application/json; charset=utf-8"}

# --- where to spill to, and how -------------------------------------------------------------------

# An SQLAlchemy URL. A relative path is taken from the working directory; give Scrapyd an absolute one.
HARVEST_DATABASE_URL = _from_environment("HARVEST_DATABASE_URL", "sqlite:///data/soundgraph.db")
# A YAML path or the name of a file in configs/; the argument `config` comes before it.
HARVEST_CONFIG = _from_environment("HARVEST_CONFIG", "deep_harvest")
# A file to which `scrapy crawl` writes how it ended, for sgr_spiders.harvest, which reads it; "": none.
HARVEST_RESULT_FILE = ""
# The commands that go on with the run and that look at its database, for messages and `runs`; `scrapy crawl`
# itself says what they are.
HARVEST_COMMAND = ""
HARVEST_STATUS_COMMAND = "scrapy status"
# Requests wait in the ledger, in the database, not in memory.
SCHEDULER = "sgr_spiders.crawl.scheduler.LedgerScheduler"
# Validate, dedupe, spill: one page goes through them whole.
ITEM_PIPELINES = {
    "pipelines.validate.ValidatePipeline": 100,
    "pipelines.dedupe.DedupePipeline": 200,
    "pipelines.spill.SpillPipeline": 300,
}
# Versions of records remembered so as not to write them again; about 100 bytes each.
DEDUPE_MEMORY = 200_000
# Pages that may wait for the database before no more requests are sent.
CONCURRENT_ITEMS = 4

# --- components -----------------------------------------------------------------------------------

# The traffic components: run control and gate, download handler, scope, retries, tokens.
ADDONS = {"sgr_spiders.traffic.addon.TrafficAddon": 0}
# The components connected to signals, or looked up by others.
EXTENSIONS = {
    # Other components look it up, so a crawl cannot do without.
    "sgr_spiders.crawl.harvest.Harvest": 0,
    "sgr_spiders.crawl.deadline.Deadline": 0,
    "sgr_spiders.crawl.next_turn.NextTurn": 0,
    # Before Harvest, which makes the database: a mistake in its settings leaves nothing behind.
    "sgr_spiders.crawl.progress.Progress": -1,
    # "Crawled 120 pages" a minute says less than ours.
    "scrapy.extensions.logstats.LogStats": None,
}
# The download handler that transfers requests for ours, which signs them and applies rate-limit pauses.
WRAPPED_DOWNLOAD_HANDLER = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
# All of these look at each page and have nothing to do: any status reaches the callbacks, which give no
# requests.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
# Immediate retries without a wait; ours takes its place.
RETRY_ENABLED = False
# A redirect followed blindly would leave the API; /resolve is read by the spider.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
# The API needs none, and the edge could track a crawl by them.
COOKIES_ENABLED = False
# Referers would tell the API which page led to which; nobody needs them.
REFERER_ENABLED = False
# ScopeGuard exempts the API host alone: its robots.txt disallows all crawlers, but access with keys is
# governed by the API terms instead. Any HTML page is asked for its rules.
ROBOTSTXT_OBEY = True
# Where else than to the API requests may go, as URLs.
SCOPE_ORIGINS: list[str] = []
# A proxy of the environment sees only a tunnel for https; http to the API never uses one.
HTTPPROXY_ENABLED = True
# Scrapy's default is False: then anybody on the way could read the token.
DOWNLOAD_VERIFY_CERTIFICATES = True

# --- pace -----------------------------------------------------------------------------------------

# Real limits are unpublished; one test account was throttled on two calls within ten seconds.
CONCURRENT_REQUESTS_PER_DOMAIN = 2
# More than are in flight, because a request that waits for its retry keeps its place here (not a
# transfer place); few enough that the queue behind the delay stays shorter than a token's margin.
CONCURRENT_REQUESTS = 8
# The spider sets DOWNLOAD_DELAY and AUTOTHROTTLE_START_DELAY to `request_delay` of the configuration. It
# is a floor, hence no jitter; AutoThrottle only ever adds to it.
DOWNLOAD_DELAY_JITTER = 0
AUTOTHROTTLE_ENABLED = True
# One at a time on average: within the "1-2 concurrent" that is considered polite.
AUTOTHROTTLE_TARGET_CONCURRENCY = 1.0
# The edge itself gives up after about a minute.
AUTOTHROTTLE_MAX_DELAY = 60.0
# Token requests: one refresher.
DOWNLOAD_SLOTS = {"sgr-authorising": {"concurrency": 1, "delay": 0}}
# The edge answers 504 by then.
DOWNLOAD_TIMEOUT = 60
# A page of 200 tracks has about 0.4 MB, playlists with all their tracks a few. After decompression.
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
# Off: DOWNLOAD_MAXSIZE is the only limit.
DOWNLOAD_WARNSIZE = 0

# --- faults, holds, tokens ------------------------------------------------------------------------

# Five retries, with the waits below 15 to 31 s in all: rides out the short faults seen (502/503/504),
# and a walk that fails after that can be resumed.
RETRY_TIMES = 5
# Seconds; doubled for each retry, half to all of it at random.
BACKOFF_BASE = 1.0
BACKOFF_MAX = 60.0
# "Access to this API has been disallowed" was seen in overload and passed after minutes: 60, 120 and
# 240 s (half to all), then the run stops as blocked.
DISALLOWED_RETRY_TIMES = 3
DISALLOWED_BACKOFF_BASE = 60.0
# The pause after a 429 without a time: 5 s, doubled until a good response (half to all of it at random).
# A time that the response names is kept to, up to 24 h (soundcloud.answers.MAX_HOLD).
RATE_LIMIT_BASE = 5.0
RATE_LIMIT_MAX = 900.0
# Eight rate-limit pauses in a row without a good response (11 to 21 minutes if no time is named): stop,
# exit code 4.
RATE_LIMIT_MAX_HOLDS = 8
# Tries of one token request through faults and 429; failed attempts count against the quota of 30 an
# hour, so few.
TOKEN_TRIES = 5
