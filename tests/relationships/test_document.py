"""The example type in docs/relationships.md works."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships import TYPES
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage.pairs.related import nearest
from tests.relationships.worlds import World

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from sgr_spiders.storage.store import Store


def test_the_documented_type(root: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(
        r"```python\n(.*?)```", (root / "docs" / "relationships.md").read_text(), flags=re.DOTALL
    )
    (source,) = [block for block in blocks if "RelationshipType" in block]
    module: dict[str, Any] = {"__name__": "playlist_similarity"}
    exec(source, module)  # noqa: S102 - our own document
    documented = module["PlaylistSimilarity"]
    playlists = {10 + number: set(range(0, 40, number)) for number in range(1, 9)}
    World(playlists={name: {track + 1 for track in tracks} for name, tracks in playlists.items()}).spill(
        store
    )
    monkeypatch.setitem(TYPES, documented.name, documented)
    built = {result.table: result.rows for result in relate(store, HarvestConfig())}
    wanted = {}
    for a, b in combinations(sorted(playlists), 2):
        common = len(playlists[a] & playlists[b])
        if common >= 3:
            wanted[a, b] = (common / min(len(playlists[a]), len(playlists[b])), common)
    with store.write() as connection:
        rows = connection.execute(sa.select(documented.table.as_table()))
        assert {(row[0], row[1]): (row[2], row[3]) for row in rows} == wanted
        assert nearest(connection, documented.table, 11, 1)[0]["overlap"] == 1.0
    assert built["playlist_similarities"] == len(wanted)
