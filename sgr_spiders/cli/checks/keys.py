"""Checks of the API keys and of the token cache. No message contains a secret."""

from __future__ import annotations

import logging
import os
import stat
import time
from math import inf
from typing import TYPE_CHECKING

from sgr_spiders.cli.checks.check import Check
from sgr_spiders.cli.checks.files import can_create_files, find_directory
from sgr_spiders.model.exceptions import CredentialsError
from sgr_spiders.soundcloud.credentials_file import SETTING, named_credentials
from sgr_spiders.soundcloud.tokens import TokenCache, cache_directory, logger
from sgr_spiders.text.formatting import duration, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scrapy.settings import BaseSettings

    from sgr_spiders.soundcloud.tokens import Credentials, Token


def check_credentials(settings: BaseSettings) -> Iterator[Check]:
    """Check the credentials of each lane, then where their tokens are kept."""
    try:
        lanes = named_credentials(settings)
    except CredentialsError as error:
        yield Check("credentials", "error", str(error))
        return
    if settings[SETTING]:
        named = ", ".join(lanes)
        yield Check("credentials", "ok", f"{pluralize(len(lanes), 'lane')} of {SETTING}: {named}")
    elif any(credentials.access_token for credentials in lanes.values()):
        yield Check("credentials", "ok", "SOUNDCLOUD_ACCESS_TOKEN, which nothing renews when it ends")
    else:
        yield Check("credentials", "ok", "SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET")
    yield from _check_cache(settings["SOUNDCLOUD_TOKEN_URL"], lanes)


def _check_cache(token_url: str, lanes: Mapping[str, Credentials]) -> Iterator[Check]:
    directory = cache_directory(os.environ)
    existing = find_directory(directory)
    if existing is None or not can_create_files(existing):
        yield Check(
            "token cache", "error", f"{directory}: cannot be written; set XDG_CACHE_HOME to another directory"
        )
        return
    renewed = {name: key for name, key in lanes.items() if not key.access_token}
    paths = [path for path in (directory, *directory.glob("token-*.json")) if _is_open(path)]
    for path in paths:
        command = f"chmod {'700' if path.is_dir() else '600'} {path}"
        yield Check("token cache", "warning", f"{path}: others may read it; run `{command}`")
    if not paths:
        yield Check("token cache", "ok", f"{directory}: only its owner can read it")
    for name, key in renewed.items():
        yield _check_token(name, TokenCache(token_url, key.client_id))


def _is_open(path: Path) -> bool:
    # Windows has no such permissions.
    return os.name != "nt" and path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _check_token(lane: str, cache: TokenCache) -> Check:
    name = f"token of {lane}"
    if not cache.path.exists():
        return Check(name, "ok", "none yet; a harvest requests one")
    token = _load_quietly(cache)
    if token is None:
        return Check(name, "warning", f"{cache.path} is unusable and is ignored; delete it")
    if not token.is_fresh(time.time()):
        return Check(name, "ok", "expired; a harvest renews it")
    left = "" if token.expires_at == inf else f" for {duration(token.expires_at - time.time())}"
    return Check(name, "ok", f"valid{left}")


def _load_quietly(cache: TokenCache) -> Token | None:
    # The check says the same as the warning.
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return cache.load()
    finally:
        logger.setLevel(level)
