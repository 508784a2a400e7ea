"""Masking of secrets in what is logged, stored or shown: passwords and keys become ``***``."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

MASK = "***"

_PASSWORDS = ("PASSWORD", "PASSWD", "PASSPHRASE")
_SECRETS = frozenset({"PASS", "SECRET", "TOKEN", "KEY", "APIKEY"})
"""The last word of a secret's name. ``TOKEN_TRIES``, ``SOUNDCLOUD_TOKEN_URL`` and ``sslkey`` (the path of a
file) are no secrets."""

_HTTP_PASSWORD = re.compile(r"(?i)^(https?://[^:/?#@]*):[^/?#]*(?=@)")
_PASSWORD = re.compile(r"^([\w.+-]+[:/]*/[^:/?#@]*):(.*)(?=@)", re.DOTALL)


def mask_setting(name: str, value: str) -> str:
    """Return the value of a setting or argument with its secrets masked."""
    return MASK if _is_secret(name) and "://" not in value else mask_url(value)


def mask_url(text: str) -> str:
    """Return *text* with the password masked if it is a URL that contains one, also in its query.

    In the URL of a database a password may contain any character, so it ends at the last ``@`` before the
    query; in an HTTP URL it ends before the path. What resembles a broken URL is masked as well.
    """
    address, mark, query = text.partition("?")
    if "@" in query and "@" not in address and not address.lower().startswith("http"):
        # The question mark is part of the password.
        address, mark, query = text, "", ""
    pattern = _HTTP_PASSWORD if re.match("(?i)https?://", address) else _PASSWORD
    masked = pattern.sub(rf"\1:{MASK}", address)
    return masked + mark + "&".join(_mask_parameter(part) for part in query.split("&"))


def _mask_parameter(part: str) -> str:
    key, equals, _ = part.partition("=")
    return f"{key}={MASK}" if equals and _is_secret(unquote_plus(key)) else part


def _is_secret(name: str) -> bool:
    name = name.upper().replace("-", "_")
    return name.endswith(_PASSWORDS) or name.rpartition("_")[2] in _SECRETS
