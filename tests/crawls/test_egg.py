"""A crawl from an egg, as Scrapyd runs it: imported from a zip file, in another working directory."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from sgr_spiders.storage.migrate import HEAD
from tests.crawls import invariants
from tests.databases import connect, url_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import SandboxProcess


def test_a_crawl_runs_from_an_egg(egg: Path, sandbox: SandboxProcess, tmp_path: Path) -> None:
    database = tmp_path / "harvest.db"
    crawl = [
        "-m",
        "scrapy",
        "crawl",
        "user_depth",
        "-a",
        f"track_id={sandbox.seed_track_id}",
        "-a",
        "_job=1a2b",
    ]
    ended = subprocess.run(
        [sys.executable, *crawl, "-a", "config=sandbox"],
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            **sandbox.env(),
            "PYTHONPATH": str(egg),
            "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings",
            "HARVEST_DATABASE_URL": url_of(database),
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    invariants.check_ended(database, 0)
    with closing(connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM tracks").fetchone()[0] > 500
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
