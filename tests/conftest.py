"""Fixtures and settings of all tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from sgr_spiders.storage.store import Store
from sgr_spiders.text import invocation
from tests import databases
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]  # hooks are found by their names

# The same examples for the same code, however slow the machine is.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
# They would also contain constants of the modules that earlier tests have loaded.
mock.patch.object(providers, "_get_local_constants", return_value=providers._local_constants).start()

# A developer's settings for live use must not reach a test.
_USER_SETTINGS = (
    "SOUNDCLOUD_API_URL",
    "SOUNDCLOUD_TOKEN_URL",
    "SOUNDCLOUD_CLIENT_ID",
    "SOUNDCLOUD_CLIENT_SECRET",
    "SOUNDCLOUD_ACCESS_TOKEN",
    "SOUNDCLOUD_CREDENTIALS",
    "HARVEST_DATABASE_URL",
    "HARVEST_CONFIG",
    "HARVEST_METRICS_FILE",
    "HARVEST_METRICS_PORT",
    "SPLASH_URL",
)

# Tables fit the terminal: tests see them as wide as without one.
os.environ.pop("COLUMNS", None)

STORING = (
    "cli", "crawls", "deploy", "embeddings", "exports", "layers/test_crawled_caps.py", "notebook",
    "relationships", "reports", "splash", "storage",
)  # fmt: skip
"""The directories, and the file, whose tests are repeated on PostgreSQL."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help=f"where tests keep their databases; postgresql: on the server that {databases.VARIABLE} names",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A background job of a script ignores Ctrl-C, and so would all processes that the tests interrupt.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--database") == "postgresql":
        if not os.environ.get(databases.VARIABLE):
            raise pytest.UsageError(
                f"--database=postgresql: {databases.VARIABLE} is not set; `make postgres-test` has a server"
            )
        databases.use_server()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that are about the other database or, on a server, about none."""
    other = "sqlite" if databases.is_on_server() else "postgresql"

    def is_selected(item: pytest.Item) -> bool:
        path = item.path.relative_to(Path(__file__).parent)
        is_stored = any(path.is_relative_to(place) for place in STORING)
        return not item.get_closest_marker(other) and (is_stored or not databases.is_on_server())

    config.hook.pytest_deselected(items=[item for item in items if not is_selected(item)])
    items[:] = filter(is_selected, items)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Accept that a selection contains no test for a server."""
    if databases.is_on_server() and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(autouse=True)
def _without_user_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _USER_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    # Commands that run in this process remember how they were started.
    monkeypatch.setattr(invocation, "_own", invocation._Invocation())
    # A test's token must not reach the developer's own cache.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


@pytest.fixture(autouse=True)
def _drop_databases(tmp_path: Path) -> Iterator[None]:
    yield
    databases.drop_databases(tmp_path)


@pytest.fixture(autouse=True, scope="session")
def _drop_all_databases() -> Iterator[None]:
    yield
    databases.drop_databases()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a database for one test; a file does not exist yet."""
    return databases.url_of(tmp_path / "harvest.db")


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """Yield that database, created and open."""
    databases.create_empty(tmp_path / "harvest.db")
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the directory of the checkout."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def sources(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sources of an egg, because a build leaves directories behind."""
    copy = tmp_path_factory.mktemp("sources")
    parts = ("setup.py", "scrapy.cfg", "pyproject.toml", "README.md", "LICENSE")
    for source in (*parts, "sgr_spiders", "pipelines", "configs"):
        for path in sorted((root / source).rglob("*")) or [root / source]:
            if path.is_file() and "__pycache__" not in path.parts:
                target = copy / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    (copy / "tests").mkdir()
    (copy / "tests" / "__init__.py").touch()
    return copy


@pytest.fixture(scope="session")
def egg(sources: Path) -> Path:
    """Build the egg that is deployed to Scrapyd."""
    command = [sys.executable, "setup.py", "-q", "bdist_egg", "--dist-dir", "dist"]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    (built,) = (sources / "dist").glob("*.egg")
    return built
