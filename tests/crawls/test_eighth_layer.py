"""The eighth layer in docs/layers.md works: one file, one section and one line."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from sgr_spiders.sandbox.world import World
from tests.crawls.crawling import Harvester

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess


def _insert(path: Path, before: str, text: str) -> None:
    source = path.read_text()
    assert source.count(before) == 1, before
    path.write_text(source.replace(before, text + before))


def _follow_the_document(root: Path, copy: Path) -> None:
    layer, section = re.findall(
        r"```python\n(.*?)```", (root / "docs" / "layers.md").read_text(), flags=re.DOTALL
    )
    for folder in ("sgr_spiders", "pipelines", "configs"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "scrapy.cfg", copy)
    package = copy / "sgr_spiders"
    (package / "layers" / "related_layer.py").write_text(layer)
    config = package / "config" / "harvest.py"
    _insert(config, "class DeepHarvest(Section):", f"{section}\n\n")
    _insert(config, "\n    def layer(self", "    related_layer: RelatedLayer = RelatedLayer()\n")
    registry = package / "layers" / "__init__.py"
    _insert(
        registry,
        "from sgr_spiders.layers.semantic_depth",
        "from sgr_spiders.layers.related_layer import RelatedLayer\n",
    )
    _insert(registry, "        ContextualLayer,\n", "        RelatedLayer,\n")
    (package / "spiders" / "related_layer.py").write_text(
        "from sgr_spiders.crawl.spider import HarvestSpider\n\n\n"
        "class RelatedLayerSpider(HarvestSpider):\n"
        '    name = "related_layer"\n'
        '    layers = ("related_layer",)\n'
    )


def test_the_documented_layer_works(root: Path, sandbox: SandboxProcess, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    _follow_the_document(root, copy)
    harvester = Harvester(sandbox, tmp_path / "harvest.db", root=copy)
    ended = harvester.crawl("related_layer")
    assert ended.code == 0, ended.log
    world, seed = World.build(), sandbox.seed_track_id
    related = set(world.related_tracks(seed) or ())
    assert related
    query = "SELECT record_id FROM discoveries WHERE kind = 'track' AND layer = 'related_layer'"
    found = harvester.query(query)
    assert {track for (track,) in found} == related | {seed}


def test_the_documented_layer_is_off_by_default(root: Path, sandbox: SandboxProcess, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    _follow_the_document(root, copy)
    harvester = Harvester(sandbox, tmp_path / "harvest.db", root=copy)
    assert harvester.crawl("deep_harvest", max_requests=30).code == 3
    assert not any("/related" in entry["path"] for entry in sandbox.log())
