from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'harvest.db'}")
    yield opened
    opened.close()
