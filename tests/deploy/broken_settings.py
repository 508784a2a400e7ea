"""The project's settings, and a mistake where a scheduled run goes on to its second seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.crawl.planner import Planner
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.storage.store import Connection

_enter = Planner.enter
_entered: list[GivenSeed] = []


def _enter_one(self: Planner, connection: Connection, seed: GivenSeed, fresh_after: str) -> None:
    _enter(self, connection, seed, fresh_after)
    _entered.append(seed)
    if len(_entered) == 2:
        raise LookupError("a mistake between two seeds")


Planner.enter = _enter_one  # type: ignore[method-assign]
