"""Credentials, tokens, token requests, and the token cache."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import hmac
import json
import logging
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlencode

import orjson
from filelock import FileLock

from sgr_spiders.model.exceptions import BlockedError, CredentialsError, StorageError
from sgr_spiders.soundcloud.answers import requested_hold
from sgr_spiders.text.escape import for_log
from sgr_spiders.text.invocation import plain_command

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

DEFAULT_LIFE = 3600.0
"""Lifetime in seconds of a token if the response names none; the API has used this value since 2021."""

MAX_LIFE = 24 * 3600.0
"""Maximum lifetime of a token in seconds."""

MARGIN = 60.0
"""Seconds before expiry when a token is renewed, but at most a tenth of its lifetime."""

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""Errors of a drive that does not support an operation, as network and shared drives do not sync or lock."""

QUOTA = "50 exchanges in 12 hours per application, 30 an hour per IP address"
"""The documented limit of client credentials exchanges, including failed ones."""

HOW_TO_FIX = (
    "set SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET (or SOUNDCLOUD_ACCESS_TOKEN), or try it offline"
)

CHECK_APP = "that the app is active, and that the plan its keys need has not lapsed (docs/first_day.md)"

CHECK_EDGE = "data-centre addresses and some networks are refused (docs/first_day.md)"


class RefusedGrantError(Exception):
    """The endpoint refuses this grant, or this way of passing the credentials; another may still work."""


class TokenLimitedError(Exception):
    """The token endpoint returned 429. ``hold`` is the pause in seconds that it requests, or ``None``."""

    def __init__(self, reason: str, hold: float | None) -> None:
        super().__init__(reason)
        self.hold = hold


class TokenFaultError(Exception):
    """The token endpoint returned an error that says nothing about the credentials.

    ``is_lasting`` is true if it is probably not a token endpoint.
    """

    def __init__(self, reason: str, *, is_lasting: bool = False) -> None:
        super().__init__(reason)
        self.is_lasting = is_lasting


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Client credentials of an application, or an access token."""

    client_id: str = ""
    client_secret: str = ""
    access_token: str = ""

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Credentials:
        """Read the credentials from the settings; an access token takes precedence."""
        client_id, secret, token = (
            _printable(name, settings.get(name))
            for name in ("SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET", "SOUNDCLOUD_ACCESS_TOKEN")
        )
        if token:
            return cls(access_token=token)
        if client_id and secret:
            return cls(client_id, secret)
        missing = "credentials"
        if client_id or secret:
            missing = "SOUNDCLOUD_CLIENT_SECRET" if client_id else "SOUNDCLOUD_CLIENT_ID"
        offline = plain_command("sandbox")
        raise CredentialsError(f"missing {missing}: {HOW_TO_FIX} with `{offline}`")

    @property
    def identity(self) -> str:
        """The text that tells this key from others: the client ID, or the access token."""
        return self.access_token or self.client_id

    @property
    def fingerprint(self) -> str:
        """A hash that identifies the API key. It is keyed with the secret, so nobody else can check an ID."""
        secret = self.client_secret or self.access_token
        return hmac.new(secret.encode(), self.client_id.encode(), hashlib.sha256).hexdigest()[:32]

    def __repr__(self) -> str:
        return f"<Credentials {'access token' if self.access_token else 'client credentials'}>"


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token, its refresh token, and its times in seconds since the epoch."""

    access: str
    refresh: str | None
    expires_at: float
    obtained_at: float

    def is_fresh(self, now: float) -> bool:
        """Return whether the token is valid for a while; a token from the future has no known age."""
        if self.expires_at == math.inf:
            return True
        if self.obtained_at > now + MARGIN:
            return False
        margin = min(MARGIN, (self.expires_at - self.obtained_at) / 10)
        return now < self.expires_at - margin

    def __repr__(self) -> str:
        return f"<Token until {self.expires_at:.0f}>"


@dataclass(frozen=True, slots=True, repr=False)
class TokenRequest:
    """A POST to the token endpoint."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<TokenRequest {self.url}>"


def exchange_request(url: str, credentials: Credentials) -> TokenRequest:
    """Build the exchange of client credentials for a token, with the credentials in a Basic header."""
    pair = f"{credentials.client_id}:{credentials.client_secret}"
    basic = base64.b64encode(pair.encode()).decode()
    return _token_request(url, {"grant_type": "client_credentials"}, {"Authorization": f"Basic {basic}"})


def exchange_request_in_body(url: str, credentials: Credentials) -> TokenRequest:
    """Build the same exchange with the credentials in the body.

    In March 2026 the API accepted only this way for some days, and then only the header again.
    """
    return _token_request(url, {"grant_type": "client_credentials", **_pair(credentials)}, {})


def refresh_request(url: str, credentials: Credentials, refresh: str) -> TokenRequest:
    """Build the exchange of a refresh token for new tokens.

    The API accepts the client credentials only in the body; it refuses a Basic header here.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh, **_pair(credentials)}
    return _token_request(url, form, {})


def parse_token_answer(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Token:
    """Return the token in a response of the token endpoint, or raise the error it reports."""
    fields = {name.lower(): value for name, value in headers.items()}
    document = _document(body)
    reason = _reason(status, document, body)
    if "x-amzn-waf-action" in fields or (status == 403 and not document):
        raise BlockedError(f"token endpoint: blocked at the edge ({reason}): {CHECK_EDGE}")
    if status == 200:
        return _token(document, reason, now)
    if status == 429:
        raise TokenLimitedError(reason, requested_hold(fields, body, now=now))
    # A response of the router or a gateway contains no JSON: the grant was not examined.
    is_refusal = status == 401 or (status in {400, 403} and document)
    if is_refusal or (status >= 400 and _error_code(document) in _REFUSALS):
        raise RefusedGrantError(reason)
    raise TokenFaultError(reason, is_lasting=300 <= status < 500 and status not in _PASSING)


class TokenCache:
    """The file that stores the tokens between runs, with a lock that permits one writer.

    It never contains a client secret. Only its owner can read it, from its creation.
    """

    def __init__(self, token_url: str, client_id: str, directory: Path | None = None) -> None:
        self._owner = {"token_url": token_url, "client_id": client_id}
        self._directory = directory or cache_directory(os.environ)
        name = hashlib.sha256(f"{token_url}\n{client_id}".encode()).hexdigest()[:32]
        self.path = self._directory / f"token-{name}.json"
        self._lock: FileLock | None = None
        self._is_open = False

    def lock(self) -> FileLock:
        """Return the lock between processes. Acquire it with ``timeout=0`` and retry: never block."""
        if self._lock is None:
            self._prepare()
            self._lock = FileLock(self.path.with_suffix(".lock"), mode=0o600)
        return self._lock

    def load(self) -> Token | None:
        """Return the tokens last saved, or ``None`` if there are none or the file is unusable."""
        try:
            document = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, orjson.JSONDecodeError):
            logger.warning("Ignoring token cache %s: cannot be read", self.path)
            return None
        token = self._read(document)
        if token is None:
            logger.warning("Ignoring token cache %s: unexpected content", self.path)
        return token

    def save(self, token: Token) -> None:
        """Replace the tokens atomically, and sync them to disk before returning."""
        document = {
            **self._owner,
            "access_token": token.access,
            "refresh_token": token.refresh,
            "expires_at": token.expires_at,
            "obtained_at": token.obtained_at,
        }
        try:
            self._prepare()
            self._replace(json.dumps(document).encode())
        except OSError as error:
            raise StorageError(_cache_error(self.path, error)) from error

    def _read(self, document: object) -> Token | None:
        if not isinstance(document, dict) or not self._owner.items() <= document.items():
            return None
        access, refresh = document.get("access_token"), document.get("refresh_token")
        expires_at, obtained_at = document.get("expires_at"), document.get("obtained_at")
        if not is_token(access) or not (refresh is None or is_token(refresh)):
            return None
        if not isinstance(expires_at, int | float) or not isinstance(obtained_at, int | float):
            return None
        return Token(access, refresh, expires_at, obtained_at)

    def _prepare(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(_cache_error(self._directory, error)) from error
        try:
            self._directory.chmod(0o700)
        except OSError as error:
            # A network or shared drive may have its own permissions.
            if not self._is_open:
                logger.warning(
                    "Could not restrict token cache %s to its owner: %s; others may be able to read it",
                    self._directory,
                    error.strerror,
                )
            self._is_open = True

    def _replace(self, content: bytes) -> None:
        # mkstemp creates with mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=".token-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                _sync(file.fileno())
            Path(temporary).replace(self.path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_directory(self._directory)


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return ``$XDG_CACHE_HOME/soundgraph``; the XDG specification says to ignore a relative path."""
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "soundgraph"


def _printable(name: str, value: object) -> str:
    text = str(value).strip() if value is not None else ""
    if text and not is_token(text):
        raise CredentialsError(f"{name}: contains whitespace or invalid characters")
    return text


def is_token(value: object) -> TypeGuard[str]:
    """Return whether the value is safe in a header: only visible ASCII, so it cannot inject a header."""
    return isinstance(value, str) and 0 < len(value) <= 8192 and all("!" <= char <= "~" for char in value)


def _token_request(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> TokenRequest:
    common = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return TokenRequest(url, {**common, **headers}, urlencode(form).encode())


def _pair(credentials: Credentials) -> dict[str, str]:
    return {"client_id": credentials.client_id, "client_secret": credentials.client_secret}


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


_REFUSALS = frozenset(
    {"invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client"}
)
"""OAuth's codes for a refused grant, whatever the status."""

_PASSING = frozenset({404, 408, 425})
"""Statuses that a router or an overloaded server also returns for a moment."""


def _reason(status: int, document: Mapping[str, Any], body: bytes) -> str:
    code = _error_code(document)
    page = "an HTML page" if body[:100].lstrip().startswith(b"<") else ""
    return ": ".join(part for part in (f"HTTP {status}", for_log(code) or page) if part)


def _error_code(document: Mapping[str, Any]) -> str:
    """Return the code of an error, in OAuth's short form or in the API's long form."""
    codes = (document.get(key) for key in ("error", "error_code", "message"))
    return next((code for code in codes if isinstance(code, str) and code), "")


def _token(document: Mapping[str, Any], reason: str, now: float) -> Token:
    access, refresh = document.get("access_token"), document.get("refresh_token")
    if not is_token(access):
        raise TokenFaultError(f"{reason}: no usable access token")
    lifetime = _parse_lifetime(document.get("expires_in"))
    return Token(access, refresh if is_token(refresh) else None, now + lifetime, now)


def _parse_lifetime(value: object) -> float:
    try:
        lifetime = float(value) if isinstance(value, int | float | str) else DEFAULT_LIFE
    except ValueError:
        return DEFAULT_LIFE
    return min(lifetime, MAX_LIFE) if math.isfinite(lifetime) and lifetime > 0 else DEFAULT_LIFE


def _cache_error(path: Path, error: OSError) -> str:
    return f"token cache {path}: {error.strerror} (XDG_CACHE_HOME sets its location)"


def _sync(descriptor: int) -> None:
    """Sync a file to disk, unless its drive cannot; errors of the disk are raised."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _sync_directory(directory: Path) -> None:
    """Sync the names of the files where possible: Windows and some network drives cannot.

    The file itself is written by now, so the new token is valid whatever happens here.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
