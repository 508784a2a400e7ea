"""What the scope guard raises."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class OutOfScopeError(IgnoreRequest):
    """A request leads off the API, or to audio, or to what a secret link opens. Raised by ``ScopeGuard``."""
