"""The Scrapy add-on that installs the components of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scrapy.downloadermiddlewares.httpauth import HttpAuthMiddleware
from scrapy.downloadermiddlewares.offsite import OffsiteMiddleware

from sgr_spiders.soundcloud.credentials_file import named_credentials
from sgr_spiders.traffic.authorisation import AuthorisationMiddleware
from sgr_spiders.traffic.download_handler import ApiDownloadHandler
from sgr_spiders.traffic.faults import FaultMiddleware
from sgr_spiders.traffic.gate import API_SLOT, Gate
from sgr_spiders.traffic.lanes import Lanes
from sgr_spiders.traffic.reach import Reach
from sgr_spiders.traffic.refusals import RefusalMiddleware
from sgr_spiders.traffic.run_control import RunControl
from sgr_spiders.traffic.sandbox_world import WorldGuard
from sgr_spiders.traffic.scope import ScopeGuard
from sgr_spiders.traffic.witness import Witness

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

# Other components look them up, so a crawl needs them.
EXTENSIONS: Final[dict[type, int | None]] = {
    RunControl: 0,
    Lanes: 0,
    Gate: 0,
    Reach: 0,
    WorldGuard: 0,
    Witness: 0,
}

DOWNLOADER_MIDDLEWARES: Final[dict[type, int | None]] = {
    # Before RobotsTxt (100), which it tells to skip the API host.
    ScopeGuard: 90,
    FaultMiddleware: 550,
    RefusalMiddleware: 600,
    # Before HttpProxy (750): it keeps requests to an http API away from proxies.
    AuthorisationMiddleware: 700,
    # ScopeGuard is stricter: it compares origins, not host names, also of requests without a callback.
    OffsiteMiddleware: None,
    # It would add a second Authorization header; only the download handler signs requests.
    HttpAuthMiddleware: None,
}

# Scrapy's own components that a setting switches off. Scrapy would import them before they find out, and with
# them aiohttp and requests, a fifth of what a crawl imports.
SWITCHED: Final = (
    ("EXTENSIONS_BASE", "scrapy.extensions.remote_control.RemoteControl", "REMOTE_CONTROL_ENABLED"),
    (
        "DOWNLOADER_MIDDLEWARES_BASE",
        "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",
        "COOKIES_ENABLED",
    ),
)

# A next_href is foreign data, so no other scheme may be reachable.
DISABLED_SCHEMES: Final = ("data", "file", "ftp", "s3")


def multiply(settings: BaseSettings, name: str, factor: int) -> None:
    """Multiply a number, which is meant for one lane, by the number of lanes."""
    if factor > 1:
        settings.set(name, factor * settings.getint(name), settings.getpriority(name) or "addon")


class TrafficAddon:
    """Scrapy add-on that adds the traffic components to those that the settings name.

    It keeps the position of a component that the settings place or disable (``None``). The download handler
    is the exception: without it, requests would be sent unsigned and during rate-limit pauses.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        """Add the components to *settings*."""
        for name, components in (
            ("EXTENSIONS", EXTENSIONS),
            ("DOWNLOADER_MIDDLEWARES", DOWNLOADER_MIDDLEWARES),
        ):
            for component, position in components.items():
                settings.setdefault_in_component_priority_dict(name, component, position)
        for name, unused, switch in SWITCHED:
            if not settings.getbool(switch):
                without = {path: order for path, order in settings.getdict(name).items() if path != unused}
                settings.set(name, without, "addon")
        handlers = {
            **dict.fromkeys(DISABLED_SCHEMES),
            **settings.getdict("DOWNLOAD_HANDLERS"),
            "http": ApiDownloadHandler,
            "https": ApiDownloadHandler,
        }
        lanes = len(named_credentials(settings))
        multiply(settings, "CONCURRENT_REQUESTS", lanes)
        concurrency = lanes * settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        slots = {
            API_SLOT: {"delay": 0, "concurrency": concurrency},
            **settings.getdict("DOWNLOAD_SLOTS"),
        }
        settings.set("DOWNLOAD_SLOTS", slots, settings.getpriority("DOWNLOAD_SLOTS") or "addon")
        settings.set("DOWNLOAD_HANDLERS", handlers, settings.getpriority("DOWNLOAD_HANDLERS") or "addon")
