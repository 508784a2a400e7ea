"""The renewal of a token continues on a drive without locks."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import filelock
import pytest

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.soundcloud.tokens import TokenCache
from sgr_spiders.traffic.token_keeper import TokenKeeper

if TYPE_CHECKING:
    from pathlib import Path


def renew_twice(keeper: TokenKeeper) -> int:
    """Return how often the protected part ran."""

    async def renew() -> int:
        times = 0
        for _ in range(2):
            async with keeper._locked():
                times += 1
        return times

    return asyncio.run(renew())


@pytest.fixture
def keeper(tmp_path: Path) -> TokenKeeper:
    """Return a keeper with nothing but its cache."""
    keeper = object.__new__(TokenKeeper)
    keeper._cache = TokenCache("https://api.example/oauth/token", "id", tmp_path)
    keeper._has_locks = True
    return keeper


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP])
def test_a_drive_without_locks(
    keeper: TokenKeeper, monkeypatch: pytest.MonkeyPatch, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(code, "no locks here")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    assert renew_twice(keeper) == 2
    assert caplog.text.count("Could not lock token cache") == 1


def test_a_lock_that_fails_otherwise_is_an_error(
    keeper: TokenKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(StorageError, match="broken disk"):
        renew_twice(keeper)


def test_a_lock_is_released(keeper: TokenKeeper) -> None:
    assert renew_twice(keeper) == 2
    assert not keeper._cache.lock().is_locked
