"""The notice about the terms of the data source, shown once per database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.storage import notices

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

NAME = "terms"
LINE = (
    "The terms of the data source may forbid training models on live data: read docs/terms.md first "
    "(shown once per database)"
)


def terms_line(store: Store) -> str | None:
    """Return the line to show to the user of the database, unless it was shown before."""
    return LINE if notices.mark_shown(store, NAME) else None
