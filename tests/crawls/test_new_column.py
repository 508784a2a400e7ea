"""The guide in CONTRIBUTING.md works: one declaration and one migration turn an API field into a column."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.migrate import HEAD
from tests.crawls.crawling import Harvester
from tests.databases import url_of
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess

NEXT = f"{int(HEAD) + 1:04}"
JUDGE_THREE_VALUES = """
from pipelines.validate import Validation
from sgr_spiders.model.items import Page, Walk
from sgr_spiders.soundcloud.parse import parse_page

track = {"kind": "track", "title": "t"}
items = [track | {"id": n, "embeddable_by": value} for n, value in enumerate(["me", 5, "us"], 1)]
parsed = parse_page("user_likes", "1", items)
page = Page(Walk(1, "user_likes", "1"), parsed.entries, parsed.rejects, 3)
Validation(page).run()
print([(entry.record.embeddable_by, entry.record.raw) for entry in page.entries])
print([(reject.record_id, reject.field) for reject in page.rejects])
"""


def _declare(root: Path, copy: Path) -> str:
    """Copy the project, add the guide's declaration to the copy, and return the guide's migration."""
    section = (root / "CONTRIBUTING.md").read_text().split("## Add a field of the API as a column")[1]
    blocks = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    declaration, migration = (
        textwrap.dedent(block if block[0] == " " else f"   {block}") for block in blocks[:2]
    )
    for folder in ("sgr_spiders", "pipelines", "configs"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("scrapy.cfg", "DATA_FORMAT.md", "pyproject.toml"):
        shutil.copy(root / file, copy)
    items = copy / "sgr_spiders" / "model" / "items.py"
    track, fullness, rest = items.read_text().partition("    fullness: int")
    items.write_text(track + textwrap.indent(declaration, "    ") + fullness + rest)
    return migration


def _migrate(copy: Path, migration: str) -> None:
    storage = copy / "sgr_spiders" / "storage"
    migration = migration.replace("NEXT", NEXT).replace("NEWEST", HEAD)
    (storage / "migrations" / "versions" / f"{NEXT}_embeddable_by.py").write_text(migration)
    source = (storage / "migrate.py").read_text()
    (storage / "migrate.py").write_text(source.replace(f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"'))


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    _migrate(copy, _declare(root, copy))
    return copy


def _python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_a_crawl_fills_the_column(copy: Path, sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db", root=copy)
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    found = harvester.query("SELECT embeddable_by, count(*) FROM tracks WHERE NOT is_stub GROUP BY 1")
    assert [value for value, _ in found] == ["all"]
    assert found[0][1] > 100


def test_earlier_records_are_backfilled(copy: Path, sandbox: SandboxProcess, tmp_path: Path) -> None:
    harvester = Harvester(sandbox, tmp_path / "harvest.db")
    ended = harvester.crawl()
    assert ended.code == 0, ended.log
    tracks = harvester.value("SELECT count(*) FROM tracks WHERE fullness > 0")
    upgraded = scrapy("upgrade", "--backfill", cwd=copy, HARVEST_DATABASE_URL=url_of(harvester.database))
    assert upgraded.code == 0, upgraded.err
    assert upgraded.out.splitlines()[0] == f"Schema upgraded from revision {HEAD} to {NEXT}"
    assert upgraded.out.splitlines()[2].split() == ["tracks.embeddable_by", f"{tracks:,}"]
    assert harvester.query("SELECT DISTINCT embeddable_by FROM tracks WHERE fullness > 0") == [("all",)]


def test_an_invalid_value_is_nulled_and_rejected(copy: Path) -> None:
    judged = _python(copy, "-c", JUDGE_THREE_VALUES)
    assert judged.stdout.splitlines() == [
        "[('me', None), (None, None), (None, None)]",
        "[(2, 'embeddable_by'), (3, 'embeddable_by')]",
    ], judged.stderr


def test_the_data_format_has_a_line_for_the_column(copy: Path) -> None:
    assert "`embeddable_by`" not in (copy / "DATA_FORMAT.md").read_text()
    made = _python(copy, "-m", "cogapp", "-I", ".", "-r", "DATA_FORMAT.md")
    assert made.returncode == 0, made.stderr
    line = "| `embeddable_by` | text | Who may embed it: `all`, `me` or `none` |"
    assert line in (copy / "DATA_FORMAT.md").read_text().splitlines()


@pytest.mark.slow
def test_a_column_without_a_migration_fails_the_schema_test(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    migration = _declare(root, copy)
    shutil.copytree(root / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    test = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/storage/test_store.py",
        "-k",
        "create_the_schema",
    )
    missing = _python(copy, *test)
    assert missing.returncode == 1
    assert "add_column" in missing.stdout
    assert "embeddable_by" in missing.stdout
    _migrate(copy, migration)
    complete = _python(copy, *test)
    assert complete.returncode == 0, complete.stdout
