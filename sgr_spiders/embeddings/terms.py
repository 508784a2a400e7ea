"""What those are told once who make training data or vectors out of a database."""

from __future__ import annotations

from sgr_spiders.storage import notices

NAME = "terms"
LINE = (
    "The terms of the data source may forbid training models on live data: read docs/terms.md first "
    "(said once per database)"
)


def terms_line(url: str) -> str | None:
    """Give the line to show to the user of the database at *url*, unless it was shown before."""
    return LINE if notices.mark_shown_at(url, NAME) else None
