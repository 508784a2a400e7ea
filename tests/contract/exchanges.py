"""Location of the recorded exchanges, and the options of Betamax."""

from __future__ import annotations

import json
from pathlib import Path

import requests
from betamax import Betamax

FOLDER = Path(__file__).parent / "cassettes"
LIVE_FOLDER = Path(__file__).parent / "live"
"""Ignored by git."""
TARGETS = "targets.json"
"""File with the target of each endpoint, next to the cassettes, which are named after the endpoints."""

ORIGIN = "https://api.soundcloud.test"
"""Placeholder for the recorded origin: the port of a sandbox varies, and no test may reach a real host."""


def configure() -> None:
    """Set the options of Betamax, which apply to the whole process."""
    with Betamax.configure() as options:
        options.cassette_library_dir = str(FOLDER)
        options.default_cassette_options.update(
            record_mode="none",
            match_requests_on=["method", "uri"],
            # A crawl requests each page once.
            allow_playback_repeats=False,
        )


def targets(folder: Path) -> dict[str, str]:
    """Return the target of each endpoint recorded in a directory."""
    found: dict[str, str] = json.loads((folder / TARGETS).read_text(encoding="utf-8"))
    return found


def session() -> requests.Session:
    """Return a session that, like a crawl, ignores proxies and passwords in the environment."""
    new = requests.Session()
    new.trust_env = False
    new.headers.clear()
    new.headers["Accept"] = "application/json"
    new.headers["Accept-Encoding"] = "identity"
    return new
