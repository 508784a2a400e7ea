"""Every setting of the project, with its default and the reason for it.

A setting given with ``-s NAME=value`` comes before these. Those read with ``_from_environment`` can
also be given as environment variables.
"""

from __future__ import annotations

import os

BOT_NAME = "soundgraph"
SPIDER_MODULES = ["sgr_spiders.spiders"]
NEWSPIDER_MODULE = "sgr_spiders.spiders"
COMMANDS_MODULE = "sgr_spiders.commands"


def _from_environment(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


# What to talk to, and as whom

SOUNDCLOUD_API_URL = _from_environment("SOUNDCLOUD_API_URL", "https://api.soundcloud.com")
SOUNDCLOUD_TOKEN_URL = _from_environment("SOUNDCLOUD_TOKEN_URL", "https://secure.soundcloud.com/oauth/token")
SOUNDCLOUD_CLIENT_ID = _from_environment("SOUNDCLOUD_CLIENT_ID")
SOUNDCLOUD_CLIENT_SECRET = _from_environment("SOUNDCLOUD_CLIENT_SECRET")
SOUNDCLOUD_ACCESS_TOKEN = _from_environment("SOUNDCLOUD_ACCESS_TOKEN")

# Where to spill to, and how

HARVEST_DATABASE_URL = _from_environment("HARVEST_DATABASE_URL", "sqlite:///data/soundgraph.db")
HARVEST_CONFIG = _from_environment("HARVEST_CONFIG") or None
# Versions of records remembered so as not to write them again; about 100 bytes each.
DEDUPE_MEMORY = 200_000
SCHEDULER = "sgr_spiders.scheduler.LedgerScheduler"
ITEM_PIPELINES = {
    "pipelines.validate.ValidatePipeline": 100,
    "pipelines.dedupe.DedupePipeline": 200,
    "pipelines.spill.SpillPipeline": 300,
}
EXTENSIONS = {
    "sgr_spiders.middlewares.run_control.RunControl": 0,
    "sgr_spiders.middlewares.gate.Gate": 0,
    "sgr_spiders.extensions.harvest.Harvest": 0,
    # Prints memory and pages a minute of Scrapy's own counting.
    "scrapy.extensions.logstats.LogStats": None,
}
DOWNLOADER_MIDDLEWARES = {
    "sgr_spiders.middlewares.scope.ScopeGuard": 50,
    "sgr_spiders.middlewares.authorisation.AuthorisationMiddleware": 450,
    "sgr_spiders.middlewares.retry.RetryMiddleware": 550,
    "sgr_spiders.middlewares.rate_limit.RateLimitMiddleware": 560,
    "sgr_spiders.middlewares.block.BlockMiddleware": 570,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
}
DOWNLOAD_HANDLERS = {
    "http": "sgr_spiders.middlewares.api_handler.ApiDownloadHandler",
    "https": "sgr_spiders.middlewares.api_handler.ApiDownloadHandler",
}
ROBOTSTXT_OBEY = False
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 2.0
DOWNLOAD_DELAY_JITTER = 0
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False
CONCURRENT_ITEMS = 4
LOG_SCRAPED_ITEMS = False
HTTPERROR_ALLOW_ALL = True
