"""A harvester that takes an afternoon to write: one request at a time, one commit per record.

It is not a straw man: it keeps its connection open, requests the largest pages and all access levels, and
follows ``next_href`` to the end. It collects the same as the layer ``user_depth``: the users who liked or
reposted a track, and what each of them likes. With ``--sample`` it stops at 50 likers and at 100 tracks of
each, as earlier tools did.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import requests

PAGE: Final = 200
SAMPLED_USERS: Final = 50
SAMPLED_TRACKS: Final = 100
TIMEOUT_S: Final = 60
SCHEMA: Final = """
CREATE TABLE tracks (
    id INTEGER PRIMARY KEY, title TEXT, artist_id INTEGER, genre TEXT, plays INTEGER, likes INTEGER
);
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, followers INTEGER);
CREATE TABLE likes (user_id INTEGER, track_id INTEGER, PRIMARY KEY (user_id, track_id));
CREATE TABLE reposts (user_id INTEGER, track_id INTEGER, PRIMARY KEY (user_id, track_id));
"""


class Api:
    def __init__(self, url: str, delay: float) -> None:
        self.url = url
        self.delay = delay
        self.session = requests.Session()
        answer = self.session.post(
            f"{url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("sandbox", "sandbox"),
            timeout=TIMEOUT_S,
        )
        self.session.headers["Authorization"] = f"OAuth {answer.json()['access_token']}"

    def get(self, url: str, **parameters: str | int) -> Any:  # noqa: ANN401 - JSON
        answer = self.session.get(url, params=parameters, timeout=TIMEOUT_S)
        time.sleep(self.delay)  # noqa: TID251 - a plain script has no reactor to stop
        if answer.status_code == 404:  # a hidden library
            return {"collection": []}
        answer.raise_for_status()
        return answer.json()

    def items(self, path: str, at_most: int | None = None) -> Iterator[dict[str, Any]]:
        left = at_most
        limit = PAGE if at_most is None else min(PAGE, at_most)
        access = {"access": "playable,preview,blocked"} if path.endswith("/likes/tracks") else {}
        page = self.get(self.url + path, limit=limit, linked_partitioning="true", **access)
        while True:
            yield from page["collection"][:left]
            left = None if left is None else left - len(page["collection"])
            if not page.get("next_href") or (left is not None and left <= 0):
                return
            page = self.get(page["next_href"])


class Database:
    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.executescript(SCHEMA)

    def save_track(self, track: dict[str, Any]) -> int:
        user = track.get("user")
        number = _number(track)
        row = (
            number,
            track["title"],
            _number(user) if user else None,
            track.get("genre"),
            track.get("playback_count"),
            track.get("favoritings_count"),
        )
        self._save("INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?, ?, ?)", row)
        return number

    def save_user(self, user: dict[str, Any]) -> int:
        number = _number(user)
        row = (number, user["username"], user.get("followers_count"))
        self._save("INSERT OR REPLACE INTO users VALUES (?, ?, ?)", row)
        return number

    def save_like(self, user: int, track: int) -> None:
        self._save("INSERT OR IGNORE INTO likes VALUES (?, ?)", (user, track))

    def save_repost(self, user: int, track: int) -> None:
        self._save("INSERT OR IGNORE INTO reposts VALUES (?, ?)", (user, track))

    def _save(self, statement: str, row: tuple[Any, ...]) -> None:
        self.connection.execute(statement, row)
        self.connection.commit()


def _number(record: dict[str, Any]) -> int:
    return int(record["urn"].rpartition(":")[2])


def harvest(api: Api, database: Database, seed: int, *, sample: bool) -> None:
    database.save_track(api.get(f"{api.url}/tracks/soundcloud:tracks:{seed}"))
    users = {}
    for user in api.items(f"/tracks/soundcloud:tracks:{seed}/favoriters", SAMPLED_USERS if sample else None):
        number = database.save_user(user)
        database.save_like(number, seed)
        users[number] = user
    if not sample:
        for user in api.items(f"/tracks/soundcloud:tracks:{seed}/reposters"):
            number = database.save_user(user)
            database.save_repost(number, seed)
            users[number] = user
    for number in users:
        library = f"/users/soundcloud:users:{number}/likes/tracks"
        for track in api.items(library, SAMPLED_TRACKS if sample else None):
            if track.get("user"):
                database.save_user(track["user"])
            database.save_like(number, database.save_track(track))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("harvester", description=__doc__.partition("\n\n")[0])
    parser.add_argument("url", help="URL of the sandbox")
    parser.add_argument("seed", type=int, help="ID of the seed track")
    parser.add_argument("database", type=Path, help="file to create")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds to wait after each request")
    parser.add_argument("--sample", action="store_true", help="50 likers, 100 tracks of each")
    options = parser.parse_args(arguments)
    harvest(Api(options.url, options.delay), Database(options.database), options.seed, sample=options.sample)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
