"""The default databases: one for the live API, and one for the sandbox."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "sqlite:///"
LIVE = "sqlite:///data/soundgraph.db"
SANDBOX = "sqlite:///data/sandbox.db"


def default_database(api_url: object) -> str:
    """Return the database for the API at *api_url*: an API on this machine is the sandbox."""
    return SANDBOX if isinstance(api_url, str) and _is_on_this_machine(api_url) else LIVE


def find_project() -> Path | None:
    """Return the closest directory with a ``scrapy.cfg``, from the working directory upwards."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return None
    return next((folder for folder in (here, *here.parents) if (folder / "scrapy.cfg").is_file()), None)


def in_project(url: str) -> str:
    """Return the URL of a default database beside ``scrapy.cfg``.

    Without one (an egg, or an installed package), it is in the working directory.
    """
    folder = find_project()
    if folder is None or folder == Path.cwd():
        return url
    return f"{PREFIX}{folder / url.removeprefix(PREFIX)}"


def _is_on_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
