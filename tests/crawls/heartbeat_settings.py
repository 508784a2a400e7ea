"""The project's settings, and an engine that polls the scheduler only after a wake-up.

Scrapy's engine also polls every 5 s, which hides a missing wake-up.
"""

from __future__ import annotations

from scrapy.core.engine import ExecutionEngine

from sgr_spiders.settings import *  # noqa: F403

ExecutionEngine._SLOT_HEARTBEAT_INTERVAL = 3600.0
