"""Pages of the site rendered by Splash: what is asked for, and what is switched on for it.

Nothing here imports ``scrapy_splash``: a crawl without ``html_fallback`` never loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest

from sgr_spiders.soundcloud.track_page import MAX_BYTES, SITE

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SLOT: Final = "sgr-splash"
"""The download slot of what goes to Splash: one page at a time, whatever else is under way."""

MIDDLEWARE: Final = "sgr_spiders.traffic.splash_middleware.RenderMiddleware"
PLACE: Final = 725
"""Where scrapy-splash's documentation puts it: what comes before still sees the page's own address, so
the scope is checked, and robots.txt asked for, on the site rather than on Splash."""

RENDERING: Final[dict[str, Any]] = {
    # Seconds. The list of comments comes a moment after the page; a page takes a few seconds in all.
    "wait": 3.0,
    "timeout": 30.0,
    "resource_timeout": 10.0,
    # Only text is read: no pictures, no player, no audio, whatever its scripts ask for.
    "images": 0,
    "html5_media": 0,
    "forbidden_content_types": "audio/*,video/*,application/vnd.apple.mpegurl,application/x-mpegurl",
}

SCRIPTS: Final = "sndcdn.com"
"""Where the site keeps its pages' scripts. Other hosts, such as those that count visitors, get nothing."""


def switch_on(settings: BaseSettings, delay: float) -> None:
    """Let a crawl ask Splash for pages of the site, *delay* seconds apart.

    Of scrapy-splash only the middleware that turns a request into one to Splash is needed. Not its
    cookies (``COOKIES_ENABLED`` is off), not its argument cache (no script is sent), not its request
    fingerprints (the ledger knows what was fetched, there is no duplicate filter and no cache).
    """
    origins = [settings[name] for name in ("SPLASH_URL", "SOUNDCLOUD_SITE_URL")]
    changes = {
        "SCOPE_ORIGINS": [*settings.getlist("SCOPE_ORIGINS"), *origins],
        "DOWNLOADER_MIDDLEWARES": {**settings.getdict("DOWNLOADER_MIDDLEWARES"), MIDDLEWARE: PLACE},
        "DOWNLOAD_SLOTS": {**settings.getdict("DOWNLOAD_SLOTS"), SLOT: {"concurrency": 1, "delay": delay}},
    }
    for name, value in changes.items():
        settings.set(name, value, priority="spider")


def rendering_of(address: str, settings: BaseSettings) -> dict[str, Any]:
    """Give what a request for the rendered page of this *address* is made of: its URL and its meta."""
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
            # Its own way to a slot is not that of this Scrapy any more; ours is named below.
            "slot_policy": "scrapy_default",
            # Scrapy's own headers are meant for the API.
            "dont_send_headers": True,
            # The answer is read as it is.
            "dont_process_response": True,
        },
        "download_slot": SLOT,
        "download_maxsize": MAX_BYTES,
        # How long a rendering takes says nothing about what the site can bear.
        "autothrottle_dont_adjust_delay": True,
        # Splash is a service of one's own; a proxy on the way would not find it.
        "proxy": None,
    }
    return {"url": url, "meta": meta}


def is_forbidden(error: BaseException | None) -> bool:
    """Tell whether a request was not sent because robots.txt forbids it."""
    # Scrapy has no type of its own for this.
    return type(error) is IgnoreRequest and str(error) == "Forbidden by robots.txt"
