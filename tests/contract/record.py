"""Re-record the exchanges of the contract tests: ``python -m tests.contract.record``.

The default source is a sandbox. ``--live --track-id N`` records the live API with your own client
credentials (``SOUNDCLOUD_CLIENT_ID`` and ``SOUNDCLOUD_CLIENT_SECRET``, or ``SOUNDCLOUD_ACCESS_TOKEN``)
in a directory that git ignores; the tests then also replay that directory.

A recording contains the first items of each list and the headers that a harvest reads. Tokens,
credentials and cookies are removed before anything is written.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from betamax import Betamax

from sgr_spiders.soundcloud.endpoints import ENDPOINTS, first_cursor
from sgr_spiders.soundcloud.paging import next_cursor
from sgr_spiders.soundcloud.urns import parse_id
from tests.contract.exchanges import FOLDER, LIVE_FOLDER, ORIGIN, TARGETS, configure, session
from tests.sandbox_process import SandboxProcess

API_URL = "https://api.soundcloud.com"
WORLD = ("--users", "500", "--seed-likers", "210", "--seed-reposters", "205", "--seed-comments", "205")
"""Options of the sandbox: enough of each for a second page."""
PAGES = 2
ITEMS = 3
RECORDED_AT = "2026-01-01T00:00:00"
"""The same in every recording, so that a diff shows only changes of the API."""
HEADERS = ("content-type", "location")
TIMEOUT_S = 30

_APP = re.compile(r"(utm_source=id_|client_id=|consumer_key=)[\w-]+")


@dataclass
class Recorder:
    """Records the responses of one API in one directory."""

    api_url: str
    token: str
    folder: Path
    secrets: tuple[str, ...] = ()
    session: requests.Session = field(default_factory=session)

    def __post_init__(self) -> None:
        self.session.headers["Authorization"] = f"OAuth {self.token}"

    def run(self, track_id: str) -> None:
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.glob("*.json"):
            old.unlink()
        targets = self.find_targets(track_id)
        for endpoint, target in targets.items():
            with Betamax(self.session, cassette_library_dir=str(self.folder)).use_cassette(
                endpoint, record="all"
            ):
                self.record(endpoint, target)
        text = json.dumps(targets, indent=1, sort_keys=True)
        (self.folder / TARGETS).write_text(text + "\n", encoding="utf-8")

    def find_targets(self, track_id: str) -> dict[str, str]:
        track = self.get(first_cursor("track", track_id)).json()
        word = track["title"].split()[0]
        playlists = self.first_items("search_playlists", word)
        largest = max(playlists, key=lambda playlist: playlist.get("track_count") or 0)
        found = {
            "track": track_id,
            "user": str(_id_of(track["user"], "user")),
            "playlist": str(_id_of(largest, "playlist")),
            "ids": track_id,
            "query": word,
            "url": track["permalink_url"].partition("?")[0],
        }
        targets = {name: found[endpoint.target] for name, endpoint in sorted(ENDPOINTS.items())}
        targets["search_users"] = track["user"]["username"].split()[0]
        targets["users_by_id"] = found["user"]
        for name, fans in (("user_likes", "track_favoriters"), ("user_reposts", "track_reposters")):
            targets[name] = str(_id_of(self.first_items(fans, track_id)[0], "user"))
        return targets

    def first_items(self, endpoint: str, target: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(first_cursor(endpoint, target)).json()["collection"]
        return items

    def record(self, endpoint: str, target: str) -> None:
        cursor: str | None = first_cursor(endpoint, target)
        for _ in range(PAGES):
            if cursor is None:
                return
            response = self.get(cursor)
            document = response.json()
            next_href = document.get("next_href") if isinstance(document, dict) else None
            cursor = next_cursor(endpoint, target, next_href, self.api_url)

    def get(self, cursor: str) -> requests.Response:
        response = self.session.get(f"{self.api_url}{cursor}", allow_redirects=False, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response

    def scrub(self, interaction: Any, _cassette: object) -> None:  # noqa: ANN401 - betamax has no types
        """Remove from an interaction what is secret, differs between recordings, or is too long."""
        data = interaction.data
        request, response = data["request"], data["response"]
        request["headers"] = {}
        response["headers"] = {
            name: value for name, value in response["headers"].items() if name.lower() in HEADERS
        }
        document = json.loads(response["body"]["string"])
        response["body"] = {"encoding": "utf-8", "string": json.dumps(_shorten(document))}
        data["recorded_at"] = RECORDED_AT
        interaction.data = json.loads(self.clean(json.dumps(data)))

    def clean(self, text: str) -> str:
        text = text.replace(self.api_url, ORIGIN).replace(API_URL, ORIGIN)
        for secret in filter(None, (self.token, *self.secrets)):
            text = text.replace(secret, "SCRUBBED")
        return _APP.sub(r"\g<1>0", text)


def _shorten(document: object) -> object:
    if isinstance(document, list):
        return [_shorten(item) for item in document[:ITEMS]]
    if isinstance(document, dict):
        return {name: _shorten(value) for name, value in document.items()}
    return document


def _id_of(item: dict[str, Any], kind: str) -> int:
    found = parse_id(item.get("urn"), kind) or parse_id(item.get("id"), kind)
    if found is None:
        raise SystemExit(f"record: a {kind} without an ID")
    return found


def _request_token(token_url: str, client_id: str, client_secret: str) -> str:
    response = session().post(
        token_url,
        data={"grant_type": "client_credentials"},
        auth=(client_id, client_secret),
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    token: str = response.json()["access_token"]
    return token


def record_sandbox() -> None:
    with SandboxProcess(*WORLD) as sandbox:
        env = sandbox.env()
        token = _request_token(
            env["SOUNDCLOUD_TOKEN_URL"], env["SOUNDCLOUD_CLIENT_ID"], env["SOUNDCLOUD_CLIENT_SECRET"]
        )
        _record(Recorder(sandbox.url, token, FOLDER), str(sandbox.seed_track_id))


def record_live(track_id: str) -> None:
    env = os.environ
    api_url = env.get("SOUNDCLOUD_API_URL", API_URL).rstrip("/")
    keys = env.get("SOUNDCLOUD_CLIENT_ID", ""), env.get("SOUNDCLOUD_CLIENT_SECRET", "")
    token = env.get("SOUNDCLOUD_ACCESS_TOKEN", "")
    if not token:
        if not all(keys):
            raise SystemExit(
                "record: set SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET, or SOUNDCLOUD_ACCESS_TOKEN"
            )
        token = _request_token(
            env.get("SOUNDCLOUD_TOKEN_URL", "https://secure.soundcloud.com/oauth/token"), *keys
        )
    _record(Recorder(api_url, token, LIVE_FOLDER, keys), track_id)


def _record(recorder: Recorder, track_id: str) -> None:
    configure()
    with Betamax.configure() as options:
        options.before_record(callback=recorder.scrub)
    recorder.run(track_id)
    sys.stdout.write(
        f"recorded {len(ENDPOINTS)} endpoints of {urlsplit(recorder.api_url).hostname}: {recorder.folder}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.contract.record", description=__doc__)
    parser.add_argument("--live", action="store_true", help="record the live API instead of a sandbox")
    parser.add_argument("--track-id", help="track to start from (with --live)")
    arguments = parser.parse_args()
    if not arguments.live:
        record_sandbox()
    elif arguments.track_id is None:
        parser.error("--live needs --track-id")
    else:
        record_live(arguments.track_id)


if __name__ == "__main__":
    main()
