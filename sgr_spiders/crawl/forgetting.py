"""Forgotten records in a run: seeds that it leaves out, and the rule ``retention.on_gone`` at its end."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from sgr_spiders.storage import forgetting, redaction
from sgr_spiders.storage.ledger.forgotten import find_forgotten_seeds
from sgr_spiders.text.escape import for_log
from sgr_spiders.text.formatting import pluralize
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.crawl.opening import Invocation
    from sgr_spiders.crawl.planner import Planner
    from sgr_spiders.model.items import Reference
    from sgr_spiders.storage.forgetting import Forgotten
    from sgr_spiders.storage.store import Connection
    from sgr_spiders.storage.tombstones import Reason

logger = logging.getLogger(__name__)


class Forgetting:
    """The records that a run must not save: seeds forgotten before it, and what it forgets itself.

    Attributes:
        references: The forgotten records and pages.
        seeds: The number of seeds left out.
    """

    def __init__(self) -> None:
        self.references: set[Reference] = set()
        self.seeds = 0

    def leave_out_seeds(self, connection: Connection, planner: Planner) -> None:
        """Leave the seeds that were forgotten out of the plan of *planner*, and log them."""
        plan = planner.plan
        forgotten = find_forgotten_seeds(connection, plan.seeds)
        for seed in forgotten:
            lift = command("forget", "--lift", seed.text)
            logger.warning(
                "Seed %s was forgotten and is left out; to allow it again, run: %s", for_log(seed.text), lift
            )
        planner.plan = replace(plan, seeds=tuple(seed for seed in plan.seeds if seed not in forgotten))
        self.references.update(forgotten.values())
        self.seeds = len(forgotten)

    def clean_invocation(self, invocation: Invocation) -> Invocation:
        """Return how the run was started, without the seeds left out."""
        if not self.references:
            return invocation
        line = invocation.command
        return replace(
            invocation,
            arguments=redaction.redact_arguments(invocation.arguments, self.references),
            command=None if line is None else redaction.redact_command(line, self.references),
        )

    def clean_text(self, text: str | None) -> str | None:
        """Return the reason of the outcome without the seeds that the run has forgotten."""
        return None if text is None else redaction.redact_text(text, self.references)

    def forget_addresses(self, connection: Connection) -> bool:
        """Forget the addresses of seeds that led to forgotten records; return whether there are any."""
        return self._forget(connection, forgetting.find_addresses(connection), "asked") is not None

    def forget_gone(self, connection: Connection) -> bool:
        """Forget the records that are gone or private; return whether there are any."""
        reasons: tuple[Reason, ...] = ("gone", "private")
        is_applied = False
        for reason in reasons:
            done = self._forget(connection, forgetting.find_removed(connection, reason), reason)
            if done is not None:
                counts = done.records()
                kinds = ", ".join(pluralize(counts[kind], kind) for kind in sorted(counts))
                logger.info("Forgotten because they are %s (retention.on_gone): %s", reason, kinds)
                is_applied = True
        return is_applied

    def _forget(self, connection: Connection, found: Sequence[Reference], reason: Reason) -> Forgotten | None:
        if not found:
            return None
        done = forgetting.forget(connection, found, reason)
        self.references.update(done.references)
        return done
