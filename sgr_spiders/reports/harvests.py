"""The output of ``scrapy harvests``: the runs of a database as a table, and as JSON for monitoring."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.model import statistics
from sgr_spiders.text.formatting import duration, minute, number, pluralize, table
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.figures.inventory import PastRun

COLLECTED = ("tracks", "users", "playlists", "engagements", "comments")
HEAD = (
    "run",
    "spider",
    "outcome",
    "started (UTC)",
    "time",
    "seeds",
    "requests",
    "new tracks",
    "new users",
    "caps",
)


def as_json(runs: Sequence[PastRun]) -> list[dict[str, Any]]:
    """Return the structure documented in docs/operations.md, newest run first."""
    return [_run_json(run) for run in runs]


def as_text(runs: Sequence[PastRun], written: datetime | None, idle: int = 0) -> list[str]:
    """Return a table of the latest *runs*.

    *idle* runs are left out. *written* is the time of the last write to the file.
    """
    more = [f"{pluralize(idle, 'run')} with no seed due: {command('harvests', '--all')}"] if idle else []
    if not runs:
        return more or [f"No harvest yet: {command('crawl', 'deep_harvest', '-a', 'track_id=ID')}"]
    rows = [_row(run, written, is_last=index == 0) for index, run in enumerate(runs)]
    return [*table([HEAD, *rows], left=3), *more]


def run_seconds(run: PastRun, written: datetime | None, *, is_last: bool) -> float | None:
    """Return the duration of *run* in seconds; of one without an end, up to its last sign of life."""
    started = datetime.fromisoformat(run.started_at)
    end = run.finished_at or run.last_heartbeat_at
    if end is not None:
        return max(0.0, (datetime.fromisoformat(end) - started).total_seconds())
    # In a file, that is the last write.
    return max(0.0, (written - started).total_seconds()) if is_last and written is not None else None


def describe_outcome(run: PastRun, *, is_last: bool) -> str:
    """Return the outcome, or whether *run* is at work.

    The writer lock of a file allows one crawl at a time, so only the last run can be running.
    """
    if run.outcome is not None:
        return run.outcome
    has_fetched = fetch_outcome(run) is not None
    if run.is_at_work:
        return "relating" if has_fetched else "running"
    if is_last and run.is_at_work is None:
        return "relating or killed" if has_fetched else "running or killed"
    return "killed while relating" if has_fetched else "killed"


def fetch_outcome(run: PastRun) -> str | None:
    """Return the outcome of fetching, for a run that started to build relationships."""
    known = run.stats.get(statistics.FETCHED)
    return known if isinstance(known, str) else None


def _row(run: PastRun, written: datetime | None, *, is_last: bool) -> list[str]:
    return [
        str(run.run_id),
        run.spider,
        describe_outcome(run, is_last=is_last),
        minute(run.started_at),
        duration(run_seconds(run, written, is_last=is_last)),
        number(run.seeds),
        number(run.requests),
        number(_first_seen(run)["tracks"]),
        number(_first_seen(run)["users"]),
        number(len(statistics.settings_that_capped(run.stats)) or None),
    ]


def _run_json(run: PastRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "spider": run.spider,
        "layers": list(run.layers),
        "arguments": dict(run.arguments),
        "config_hash": run.config_hash,
        "version": run.version,
        "api_origin": run.api_origin,
        "is_sandbox": run.is_sandbox,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seconds": run_seconds(run, None, is_last=False),
        "outcome": run.outcome,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "seeds": run.seeds,
        "requests": run.requests,
        "pages": _known(run, statistics.PAGES),
        "walks": _walks(run),
        "capped": None if _is_unknown(run) else statistics.settings_that_capped(run.stats),
        "first_seen": _first_seen(run),
        "collected": _collected(run),
    }


def _walks(run: PastRun) -> Mapping[str, int | None]:
    return {status: _known(run, statistics.walks(status)) for status in ("done", "capped", "gone", "failed")}


def _first_seen(run: PastRun) -> Mapping[str, int | None]:
    # Runs of earlier versions did not count them.
    return {name: run.stats.get(statistics.first_seen(name)) for name in COLLECTED}


def _collected(run: PastRun) -> Mapping[str, int | None]:
    return {name: _known(run, statistics.collected(name)) for name in COLLECTED}


def _known(run: PastRun, name: str) -> int | None:
    # After fetching, a missing statistic means 0.
    return None if _is_unknown(run) else run.stats.get(name, 0)


def _is_unknown(run: PastRun) -> bool:
    """Return whether *run* has not finished fetching, so that its statistics are unknown."""
    return run.outcome is None and fetch_outcome(run) is None
