"""The header fields of a response as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Response


def fields_of(response: Response) -> dict[str, str]:
    """Names in lower case, several values joined. Any byte is a character in Latin-1: this cannot fail."""
    return {
        name.decode("latin-1").lower(): b",".join(response.headers.getlist(name)).decode("latin-1")
        for name in response.headers
    }
