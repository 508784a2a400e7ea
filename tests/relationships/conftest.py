from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _shared_kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Kernels are compiled once for all tests and runs: each test has a cache folder of its own else."""
    folder = request.config.cache.mkdir("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(folder))
        yield


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'harvest.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()
