"""The result of a crawl, passed from the process of ``scrapy crawl`` to its caller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sgr_spiders.model import exceptions
from sgr_spiders.model.exceptions import CrawlFailedError, HarvestError
from sgr_spiders.model.outcome import BLOCKED, IN_USE, INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sgr_spiders.model.outcome import Name


@dataclass(frozen=True, eq=False)
class HarvestResult(Mapping[str, Any]):
    """The outcome of a run and its statistics, e.g. ``result["tracks_collected"]``.

    The values are those of the run's row in ``runs``, where times are strings.
    """

    run_id: int
    outcome: Name
    exit_code: int
    reason: str | None
    statistics: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a statistic is a number, a string or a time
        return self.statistics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.statistics)

    def __len__(self) -> int:
        return len(self.statistics)

    def _repr_html_(self) -> str:
        # Lazy import: only a notebook shows it.
        from sgr_spiders.model.result_table import as_html  # noqa: PLC0415

        return as_html(self)


def write(path: Path, result: HarvestResult | None, error: BaseException | None) -> None:
    """Write the result of a run, and the error that ended it; either may be missing."""
    values = None if result is None else {**vars(result), "statistics": dict(result.statistics)}
    cause = [type(error).__name__, str(error)] if isinstance(error, HarvestError) else None
    path.write_text(json.dumps({"result": values, "error": cause}, default=str))


def read(path: Path) -> HarvestResult | None:
    """Return the result of a run, ``None`` if there is none; raise the error that ended the run."""
    try:
        written = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    result = None if written["result"] is None else HarvestResult(**written["result"])
    if result is not None and result.exit_code not in {INTERNAL_ERROR, BLOCKED, IN_USE}:
        return result
    if written["error"] is not None:
        name, message = written["error"]
        raise cast("type[HarvestError]", getattr(exceptions, name))(message)
    if result is not None:
        raise CrawlFailedError(str(result.reason))
    return None
