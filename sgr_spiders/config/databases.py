"""The default databases: one for the live API, and one for the sandbox."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LIVE = "sqlite:///data/soundgraph.db"
SANDBOX = "sqlite:///data/sandbox.db"


def default_database(api_url: object) -> str:
    """Return the database for the API at *api_url*: an API on this machine is the sandbox."""
    return SANDBOX if isinstance(api_url, str) and _is_on_this_machine(api_url) else LIVE


def _is_on_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
