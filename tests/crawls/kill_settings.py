"""The project's settings, and a crawl that kills itself (SIGKILL) at its n-th SQL statement.

``KILL_AT`` counts statements, commits included, so a series of numbers covers every moment of a spill:
before the fence, between the tables, before and after the commit. Counting starts before the database is
opened, so it also covers the migrations.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import sqlalchemy as sa

from sgr_spiders import settings as project
from sgr_spiders.settings import *  # noqa: F403

EXTENSIONS = {**project.EXTENSIONS, "tests.crawls.kill_settings.KillSwitch": -1}


class KillSwitch:
    """Counter of SQL statements that kills the process at ``KILL_AT``."""

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
