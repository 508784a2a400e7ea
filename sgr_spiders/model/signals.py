"""The signals this project adds to Scrapy's own."""

from __future__ import annotations

hold_started = object()
"""A hold of the API has begun, or lasts longer than was known. Handlers get ``until`` (seconds since the
epoch) and ``reason``."""

run_closing = object()
"""Scrapy closes the spider, which has nothing left to do or was interrupted; an error does not send this."""

page_spilled = object()
"""A page was committed. Handlers get ``page`` and ``spilled``, what came of it."""
