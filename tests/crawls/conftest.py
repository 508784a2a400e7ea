from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """Yield a sandbox without faults or changes, and with an empty log."""
    shared_sandbox.clear_log()
    yield shared_sandbox
    shared_sandbox.clear_faults()
    shared_sandbox.undo_changes()


@pytest.fixture
def harvester(sandbox: SandboxProcess, tmp_path: Path) -> Harvester:
    return Harvester(sandbox, tmp_path / "harvest.db")
