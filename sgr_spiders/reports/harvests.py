"""What ``scrapy harvests`` says of the runs in a database: for people, and as JSON for a monitor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sgr_spiders.model import statistics
from sgr_spiders.text.formatting import duration, number, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.storage.figures.inventory import PastRun

NONE_YET = "No harvest yet: scrapy crawl deep_harvest -a track_id=NUMBER"

COLLECTED = ("tracks", "users", "playlists", "engagements", "comments")


def as_json(runs: Sequence[PastRun]) -> list[dict[str, Any]]:
    """Give the structure that docs/operations.md documents, the last run first."""
    return [_run_json(run) for run in runs]


def as_text(runs: Sequence[PastRun], written: datetime | None) -> list[str]:
    """Write a table of the last *runs*, no wider than ``figures.WIDTH``. The file was last *written* then."""
    if not runs:
        return [NONE_YET]
    head = ["run", "spider", "outcome", "started (UTC)", "took", "seeds", "requests", "tracks"]
    rows = [_row(run, written, is_last=place == 0) for place, run in enumerate(runs)]
    return table([head, *rows], left=3)


def took(run: PastRun, written: datetime | None, *, is_last: bool) -> float | None:
    """Tell how many seconds *run* took, up to now if it is at it, as far as that can be told."""
    started = datetime.fromisoformat(run.started_at)
    if run.finished_at is not None:
        return (datetime.fromisoformat(run.finished_at) - started).total_seconds()
    # It may have been killed; what it wrote last tells how long it was at it.
    return max(0.0, (written - started).total_seconds()) if is_last and written is not None else None


def outcome(run: PastRun, *, is_last: bool) -> str:
    """Name the outcome. One crawl at a time works on a file, so only the last run can still be at it."""
    doing = "running" if fetched(run) is None else "relating"
    killed = "killed" if fetched(run) is None else "killed while relating"
    return run.outcome or (f"{doing}, or killed" if is_last else killed)


def fetched(run: PastRun) -> str | None:
    """Tell how fetching ended, for a run that got as far as relating."""
    known = run.stats.get(statistics.FETCHED)
    return known if isinstance(known, str) else None


def _row(run: PastRun, written: datetime | None, *, is_last: bool) -> list[str]:
    return [
        str(run.run_id),
        run.spider,
        outcome(run, is_last=is_last),
        run.started_at[:16].replace("T", " "),
        duration(took(run, written, is_last=is_last)),
        number(run.seeds),
        number(run.requests),
        number(_collected(run)["tracks"]),
    ]


def _run_json(run: PastRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "spider": run.spider,
        "layers": list(run.layers),
        "arguments": dict(run.arguments),
        "config_hash": run.config_hash,
        "version": run.version,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seconds": took(run, None, is_last=False),
        "outcome": run.outcome,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "seeds": run.seeds,
        "requests": run.requests,
        "pages": _known(run, statistics.PAGES),
        "walks": _walks(run),
        "collected": _collected(run),
    }


def _walks(run: PastRun) -> Mapping[str, int | None]:
    return {status: _known(run, statistics.walks(status)) for status in ("done", "capped", "gone", "failed")}


def _collected(run: PastRun) -> Mapping[str, int | None]:
    return {name: _known(run, statistics.collected(name)) for name in COLLECTED}


def _known(run: PastRun, name: str) -> int | None:
    # What a run that has fetched all does not mention is 0; of one that has not nobody knows.
    return None if run.outcome is None and fetched(run) is None else run.stats.get(name, 0)
