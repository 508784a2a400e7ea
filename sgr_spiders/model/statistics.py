"""The statistics of a crawl. Their names are a public interface; this is the only list of them.

Scrapy adds its own. ``runs.stats`` stores all statistics of a run as JSON; a missing one is 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTCOME = "sgr/outcome"
EXIT_CODE = "sgr/exit_code"
FETCHED = "sgr/fetched"
COMMAND = "sgr/command"
PAGES = "sgr/pages"
REQUESTS = "sgr/requests"
SECONDS = "sgr/seconds"
OUT_OF_SCOPE = "sgr/out_of_scope"
HOLDS = "sgr/holds"
HOLD_SECONDS = "sgr/hold_seconds"
OUTAGES = "sgr/outages"
OUTAGE_SECONDS = "sgr/outage_seconds"
PROBES = "sgr/probes"
RETRIES = "sgr/retry/count"
RETRIES_GIVEN_UP = "sgr/retry/given_up"
WITNESSES = "sgr/witnesses"
TOKEN_EXCHANGES = "sgr/token/exchanges"  # noqa: S105 - the name of a count
TOKEN_REFRESHES = "sgr/token/refreshes"  # noqa: S105 - the same


def collected(table: str) -> str:
    """Return the name of the count of a table's rows."""
    return f"{table}_collected"


def first_seen(table: str) -> str:
    """Return the name of the count of a table's rows that a run was the first to see."""
    return f"sgr/first_seen/{table}"


def walks(status: str) -> str:
    """Return the name of the count of the run's walks with this status."""
    return f"sgr/walks/{status}"


def answers(kind: str) -> str:
    """Return the name of the count of responses of this kind."""
    return f"sgr/answers/{kind}"


def lane(name: str, what: str) -> str:
    """Return the name of a statistic of one lane: requests, rate-limit pauses, or its state."""
    return f"sgr/lane/{name}/{what}"


def lane_states(stats: Mapping[str, object]) -> dict[str, str]:
    """Return the state of each named lane at the end of a run."""
    found = {name: re.fullmatch(lane(r"(.+)", "state"), name) for name in stats}
    return {match[1]: str(stats[name]) for name, match in found.items() if match is not None}


def layer(name: str, what: str) -> str:
    """Return the name of a statistic of one layer: records found, walks by status, or work done."""
    return f"sgr/layer/{name}/{what}"


def capped_by(name: str, setting: str) -> str:
    """Return the name of the count of what a setting of one layer limited."""
    return layer(name, f"capped_by/{setting}")


def settings_that_capped(stats: Mapping[str, object]) -> dict[str, object]:
    """Return those counts by setting, e.g. ``playlist_depth.max_likers``."""
    found = {re.fullmatch(capped_by(r"(\w+)", r"(\w+)"), name): count for name, count in stats.items()}
    return {f"{match[1]}.{match[2]}": count for match, count in found.items() if match is not None}


def relate(table: str, what: str) -> str:
    """Return the name of a statistic of a relationship table: its rows, or the seconds of one part."""
    return f"sgr/relate/{table}/{what}"


PLACEHOLDERS = {
    "table": "[a-z]+(?:_[a-z]+)*",
    "part": "[a-z]+",
    "layer": "[a-z]+(?:_[a-z]+)*",
    "status": "planned|running|done|capped|gone|failed",
    "kind": "[a-z]+",
    "lane": "[A-Za-z][A-Za-z0-9_-]*",
    "setting": "[a-z]+(?:_[a-z]+)*",
}
"""The patterns of the words in angle brackets."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic, or a family of them: ``name`` may contain ``PLACEHOLDERS`` in angle brackets."""

    name: str
    unit: str
    meaning: str

    def covers(self, name: str) -> bool:
        """Return whether *name* is this statistic, or matches its placeholders."""
        pattern = re.sub("<([a-z]+)>", lambda word: f"(?:{PLACEHOLDERS[word[1]]})", self.name)
        return re.fullmatch(pattern, name) is not None


_FOUND = "Distinct {} that the layer found around the seeds of this run, in this and earlier runs"
_STUBS = ", without stubs"

STATISTICS = (
    Statistic("tracks_collected", "tracks", "Tracks present at the end of the run, without stubs"),
    Statistic("users_collected", "users", "Users present at the end of the run, without stubs"),
    Statistic("playlists_collected", "playlists", "Playlists present at the end of the run, without stubs"),
    Statistic(
        "engagements_collected", "engagements", "Likes, reposts and comments present at the end of the run"
    ),
    Statistic("comments_collected", "comments", "Comments present at the end of the run"),
    Statistic(
        "sgr/first_seen/<table>", "records", "Records of a table first seen during the run, without stubs"
    ),
    Statistic(OUTCOME, "word", "Outcome of the run as in `runs`, e.g. `complete`"),
    Statistic(FETCHED, "word", "Outcome before relationships were built"),
    Statistic(EXIT_CODE, "integer", "Exit code of `scrapy crawl`"),
    Statistic(COMMAND, "string", "Command that continues this run, with secrets masked"),
    Statistic(PAGES, "pages", "Pages spilled, one for each conclusive response"),
    Statistic(
        REQUESTS,
        "requests",
        "Requests sent, including retries, token requests, probes, and those for a record known to be good",
    ),
    Statistic(SECONDS, "seconds", "Duration of the run"),
    Statistic(
        "sgr/walks/<status>", "walks", "Walks of this harvest at the end of the run, by status as in `walks`"
    ),
    Statistic("sgr/layer/<layer>/tracks", "tracks", _FOUND.format("tracks") + _STUBS),
    Statistic("sgr/layer/<layer>/users", "users", _FOUND.format("users") + _STUBS),
    Statistic("sgr/layer/<layer>/playlists", "playlists", _FOUND.format("playlists") + _STUBS),
    Statistic("sgr/layer/<layer>/engagements", "engagements", _FOUND.format("likes, reposts and comments")),
    Statistic("sgr/layer/<layer>/comments", "comments", _FOUND.format("comments")),
    Statistic(
        "sgr/layer/<layer>/requests",
        "pages",
        "Pages spilled in this run for walks that the layer wants; a page that several layers want counts "
        "for each. Only `sgr/requests` includes retries and token requests",
    ),
    Statistic(
        "sgr/layer/<layer>/seconds", "seconds", "Time from the layer's first to its last page in this run"
    ),
    Statistic("sgr/layer/<layer>/received", "items", "Items its walks have received, including duplicates"),
    Statistic("sgr/layer/<layer>/<status>", "walks", "Walks that the layer wants, by status as in `walks`"),
    Statistic(
        "sgr/layer/<layer>/capped_by/<setting>",
        "walks or choices",
        "Walks that this setting ended for the layer, and choices in which the layer left something out",
    ),
    Statistic(
        "sgr/answers/<kind>",
        "responses",
        "Responses of the API by kind: `ok`, `found` (a redirect), `gone`, `hidden`, "
        "`refused`, `unauthorised`, `limited`, `retry`, `disallowed`, `blocked`",
    ),
    Statistic(
        HOLDS,
        "pauses",
        "Pauses of a lane, because of a rate limit or because the gateway refuses this client; without "
        "`SOUNDCLOUD_CREDENTIALS` they are pauses of all requests",
    ),
    Statistic(HOLD_SECONDS, "seconds", "Total length of these pauses, over all lanes"),
    Statistic(
        "sgr/lane/<lane>/requests",
        "requests",
        "Requests to the API on one lane of `SOUNDCLOUD_CREDENTIALS`; without that setting, lanes have no "
        "statistics of their own",
    ),
    Statistic("sgr/lane/<lane>/limited", "responses", "Responses that limited the lane's rate"),
    Statistic("sgr/lane/<lane>/holds", "pauses", "Pauses of the lane"),
    Statistic("sgr/lane/<lane>/hold_seconds", "seconds", "Total length of these pauses"),
    Statistic(
        "sgr/lane/<lane>/state",
        "word",
        "State of the lane at the end of the run: `ok`, `throttled`, `refused` or `revoked`",
    ),
    Statistic(OUTAGES, "outages", "Times when nothing answered and all requests waited"),
    Statistic(OUTAGE_SECONDS, "seconds", "Total length of these outages"),
    Statistic(PROBES, "requests", "Requests that only find out whether the API can be reached"),
    Statistic(RETRIES, "requests", "Requests retried after a transient error"),
    Statistic(RETRIES_GIVEN_UP, "requests", "Requests that failed with a transient error on every try"),
    Statistic(
        WITNESSES,
        "requests",
        "Requests for a record known to be good, to find out whether refusals are about this client",
    ),
    Statistic(TOKEN_EXCHANGES, "tokens", "Tokens obtained with the client credentials"),
    Statistic(TOKEN_REFRESHES, "tokens", "Tokens obtained with a refresh token"),
    Statistic(
        OUT_OF_SCOPE, "requests", "Requests not sent, because they led away from the API or to private data"
    ),
    Statistic("sgr/relate/<table>/rows", "pairs", "Pairs in a relationship table at the end of the run"),
    Statistic(
        "sgr/relate/<table>/left_out",
        "libraries",
        "Users or playlists left out of a relationship table, because their library was not looked at",
    ),
    Statistic(
        "sgr/relate/<table>/<part>_seconds",
        "seconds",
        "Seconds for one part of the build: `read`, `compute` or `write`; missing if it was up to date",
    ),
    Statistic("sgr/validate/text_cleaned", "fields", "Strings cleaned of control characters and the like"),
    Statistic("sgr/validate/fields_nulled", "fields", "Invalid values, nulled and stored in `rejects`"),
    Statistic("sgr/validate/records_rejected", "records", "Invalid records, stored in `rejects`"),
    Statistic("sgr/dedupe/records", "records", "Records received, including duplicates"),
    Statistic("sgr/dedupe/known", "records", "Records skipped, because they were already stored unchanged"),
)


def find(name: str) -> Statistic | None:
    """Return the documentation of the statistic *name*, if there is one."""
    return next((statistic for statistic in STATISTICS if statistic.covers(name)), None)
