"""The project's settings, and a run that waits before its post-crawl steps until the test lets it go on.

The first run to get there creates the file ``HELD``, and waits for a file beside it with the suffix ``.go``.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from sgr_spiders.crawl import finishing, harvest
from sgr_spiders.settings import *  # noqa: F403

HELD = "HELD"


async def _wait_then_run(*arguments: Any) -> finishing.Finished:
    held = Path(os.environ[HELD])
    # Not in a thread, for which a process waits before it ends.
    while True:
        if not _is_held(held):
            return await finishing.run_post_crawl_steps(*arguments)
        await asyncio.sleep(0.02)


def _is_held(held: Path) -> bool:
    """Return whether this run must wait, as the first one to get here."""
    if not held.exists():
        held.write_text(str(os.getpid()))
    return held.read_text() == str(os.getpid()) and not let_go(held).exists()


def let_go(held: Path) -> Path:
    """Return the file that ends the wait."""
    return held.with_suffix(".go")


vars(harvest)["run_post_crawl_steps"] = _wait_then_run
