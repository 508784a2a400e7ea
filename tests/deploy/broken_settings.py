"""The project's settings, and an exception when a scheduled run continues with its second seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.crawl.planner import Planner
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from sgr_spiders.config.arguments import GivenSeed
    from sgr_spiders.storage.store import Connection

_enter = Planner.enter
_entered: list[GivenSeed] = []


def _enter_and_fail(self: Planner, connection: Connection, seed: GivenSeed, fresh_after: str) -> None:
    _enter(self, connection, seed, fresh_after)
    _entered.append(seed)
    if len(_entered) == 2:
        raise LookupError("a bug between two seeds")


Planner.enter = _enter_and_fail  # type: ignore[method-assign]
