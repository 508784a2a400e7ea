"""The default databases: one for the live API, and one for the sandbox."""

from __future__ import annotations

import ipaddress
import re
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import urlsplit

SETTINGS_MODULE = "sgr_spiders.settings"
PREFIX = "sqlite:///"
LIVE = "sqlite:///data/soundgraph.db"
SANDBOX = "sqlite:///data/sandbox.db"


def default_database(api_url: object) -> str:
    """Return the database for the API at *api_url*: an API on this machine is the sandbox."""
    return SANDBOX if isinstance(api_url, str) and is_on_this_machine(api_url) else LIVE


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


def is_own(folder: Path | None) -> bool:
    """Return whether the ``scrapy.cfg`` in *folder* names this project."""
    if folder is None:
        return False
    parser = ConfigParser()
    parser.read(folder / "scrapy.cfg", encoding="utf-8")
    return parser.get("settings", "default", fallback="") == SETTINGS_MODULE


def in_user_data(url: str) -> str:
    """Return the URL of a default database beside this project's ``scrapy.cfg``, else in the user's data.

    A database that ``scrapy`` has made in the working directory remains in use.
    """
    path = Path(url.removeprefix(PREFIX))
    if is_own(find_project()):
        return in_project(url)
    if path.is_file():
        return url
    # Lazy import: only an installed program needs it.
    from platformdirs import user_data_path  # noqa: PLC0415

    return f"{PREFIX}{user_data_path('soundgraph', appauthor=False) / path.name}"


def url_of(text: str) -> str:
    """Return the URL of a database given by path or URL; what may be a broken URL is returned as it is."""
    if not text or re.match(r".*://|(sqlite|postgres)\w*(\+\w+)?:|[^/]*:.*@", text):
        return text
    path = Path(text)
    return f"{PREFIX}{path.expanduser() if text.startswith('~') else text}"


def is_on_this_machine(url: str) -> bool:
    """Return whether *url* leads to this machine, where only the sandbox can be."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
