"""The input of relationships from the Parquet files of ``scrapy export``, without a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.relationships.inputs import Source
from sgr_spiders.storage.libraries import LOOKED_AT
from sgr_spiders.storage.looked_at import ALL_COUNT, Libraries
from sgr_spiders.storage.lookup import distinct
from sgr_spiders.storage.pairs.reading import SETS, Groups, PlaylistFacts, checksum_of
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sgr_spiders.storage.libraries import Inclusion, Rows
    from sgr_spiders.storage.pairs.reading import InputName

    Ids = NDArray[np.int64]

COLUMNS: dict[InputName, tuple[str, str, str]] = {
    "likes": ("engagements", "user_id", "track_id"),
    "playlists": ("playlist_tracks", "playlist_id", "track_id"),
    "uploads": ("tracks", "artist_id", "track_id"),
}
"""The file of each input, and the columns of owners and members."""
ROWS_AT_A_TIME = 1 << 20


class ExportSource(Source):
    """The files of an export of tables as Parquet."""

    def __init__(self, directory: Path, *, include_removed: bool) -> None:
        """Use the export in *directory*.

        Raises:
            ArgumentError: it is not such an export, or lacks the removed rows although they are wanted.
        """
        self._directory = directory
        try:
            self.manifest: dict[str, Any] = json.loads((directory / "manifest.json").read_text("utf-8"))
            is_export = self.manifest["purpose"] == "tables" and "parquet" in self.manifest["formats"]
            has_removed = self.manifest["parameters"]["include_removed"]
        except (OSError, ValueError, KeyError, TypeError):
            is_export = has_removed = False
        if not is_export:
            create = command("export", "--for", "tables", "--format", "parquet", "--output", "DIRECTORY")
            raise ArgumentError(
                f"option `--input`: {directory} does not contain an export; create one with `{create}`"
            )
        if include_removed and not has_removed:
            create = command("export", "--include-removed")
            raise ArgumentError(
                f"option `--input`: {directory} does not contain removed rows; create it with `{create}`"
            )
        self._has_removed = has_removed

    def groups(self, name: InputName, kinds: Sequence[str], rows: Rows) -> Groups:
        table, owner, member = COLUMNS[name]
        owners, members = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        columns = [owner, member, *(["kind"] if name == "likes" else [])]
        if name != "uploads" and rows == "present":
            columns.append("removed_at")
        for batch in self._batches(table, columns):
            kept = pc.is_valid(batch[owner])
            if "kind" in columns:
                kept = pc.and_(kept, pc.is_in(batch["kind"], pa.array(list(kinds), pa.string())))
            if "removed_at" in columns:
                kept = pc.and_(kept, pc.is_null(batch["removed_at"]))
            chosen = batch.filter(kept)
            owners.append(chosen[owner].to_numpy(zero_copy_only=False))
            members.append(chosen[member].to_numpy(zero_copy_only=False))
        return _group(np.concatenate(owners), np.concatenate(members))

    def user_libraries(self, kinds: Sequence[str], include: Inclusion) -> Libraries:
        if "like" not in kinds or not self._has_looks():
            return ALL_COUNT
        return self._libraries("user", include)

    def playlist_libraries(self, include: Inclusion) -> Libraries:
        return self._libraries("playlist", include)

    def playlist_facts(self) -> PlaylistFacts:
        ids, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        is_set = [np.empty(0, bool)]
        for batch in self._batches("playlists", ["playlist_id", "owner_id", "playlist_type"]):
            ids.append(batch["playlist_id"].to_numpy(zero_copy_only=False))
            owners.append(pc.fill_null(batch["owner_id"], 0).to_numpy(zero_copy_only=False))
            flags = pc.is_in(pc.utf8_lower(batch["playlist_type"]), pa.array(SETS, pa.string()))
            is_set.append(flags.to_numpy(zero_copy_only=False))
        all_ids = np.concatenate(ids)
        order = np.argsort(all_ids)
        return PlaylistFacts(all_ids[order], np.concatenate(owners)[order], np.concatenate(is_set)[order])

    def discovered(self, kind: str, seeds: Sequence[int], rows: Rows) -> Ids:
        table = "discoveries_history" if rows == "all" and self._has_removed else "discoveries"
        found = [np.empty(0, np.int64)]
        for batch in self._batches(table, ["kind", "record_id", "seed_id"]):
            is_near = pc.is_in(batch["seed_id"], pa.array(list(seeds), pa.int64()))
            chosen = batch.filter(pc.and_(is_near, pc.equal(batch["kind"], kind)))
            found.append(chosen["record_id"].to_numpy(zero_copy_only=False))
        return distinct(np.concatenate(found))

    def checksum(self, name: InputName, kinds: Sequence[str], rows: Rows, libraries: Libraries) -> str:
        return checksum_of([self.groups(name, kinds, rows)], libraries)

    def _has_looks(self) -> bool:
        return any(
            pc.any(pc.equal(batch["endpoint"], "user_likes")).as_py()
            for batch in self._batches("walks", ["endpoint"])
        )

    def _libraries(self, kind: str, include: Inclusion) -> Libraries:
        found: dict[str, list[Ids]] = {state: [np.empty(0, np.int64)] for state in LOOKED_AT}
        for batch in self._batches("libraries", ["kind", "record_id", "library"]):
            of_kind = batch.filter(pc.equal(batch["kind"], kind))
            for state, parts in found.items():
                chosen = of_kind.filter(pc.equal(of_kind["library"], state))
                parts.append(chosen["record_id"].to_numpy(zero_copy_only=False))
        whole, cut = (distinct(np.concatenate(parts)) for parts in found.values())
        return Libraries(None if include.unseen else distinct(np.concatenate([whole, cut])), cut)

    def _batches(self, table: str, columns: Sequence[str]) -> Any:  # noqa: ANN401 - pyarrow has no types
        path = self._directory / f"{table}.parquet"
        try:
            with pa.parquet.ParquetFile(path) as file:
                yield from file.iter_batches(ROWS_AT_A_TIME, columns=list(columns))
        except (OSError, pa.ArrowException) as error:
            cause = " ".join(str(getattr(error, "strerror", None) or error).split())
            raise ArgumentError(f"option `--input`: could not read {path}: {cause}") from error


def _group(owners: Ids, members: Ids) -> Groups:
    """Return the members by owner, in ascending order of the owners."""
    if not (owners[1:] >= owners[:-1]).all():
        order = np.argsort(owners, kind="stable")
        owners, members = owners[order], members[order]
    begins = np.flatnonzero(np.diff(owners, prepend=owners[0] - 1)) if len(owners) else owners
    return Groups(owners[begins], np.diff([*begins.tolist(), len(owners)]).astype(np.int64), members)
