"""The project's settings, and a crawl that kills itself (SIGKILL) at its n-th word to the database.

``KILL_AT`` counts statements, commits included, so a series of numbers hits every instant of a spill:
before the fence, between the tables, before and after the commit. It is armed before the database is
opened, so the migrations are hit as well.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import sqlalchemy as sa

from sgr_spiders.settings import *  # noqa: F403
from sgr_spiders.settings import EXTENSIONS as _EXTENSIONS

EXTENSIONS = {**_EXTENSIONS, "tests.crawls.kill_settings.KillSwitch": -1}


class KillSwitch:
    """Counts what the crawl says to the database, and ends it without a word at ``KILL_AT``."""

    def __init__(self) -> None:
        self._left = int(os.environ["KILL_AT"])
        sa.event.listen(sa.Engine, "before_cursor_execute", self._count)
        sa.event.listen(sa.Engine, "commit", self._count)

    @classmethod
    def from_crawler(cls, _crawler: object) -> KillSwitch:
        return cls()

    def _count(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
