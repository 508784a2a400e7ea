"""What the contract tests replay: where it lies, and how betamax is set."""

from __future__ import annotations

import json
from pathlib import Path

import requests
from betamax import Betamax

FOLDER = Path(__file__).parent / "cassettes"
LIVE_FOLDER = Path(__file__).parent / "live"
"""Ignored by git."""
TARGETS = "targets.json"
"""The target each endpoint was asked for, beside the cassettes, which are named after the endpoints."""

ORIGIN = "https://api.soundcloud.test"
"""Stands for the origin recorded from: a sandbox has another port each time, and no test may reach a host."""


def configure() -> None:
    """betamax keeps its options for the whole process, so they are set once and hold for all its users."""
    with Betamax.configure() as options:
        options.cassette_library_dir = str(FOLDER)
        options.default_cassette_options.update(
            record_mode="none",
            match_requests_on=["method", "uri"],
            # A crawl asks for every page once.
            allow_playback_repeats=False,
        )


def targets(folder: Path) -> dict[str, str]:
    """The target of every endpoint recorded in a folder."""
    found: dict[str, str] = json.loads((folder / TARGETS).read_text(encoding="utf-8"))
    return found


def session() -> requests.Session:
    """A session that asks like a crawl does: it reads no proxy or password from the environment."""
    new = requests.Session()
    new.trust_env = False
    new.headers.clear()
    new.headers["Accept"] = "application/json"
    new.headers["Accept-Encoding"] = "identity"
    return new
