"""All statistics are documented; tests/crawls/test_summary.py checks those of real crawls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sgr_spiders.model.statistics import STATISTICS, find

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_is_documented_once() -> None:
    names = [statistic.name for statistic in STATISTICS]
    assert len(names) == len(set(names))
    words = {
        "layer": "user_depth",
        "status": "gone",
        "kind": "ok",
        "table": "user_similarities",
        "part": "read",
        "setting": "max_likers",
        "lane": "default",
    }
    for name in names:
        example = re.sub("<([a-z]+)>", lambda word: words[word[1]], name)
        assert [statistic.name for statistic in STATISTICS if statistic.covers(example)] == [name]


def test_an_undocumented_name_is_not_found() -> None:
    assert find("sgr/layer/user_depth/capped") is not None
    for name in (
        "sgr/layer/user_depth/nonsense",
        "sgr/walks/",
        "sgr/exit_codes",
        "rows_collected",
        "sgr/pages/1",
    ):
        assert find(name) is None


def test_every_name_in_the_code_is_documented(root: Path) -> None:
    sources = [path for room in ("sgr_spiders", "pipelines") for path in (root / room).rglob("*.py")]
    written = {
        name
        for path in sources
        if path.name != "statistics.py"
        for name in re.findall(r"_stats\.\w+_value\(\s*f?\"([^\"]+)\"", path.read_text())
    }
    assert len(written) > 2
    for name in written:
        assert find(re.sub(r"\{\w+\}", "text_cleaned", name)) is not None, name


def test_the_document_is_generated_from_the_list(root: Path) -> None:
    text = (root / "docs/statistics.md").read_text()
    for statistic in STATISTICS:
        assert f"| `{statistic.name}` | {statistic.unit} | {statistic.meaning} |" in text
