"""The project's settings, and an engine that asks the scheduler only when it is woken.

Scrapy's asks every 5 s besides, which hides that a wake-up was forgotten.
"""

from __future__ import annotations

from scrapy.core.engine import ExecutionEngine

from sgr_spiders.settings import *  # noqa: F403

ExecutionEngine._SLOT_HEARTBEAT_INTERVAL = 3600.0
