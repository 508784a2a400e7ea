"""The statistics of a crawl, by name: an interface, and the one list of them.

Scrapy's own come in addition. All of a run stand in ``runs.stats``, as JSON; what is not there is 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OUTCOME = "sgr/outcome"
EXIT_CODE = "sgr/exit_code"
FETCHED = "sgr/fetched"
COMMAND = "sgr/command"
PAGES = "sgr/pages"
SECONDS = "sgr/seconds"
OUT_OF_SCOPE = "sgr/out_of_scope"
HOLDS = "sgr/holds"
HOLD_SECONDS = "sgr/hold_seconds"
RETRIES = "sgr/retry/count"
RETRIES_GIVEN_UP = "sgr/retry/given_up"
TOKEN_EXCHANGES = "sgr/token/exchanges"  # noqa: S105 - the name of a count
TOKEN_REFRESHES = "sgr/token/refreshes"  # noqa: S105 - the same


def collected(table: str) -> str:
    """Name the count of the rows of a table."""
    return f"{table}_collected"


def walks(status: str) -> str:
    """Name the count of the run's walks of this status."""
    return f"sgr/walks/{status}"


def answers(kind: str) -> str:
    """Name the count of the API's answers of this kind."""
    return f"sgr/answers/{kind}"


def layer(name: str, what: str) -> str:
    """Name a statistic of one layer: records found, walks by status, and its part of the work."""
    return f"sgr/layer/{name}/{what}"


def relate(table: str, what: str) -> str:
    """Name a statistic of relating: the rows of a table, or the seconds that a part of it took."""
    return f"sgr/relate/{table}/{what}"


PLACEHOLDERS = {
    "table": "[a-z]+(?:_[a-z]+)*",
    "part": "[a-z]+",
    "layer": "[a-z]+(?:_[a-z]+)*",
    "status": "planned|running|done|capped|gone|failed",
    "kind": "[a-z]+",
}
"""What the words in angle brackets stand for."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """``name`` may hold words in angle brackets, see ``PLACEHOLDERS``."""

    name: str
    unit: str
    meaning: str

    def covers(self, name: str) -> bool:
        """Tell whether *name* is this statistic, or one of those that the words in brackets stand for."""
        pattern = re.sub("<([a-z]+)>", lambda word: f"(?:{PLACEHOLDERS[word[1]]})", self.name)
        return re.fullmatch(pattern, name) is not None


_FOUND = "Distinct {} the layer found around the seeds of this run, by this and earlier runs"
_STUBS = ", without stubs"

STATISTICS = (
    Statistic("tracks_collected", "tracks", "In the database when the run ended, without stubs (ids alone)"),
    Statistic("users_collected", "users", "The same, of users"),
    Statistic("playlists_collected", "playlists", "The same, of playlists"),
    Statistic("engagements_collected", "engagements", "Likes, reposts and comments in the database by then"),
    Statistic("comments_collected", "comments", "Comments in the database by then"),
    Statistic(OUTCOME, "word", "How the run ended, as in `runs`, e.g. `complete`"),
    Statistic(FETCHED, "word", "The same, before it related"),
    Statistic(EXIT_CODE, "number", "What `scrapy crawl` exits with"),
    Statistic(COMMAND, "text", "The command that goes on with this run; secrets in it are masked"),
    Statistic(PAGES, "pages", "Pages spilled: one for each request whose answer told something"),
    Statistic(SECONDS, "seconds", "From the run's start to its end"),
    Statistic(
        "sgr/walks/<status>", "walks", "Walks of this harvest when the run ended, by status as in `walks`"
    ),
    Statistic("sgr/layer/<layer>/tracks", "tracks", _FOUND.format("tracks") + _STUBS),
    Statistic("sgr/layer/<layer>/users", "users", _FOUND.format("users") + _STUBS),
    Statistic("sgr/layer/<layer>/playlists", "playlists", _FOUND.format("playlists") + _STUBS),
    Statistic("sgr/layer/<layer>/engagements", "engagements", _FOUND.format("likes, reposts and comments")),
    Statistic("sgr/layer/<layer>/comments", "comments", _FOUND.format("comments")),
    Statistic(
        "sgr/layer/<layer>/requests",
        "pages",
        "Pages of walks that the layer wants, spilled in this run; one that several layers want counts for "
        "each. Retries and token requests are in `downloader/request_count` alone",
    ),
    Statistic("sgr/layer/<layer>/seconds", "seconds", "From the layer's first page in this run to its last"),
    Statistic("sgr/layer/<layer>/received", "items", "Items its walks have received, repeated ones too"),
    Statistic("sgr/layer/<layer>/<status>", "walks", "Walks that the layer wants, by status as in `walks`"),
    Statistic(
        "sgr/answers/<kind>",
        "answers",
        "Answers of the API by what to do about them: `ok`, `found` (a redirect), `gone`, `hidden`, "
        "`refused`, `unauthorised`, `limited`, `retry`, `disallowed`, `blocked`",
    ),
    Statistic(HOLDS, "holds", "How often a rate limit held all requests back"),
    Statistic(HOLD_SECONDS, "seconds", "How long these holds were to last, in all"),
    Statistic(RETRIES, "requests", "Requests sent again after a passing fault"),
    Statistic(RETRIES_GIVEN_UP, "requests", "Requests that met a passing fault every time"),
    Statistic(TOKEN_EXCHANGES, "tokens", "Tokens got for the keys"),
    Statistic(TOKEN_REFRESHES, "tokens", "Tokens got for a refresh token"),
    Statistic(
        OUT_OF_SCOPE, "requests", "Requests not sent: they led away from the API, or to what is private"
    ),
    Statistic("sgr/relate/<table>/rows", "pairs", "Pairs in a relationship table when the run ended"),
    Statistic(
        "sgr/relate/<table>/<part>_seconds",
        "seconds",
        "What a part of building it took: `read`, `compute`, `write`; not there if it was up to date",
    ),
    Statistic("sgr/validate/text_cleaned", "fields", "Texts that lost control characters or the like"),
    Statistic("sgr/validate/fields_nulled", "fields", "Values that could not be kept; `rejects` has them"),
    Statistic("sgr/validate/records_rejected", "records", "Records that could not be kept; the same"),
    Statistic("sgr/dedupe/records", "records", "Records that came, repeated ones too"),
    Statistic("sgr/dedupe/known", "records", "Of these, not written: they were committed just so already"),
)


def find(name: str) -> Statistic | None:
    """Find what documents the statistic *name*."""
    return next((statistic for statistic in STATISTICS if statistic.covers(name)), None)
