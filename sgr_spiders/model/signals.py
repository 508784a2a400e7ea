"""The signals this project adds to Scrapy's own."""

from __future__ import annotations

hold_started = object()
"""All requests pause, or a pause was extended: for a rate limit, because the gateway refuses this client, or
because the API cannot be reached. Handlers get ``until`` (seconds since the epoch) and ``reason``."""

rate_learned = object()
"""The request rate that the API accepts from a key has changed noticeably."""

lane_changed = object()
"""A key was taken out of use, because it is refused."""

run_closing = object()
"""Scrapy is closing the spider, which is finished or was interrupted. Errors do not send this signal."""

sandbox_found = object()
"""The first response of a sandbox has arrived; none of its pages is stored yet. Handlers get
its ``world``."""

page_dropped = object()
"""A page was not committed, because its walk has moved since it was requested. Handlers get ``page``."""

page_spilled = object()
"""A page was committed. Handlers get ``page`` and ``spilled``, the result."""
