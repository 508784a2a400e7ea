from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator


# Kernels are compiled once for all tests and runs: each test would have an empty cache folder else. Here, as
# the kernels ask for it when they are imported.
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[2] / ".pytest_cache" / "kernels")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'harvest.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()
