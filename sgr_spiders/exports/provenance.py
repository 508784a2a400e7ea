"""Where the data of an export comes from: all that somebody needs to repeat a harvest, and to judge it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from sgr_spiders.config.harvest import short_name
from sgr_spiders.model import statistics
from sgr_spiders.model.outcome import UNFINISHED
from sgr_spiders.reports.caps import list_caps
from sgr_spiders.soundcloud.raw import SECRET, WITHHELD
from sgr_spiders.storage.figures import inventory, overview, provenance
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.reports.caps import Cap
    from sgr_spiders.storage.figures.inventory import Rejected
    from sgr_spiders.storage.figures.provenance import SeedList, UsedRun, UsedSeed, WalkCount
    from sgr_spiders.storage.store import Connection

COMPLETE, WITHIN_CAPS, INCOMPLETE = "complete", "complete within caps", "incomplete"
"""The words for a whole harvest."""

ENDED_WELL, PARTIAL = "complete", "partial"
"""The outcomes of a run that came to its end: without failures, whatever caps have cut, and with some."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The making of a database.

    ``configurations`` are those of all runs by hash, ``None`` for a hash of an earlier version. ``coverage``
    counts libraries by kind and by what was looked at of them. ``capped`` counts walks, ``unfinished_runs``
    and ``partial_runs`` the newest runs of harvests.
    """

    seeds: Sequence[UsedSeed]
    seed_lists: Sequence[SeedList]
    runs: Sequence[UsedRun]
    unfinished_runs: int
    partial_runs: int
    configurations: Mapping[str, Any]
    walks: Sequence[WalkCount]
    capped: int
    caps: Sequence[Cap]
    coverage: Mapping[str, Mapping[str, int]]
    rejected: Sequence[Rejected]
    rejected_records: int

    def count(self, *statuses: str) -> int:
        """Count the walks with these statuses."""
        return sum(row.walks for row in self.walks if row.status in statuses)

    @property
    def doubted(self) -> int:
        return sum(row.doubted for row in self.walks)

    @property
    def cuts(self) -> list[str]:
        """The cuts by caps, in words."""
        choices = sum(cap.choices or 0 for cap in self.caps)
        lists = sum(seed_list.is_cut for seed_list in self.seed_lists)
        counts = (
            (self.capped, f"{pluralize(self.capped, 'walk')} capped"),
            (choices, f"{pluralize(choices, 'choice')} of layers limited"),
            (lists, f"{pluralize(lists, 'list')} of seeds cut"),
        )
        return [text for count, text in counts if count]

    @property
    def losses(self) -> list[str]:
        """The walks and seeds that are missing, or not certain, in words."""
        failed, unfinished = self.count("failed"), self.count(*UNFINISHED)
        refused = sum(row.refused for row in self.walks)
        outdated = sum(row.outdated for row in self.walks)
        lost = sum(seed.status in {"gone", "failed"} for seed in self.seeds)
        counts = (
            (failed, f"{pluralize(failed, 'walk')} failed"),
            (unfinished, f"{pluralize(unfinished, 'walk')} unfinished"),
            (refused, f"{pluralize(refused, 'walk')} refused by the API"),
            (self.doubted, f"{pluralize(self.doubted, 'walk')} in doubt"),
            (outdated, f"{pluralize(outdated, 'walk')} cleared by retention"),
            (self.rejected_records, f"{pluralize(self.rejected_records, 'invalid record')} rejected"),
            (lost, f"{pluralize(lost, 'seed')} gone, private or failed"),
            (self.unfinished_runs, f"{pluralize(self.unfinished_runs, 'harvest')} not finished"),
            (self.partial_runs, f"{pluralize(self.partial_runs, 'harvest')} ended partial"),
            (not self.runs, "no run is recorded"),
        )
        return [text for count, text in counts if count]

    @property
    def completeness(self) -> str:
        if self.losses:
            return INCOMPLETE
        return WITHIN_CAPS if self.cuts else COMPLETE

    def outcome_of(self, run: UsedRun) -> str | None:
        """Return the outcome of *run* in words that do not promise more than there is."""
        if run.outcome != ENDED_WELL:
            return run.outcome
        return WITHIN_CAPS if self.cuts or _was_capped(run.stats) else COMPLETE

    def as_plain(self) -> dict[str, Any]:
        """Return everything as plain data, for a manifest."""
        return {
            "is_complete": self.completeness == COMPLETE,
            "completeness": self.completeness,
            "incomplete_because": [*self.losses, *self.cuts],
            "seeds": [_seed(seed) for seed in self.seeds],
            "seed_lists": [
                asdict(seed_list) | {"given": _mask(seed_list.given), "is_cut": seed_list.is_cut}
                for seed_list in self.seed_lists
            ],
            "runs": [self._run(run) for run in self.runs],
            "configurations": dict(self.configurations),
            "walks": [asdict(row) for row in self.walks],
            "caps": [_cap(cap) for cap in self.caps],
            "coverage": {kind: dict(states) for kind, states in self.coverage.items()},
            "doubts": {"walks": self.doubted},
            "rejected": [asdict(group) for group in self.rejected],
        }

    def _run(self, run: UsedRun) -> dict[str, Any]:
        plain = asdict(run) | {"outcome": self.outcome_of(run), "arguments": clean_arguments(run.arguments)}
        del plain["stats"]
        return plain


def collect(connection: Connection) -> Provenance:
    """Read the making of a database."""
    latest = inventory.latest_of_each_harvest(connection)
    return Provenance(
        seeds=provenance.read_seeds(connection),
        seed_lists=provenance.read_seed_lists(connection),
        runs=provenance.read_runs(connection),
        unfinished_runs=sum(run.outcome not in {ENDED_WELL, PARTIAL} for run in latest),
        partial_runs=sum(run.outcome == PARTIAL for run in latest),
        configurations=provenance.read_configurations(connection),
        walks=provenance.count_walks(connection),
        capped=provenance.count_capped(connection),
        caps=list_caps(overview.find_capped(connection)),
        coverage=provenance.count_libraries(connection),
        rejected=inventory.rejected(connection),
        rejected_records=provenance.count_rejected(connection),
    )


def clean_arguments(arguments: Mapping[str, str]) -> dict[str, str]:
    """Return spider arguments without those of schedulers, and files without their directories."""
    cleaned = {name: _mask(value) for name, value in arguments.items() if not name.startswith("_")}
    if "config" in cleaned:
        cleaned["config"] = short_name(cleaned["config"])
    if "seeds" in cleaned:
        cleaned["seeds"] = PurePath(cleaned["seeds"]).name
    return cleaned


def _was_capped(stats: Mapping[str, Any]) -> bool:
    return bool(statistics.settings_that_capped(stats) or stats.get(statistics.walks("capped")))


def _seed(seed: UsedSeed) -> dict[str, Any]:
    urn = None if seed.track_id is None else f"soundcloud:tracks:{seed.track_id}"
    return {"given": _mask(seed.given), "urn": urn, "status": seed.status, "reason": seed.reason}


def _cap(cap: Cap) -> dict[str, Any]:
    """Return a cap as plain data, without its example: that is the ID or the text of one record."""
    plain = asdict(cap)
    del plain["example"]
    return plain


def _mask(text: str) -> str:
    return WITHHELD if SECRET in text else text
