"""How the errback can tell a request that was given up from one that failed."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class Abandoned(IgnoreRequest):
    """The run closes before this request was answered: its walk stays as it is, to be resumed.

    Raised by whatever makes a request wait, and by the last point before the wire.
    """
