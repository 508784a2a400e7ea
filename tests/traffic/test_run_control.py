"""A run is stopped once, by the first error."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from sgr_spiders.model.exceptions import BlockedError, BudgetSpentError
from sgr_spiders.traffic.run_control import RunControl


def test_the_first_error_is_kept() -> None:
    closed: list[str] = []

    async def close_spider(*, reason: str) -> None:
        closed.append(reason)

    async def stop_twice() -> None:
        control.stop(first)
        control.stop(second)
        await asyncio.sleep(0)  # the engine is asked to close in a task

    engine = SimpleNamespace(downloader=SimpleNamespace(slots={}), close_spider_async=close_spider)
    control = RunControl(cast("Any", SimpleNamespace(engine=engine)))
    first, second = BlockedError("the API blocks this client"), BudgetSpentError("the budget is spent")
    asyncio.run(stop_twice())
    assert control.error is first
    assert control.closing
    assert closed == ["blocked"]
