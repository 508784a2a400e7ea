"""A running sandbox, a client for it, and the ground truth about its world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sgr_spiders.sandbox.world import World
from tests.sandbox.client import ApiClient
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def shared() -> Iterator[SandboxProcess]:
    """Run one default sandbox for all tests that leave it unchanged."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(shared: SandboxProcess) -> Iterator[SandboxProcess]:
    """Yield the shared sandbox without faults and with an empty log."""
    shared.clear_faults()
    shared.clear_log()
    yield shared
    shared.clear_faults()


@pytest.fixture
def api(sandbox: SandboxProcess) -> Iterator[ApiClient]:
    """Yield a client with a new token."""
    with requests.Session() as session:
        yield ApiClient(sandbox, session)


@pytest.fixture(scope="session")
def world() -> World:
    """Build the ground truth about the shared sandbox's world."""
    return World.build()
