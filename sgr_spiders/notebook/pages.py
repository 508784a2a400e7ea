"""Reports and texts that a notebook shows inline."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgr_spiders.reports.page.report import write_page
from sgr_spiders.text.formatting import size

if TYPE_CHECKING:
    import os

    from sgr_spiders.storage.store import Store

HEIGHT = 720
"""Height of a report in a notebook, in pixels."""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a database: shown inline by a notebook, and as a file after ``save``."""

    page: str
    store: Store

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the page to *path* (default beside the database); return the path."""
        file = self.store.beside("report.html") if path is None else Path(path)
        write_page(self.store, self.page, file)
        return file

    def __repr__(self) -> str:
        return f"Report({size(len(self.page.encode()))}; `.save()` writes it to a file)"

    def _repr_html_(self) -> str:
        # Without `allow-same-origin`, so that the page cannot reach the notebook. A popup would inherit that,
        # and the site that a link opens there could use neither cookies nor its own storage.
        allowed = "allow-scripts allow-popups allow-popups-to-escape-sandbox"
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" sandbox="{allowed}" '
            f'title="Report" style="width:100%;height:{HEIGHT}px;border:1px solid #8888"></iframe>'
        )


class Answer(dict[str, Any]):
    """The JSON of a command, which is shown as the text of the command."""

    def __init__(self, values: dict[str, Any], text: str) -> None:
        super().__init__(values)
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


class Output(str):
    """The output of a command, which is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
