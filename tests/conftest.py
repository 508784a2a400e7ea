"""What every test shares."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)  # no failure by the machine's mood
settings.load_profile("steady")

# What a developer has set for live use must not reach a test.
_OF_THE_USER = (
    "SOUNDCLOUD_API_URL",
    "SOUNDCLOUD_TOKEN_URL",
    "SOUNDCLOUD_CLIENT_ID",
    "SOUNDCLOUD_CLIENT_SECRET",
    "SOUNDCLOUD_ACCESS_TOKEN",
    "HARVEST_DATABASE_URL",
    "HARVEST_CONFIG",
)


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    # Nor may a test's token end in the developer's own cache.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).parents[1]
