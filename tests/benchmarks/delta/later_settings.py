"""The project's settings for a run ``DAYS_LATER`` days after the start, with stamps aged by as many days."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from sgr_spiders.settings import *  # noqa: F403
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.ledger import delta

_LATER = timedelta(days=float(os.environ["DAYS_LATER"]))
_last_turns = delta.last_turns


def last_turns(full_refresh_days: float, now: datetime) -> dict[int, str]:
    """Return the turns before a later time, as if that were now."""
    turns = _last_turns(full_refresh_days, now + _LATER)
    return {group: timestamp(datetime.fromisoformat(turn) - _LATER) for group, turn in turns.items()}


delta.last_turns = last_turns
