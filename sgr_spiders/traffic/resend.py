"""How a middleware sends a request once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy import Request


def again(request: Request, **meta: object) -> Request:
    """The same request for another try, with these entries added to its meta."""
    # A duplicate filter must not drop it: it is meant to be the same.
    repeated: Request = request.replace(dont_filter=True)
    repeated.meta.update(meta)
    return repeated
