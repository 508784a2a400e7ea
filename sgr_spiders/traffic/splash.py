"""Requests to Splash for rendered pages of the site, and the settings they need.

This module does not import ``scrapy_splash``: a crawl without ``html_fallback`` never loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sgr_spiders.soundcloud.track_page import MAX_BYTES, SITE

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SLOT: Final = "sgr-splash"
"""The download slot for Splash: one page at a time, independent of other requests."""

MIDDLEWARE: Final = "sgr_spiders.traffic.splash_middleware.RenderMiddleware"
POSITION: Final = 725
"""The position that scrapy-splash documents. Middlewares before it see the page's own URL, so scope and
robots.txt are those of the site, not of Splash."""

RENDERING: Final[dict[str, Any]] = {
    # In seconds. The comments load after the page; a page takes a few seconds in total.
    "wait": 3.0,
    "timeout": 30.0,
    "resource_timeout": 10.0,
    # Only text is needed: no images, player or audio, whatever the scripts request.
    "images": 0,
    "html5_media": 0,
    "forbidden_content_types": "audio/*,video/*,application/vnd.apple.mpegurl,application/x-mpegurl",
}

SCRIPTS: Final = "sndcdn.com"
"""The host of the site's scripts. Other hosts, such as visitor counters, get no requests."""


def switch_on(settings: BaseSettings, delay: float) -> None:
    """Enable requests to Splash for pages of the site, *delay* seconds apart.

    Only scrapy-splash's middleware that redirects a request to Splash is used. Its cookies
    (``COOKIES_ENABLED`` is off), its argument cache (no script is sent) and its request fingerprints (the
    ledger records what was fetched; there is no duplicate filter and no cache) are not needed.
    """
    origins = [settings[name] for name in ("SPLASH_URL", "SOUNDCLOUD_SITE_URL")]
    changes = {
        "SCOPE_ORIGINS": [*settings.getlist("SCOPE_ORIGINS"), *origins],
        "DOWNLOADER_MIDDLEWARES": {**settings.getdict("DOWNLOADER_MIDDLEWARES"), MIDDLEWARE: POSITION},
        "DOWNLOAD_SLOTS": {**settings.getdict("DOWNLOAD_SLOTS"), SLOT: {"concurrency": 1, "delay": delay}},
    }
    for name, value in changes.items():
        settings.set(name, value, priority="spider")


def rendering_of(address: str, settings: BaseSettings) -> dict[str, Any]:
    """Return the URL and the meta of a request for the rendered page at *address*."""
    url = settings["SOUNDCLOUD_SITE_URL"].rstrip("/") + address.removeprefix(SITE)
    arguments = {
        **RENDERING,
        "allowed_domains": f"{urlsplit(url).hostname},{SCRIPTS}",
        "headers": {"User-Agent": settings["USER_AGENT"], "Accept": "text/html"},
    }
    meta = {
        "splash": {
            "endpoint": "render.html",
            "args": arguments,
            # Its own slot policies do not work with this Scrapy; `download_slot` below names the slot.
            "slot_policy": "scrapy_default",
            # Scrapy's default headers are for the API.
            "dont_send_headers": True,
            # The spider reads the response as it is.
            "dont_process_response": True,
        },
        "download_slot": SLOT,
        "download_maxsize": MAX_BYTES,
        # The duration of rendering does not indicate the load of the site.
        "autothrottle_dont_adjust_delay": True,
        # Splash is a local service, which a proxy cannot reach.
        "proxy": None,
    }
    return {"url": url, "meta": meta}
