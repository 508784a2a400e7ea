"""The signals this project adds to Scrapy's own."""

from __future__ import annotations

hold_started = object()
"""A rate-limit pause has begun or was extended. Handlers get ``until`` (seconds since the epoch) and
``reason``."""

run_closing = object()
"""Scrapy is closing the spider, which is finished or was interrupted. Errors do not send this signal."""

page_spilled = object()
"""A page was committed. Handlers get ``page`` and ``spilled``, the result."""
