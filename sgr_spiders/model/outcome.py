"""The outcome of a run: a word, a reason and an exit code for schedulers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.model.exceptions import HarvestError

COMPLETE, INTERNAL_ERROR, USAGE_ERROR, PARTIAL, BLOCKED, IN_USE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

EXIT_CODES = {
    COMPLETE: "complete, even if there was nothing to do",
    INTERNAL_ERROR: "internal error, or the database cannot be written",
    USAGE_ERROR: "bad arguments or configuration, or no credentials; nothing was fetched",
    PARTIAL: "partial: walks failed or were refused, a seed is gone or private, a budget ran out, or the API "
    "or its token endpoint could not be reached",
    BLOCKED: "blocked, the credentials were refused, or more is gone than `max_gone_share`",
    IN_USE: "the database is locked by another crawl, or holds data of another API; nothing was fetched",
    INTERRUPTED: "interrupted by SIGINT or SIGTERM, or `SOUNDCLOUD_ACCESS_TOKEN` ended during the run; clean "
    "and resumable",
}
"""The exit codes of `scrapy crawl`, with their meanings."""


Name = Literal["complete", "partial", "unfinished", "unreachable", "interrupted", "blocked", "failed"]
FINISHING: frozenset[Name] = frozenset({"complete", "partial", "unfinished"})
"""Outcomes after which the post-crawl steps run. After the others the harvest is to be resumed first."""

UNFINISHED = ("planned", "running")
"""Statuses of walks that have not ended."""

LIMITS = {
    "closespider_timeout": "CLOSESPIDER_TIMEOUT",
    "closespider_timeout_no_item": "CLOSESPIDER_TIMEOUT_NO_ITEM",
    "closespider_itemcount": "CLOSESPIDER_ITEMCOUNT",
    "closespider_pagecount": "CLOSESPIDER_PAGECOUNT",
    "closespider_pagecount_no_item": "CLOSESPIDER_PAGECOUNT_NO_ITEM",
    "closespider_errorcount": "CLOSESPIDER_ERRORCOUNT",
    "memusage_exceeded": "MEMUSAGE_LIMIT_MB",
}
"""Scrapy's reasons for closing the spider at a limit that the user set, with the setting: a budget."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run.

    ``unfinished`` if a budget ran out, ``partial`` if some data was unavailable, ``unreachable`` if the API
    or its token endpoint could not be reached.
    """

    name: Name
    exit_code: int
    reason: str | None = None


def classify_run(
    *,
    finish_reason: str,
    stopped_by: HarvestError | None,
    internal_errors: int,
    walks: Mapping[str, int],
    lost_seeds: Sequence[str],
    refused: int = 0,
) -> Outcome:
    """Return the outcome of a run.

    Args:
        finish_reason: Scrapy's reason for closing the spider.
        stopped_by: The error that stopped the run, if any.
        internal_errors: The number of unexpected exceptions.
        walks: The numbers of walks, by status.
        lost_seeds: A sentence for each seed that is gone, private or not a track.
        refused: The number of walks that the API has refused for good in this run.
    """
    if stopped_by is not None:
        return Outcome(stopped_by.outcome, stopped_by.exit_code, str(stopped_by))
    if internal_errors:
        return Outcome("failed", INTERNAL_ERROR, f"internal errors: {internal_errors}, see the log")
    if finish_reason == "shutdown":
        return Outcome("interrupted", INTERRUPTED, "stopped by a signal")
    if finish_reason in LIMITS:
        return Outcome("unfinished", PARTIAL, f"the limit of the setting {LIMITS[finish_reason]} is reached")
    if finish_reason != "finished":
        return Outcome("failed", INTERNAL_ERROR, f"closed: {finish_reason}")
    return _classify_finished(walks, lost_seeds, refused)


def classify_seed(status: str, walks: Mapping[str, int], *, broken: bool) -> str:
    """Return the outcome of a seed that has nothing left to fetch.

    Args:
        status: The status of the walk that fetched the seed.
        walks: The numbers of walks around the seed, by status.
        broken: Whether a layer failed.
    """
    if status == "gone":
        return "gone"
    if broken or status in UNFINISHED or any(walks.get(unfinished) for unfinished in UNFINISHED):
        return "failed"
    return "partial" if status == "failed" or walks.get("failed") else "complete"


def _classify_finished(walks: Mapping[str, int], lost_seeds: Sequence[str], refused: int) -> Outcome:
    unfinished = sum(walks.get(status, 0) for status in UNFINISHED)
    if unfinished:
        return Outcome("failed", INTERNAL_ERROR, f"{_walks(unfinished)} left unfinished; see the log")
    problems = list(lost_seeds)
    if failed := walks.get("failed", 0):
        problems.append(f"{_walks(failed)} failed")
    if refused:
        problems.append(f"{_walks(refused)} refused by the API")
    if problems:
        return Outcome("partial", PARTIAL, "; ".join(problems))
    return Outcome("complete", COMPLETE)


def _walks(count: int) -> str:
    return f"{count} {'walk' if count == 1 else 'walks'}"
