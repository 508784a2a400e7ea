"""The steps after a crawl: indexes, retention, relationships, communities, vectors.

None of them runs on the reactor's thread.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sgr_spiders.model.exceptions import HarvestError, NothingToLearnError
from sgr_spiders.model.outcome import FINISHING, INTERNAL_ERROR, INTERRUPTED, Outcome
from sgr_spiders.storage import indexes
from sgr_spiders.storage.ledger import runs, seeds
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.config.harvest import HarvestConfig
    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.crawl.turns import Turns
    from sgr_spiders.relationships.processor import Related
    from sgr_spiders.storage.retention.prune import Pruned
    from sgr_spiders.storage.store import Connection, Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """The outcome of the run after its post-crawl steps, and their results.

    ``related`` are the tables built, up to date or impossible to build; ``missing`` has a line for each other
    result that is missing.
    """

    outcome: Outcome
    related: tuple[Related, ...] = ()
    missing: tuple[str, ...] = ()


def build_indexes(connection: Connection) -> None:
    """Build the deferred indexes, which only readers need."""
    missing = indexes.missing(connection)
    if missing:
        logger.info("Building the indexes that only readers need")
    for index in missing:
        index.create(connection)


def tracks_to_relate(
    connection: Connection, planner: Planner, turns: Turns | None, config: HarvestConfig
) -> list[int] | None:
    """Return the tracks around which to build relationships; ``None`` leaves that to a later run.

    A scheduled run that has harvested something builds them around all seeds once no due seed is left.
    """
    around = seeds_of_tables(connection, planner, turns)
    if turns is None:
        return around
    left = seeds.count_unfinished(connection, planner.run)
    if left and config.relationships.on_close:
        now = f"run `{command('relate')}` to build them now"
        logger.info("Relationships deferred: %s unfinished; %s", pluralize(left, "due seed"), now)
    return around if turns.taken > 0 and not left else None


def seeds_of_tables(connection: Connection, planner: Planner, turns: Turns | None) -> list[int]:
    """Return the tracks that ``relationships.scope: seeds`` stands for: the run's, or all scheduled ones."""
    if turns is not None:
        return seeds.tracks_of_all(connection)
    return [seed.track_id for seed in runs.seed_outcomes(connection, planner.run) if seed.track_id]


async def run_post_crawl_steps(
    store: Store,
    config: HarvestConfig,
    around: Sequence[int] | None,
    judged: Outcome,
    is_cancelled: Callable[[], bool],
) -> Finished:
    """Apply the retention rules, then build relationships, communities and vectors.

    They run after a run with the outcome *judged* that tried everything it could. Without tracks to build
    them *around*, relationships and vectors are left to a later run.

    What cannot be built is said, and never changes the outcome of the harvest: its data is complete. A bug
    makes the outcome an internal error. The existing tables stay as they are.
    """
    steps = [
        step
        for step, enabled in (
            # First, so that pseudonyms are what the others see.
            (_prune, config.retention.after_runs and not config.retention.keeps_everything),
            (_relate, around is not None and _relates(config, around)),
            (_find_communities, around is not None and config.communities.on_close),
            (_embed, around is not None and config.embeddings.on_close),
        )
        if enabled
    ]
    if not steps or judged.name not in FINISHING:
        return Finished(judged)
    return await asyncio.to_thread(_run, steps, _Work(store, config, around or (), is_cancelled), judged)


def _relates(config: HarvestConfig, around: Sequence[int]) -> bool:
    return config.relationships.on_close and (config.relationships.scope == "all" or bool(around))


@dataclass(frozen=True, slots=True)
class _Work:
    """The input of the steps."""

    store: Store
    config: HarvestConfig
    around: Sequence[int]
    is_cancelled: Callable[[], bool]


def _run(steps: Sequence[Callable[[_Work, Finished], Finished]], work: _Work, judged: Outcome) -> Finished:
    """Run the steps in order until one of them changes the outcome."""
    finished = Finished(judged)
    for step in steps:
        if finished.outcome == judged:
            finished = step(work, finished)
    return finished


def _prune(work: _Work, before: Finished) -> Finished:
    # Lazy import, as in _relate.
    from sgr_spiders.storage.retention.prune import prune  # noqa: PLC0415

    try:
        pruned = work.store.retry(lambda: prune(work.store, work.config.retention))
    except HarvestError as error:
        logger.warning("Retention not applied: %s; %s", error, _retry("prune"))
        return replace(
            before, missing=(*before.missing, f"Retention not applied: {error}; {_retry('prune')}")
        )
    except Exception:
        logger.exception("Pruning failed")
        failed = Outcome("failed", INTERNAL_ERROR, f"pruning failed, see the log; {_retry('prune')}")
        return replace(before, outcome=failed)
    logger.info("Pruned %s by %s", *_describe_pruned(pruned))
    if pruned.pending:
        pending = pluralize(pruned.pending, "walk")
        logger.info("Users kept: %s pending; they are replaced when the harvest is finished", pending)
    return before


def _describe_pruned(pruned: Pruned) -> tuple[str, str]:
    rows = sum(rule.rows for rule in pruned.rules)
    return pluralize(rows, "row"), pluralize(sum(rule.rows > 0 for rule in pruned.rules), "rule")


def _relate(work: _Work, before: Finished) -> Finished:
    # Lazy import: loading it takes as long as a few pages.
    from sgr_spiders.relationships.engine import CancelledError  # noqa: PLC0415
    from sgr_spiders.relationships.processor import relate  # noqa: PLC0415

    chosen = work.around if work.config.relationships.scope == "seeds" else None
    try:
        related = work.store.retry(
            lambda: relate(work.store, work.config, seeds=chosen, is_cancelled=work.is_cancelled)
        )
    except CancelledError:
        return Finished(
            Outcome("interrupted", INTERRUPTED, f"stopped while building relationships; {_retry('relate')}")
        )
    except HarvestError as error:
        return _without(before, "Relationships", error, _retry("relate"))
    except Exception:
        # A bug here must not discard the outcome of the crawl.
        logger.exception("Relating failed")
        return Finished(
            Outcome("failed", INTERNAL_ERROR, f"relating failed, see the log; {_retry('relate')}")
        )
    return replace(before, related=tuple(related))


def _find_communities(work: _Work, before: Finished) -> Finished:
    # Lazy import, as in _relate.
    from sgr_spiders.relationships.communities.build import build_communities  # noqa: PLC0415
    from sgr_spiders.relationships.engine import CancelledError  # noqa: PLC0415

    try:
        built = work.store.retry(
            lambda: build_communities(work.store, work.config, is_cancelled=work.is_cancelled)
        )
    except CancelledError:
        reason = f"stopped while finding communities; {_retry('communities')}"
        return replace(before, outcome=Outcome("interrupted", INTERRUPTED, reason))
    except (HarvestError, MemoryError) as error:
        return _without(before, "Communities", error, _retry("communities"))
    except Exception:
        logger.exception("Finding communities failed")
        reason = f"finding communities failed, see the log; {_retry('communities')}"
        return replace(before, outcome=Outcome("failed", INTERNAL_ERROR, reason))
    counts = ", ".join(pluralize(one.run.rows, one.run.kind) for one in built)
    logger.info("Communities of %s", counts)
    return before


def _embed(work: _Work, before: Finished) -> Finished:
    # Lazy import, as in _relate.
    from sgr_spiders.embeddings.embed import embed  # noqa: PLC0415
    from sgr_spiders.embeddings.terms import terms_line  # noqa: PLC0415

    if work.is_cancelled():
        stopped = Outcome("interrupted", INTERRUPTED, f"stopped before building vectors; {_retry('embed')}")
        return replace(before, outcome=stopped)
    try:
        if line := work.store.retry(lambda: terms_line(work.store)):
            logger.info("%s", line)
        embedded = work.store.retry(lambda: embed(work.store, work.config.embeddings))
    except NothingToLearnError as error:
        logger.info("No vectors: %s", error)
        return before
    except (HarvestError, MemoryError) as error:
        return _without(before, "Vectors", error, _retry("embed"))
    except Exception:
        logger.exception("Embedding failed")
        failed = Outcome("failed", INTERNAL_ERROR, f"embedding failed, see the log; {_retry('embed')}")
        return replace(before, outcome=failed)
    logger.info("Vectors of %s", embedded.describe())
    return before


def _without(before: Finished, what: str, error: Exception, retry: str) -> Finished:
    reason = str(error) or "not enough memory"
    logger.warning("%s not built: %s; %s", what, reason, retry)
    return replace(before, missing=(*before.missing, f"{what} not built: {reason}; {retry}"))


def _retry(name: str) -> str:
    return f"run `{command(name)}` to retry"
