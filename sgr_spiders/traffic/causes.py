"""The causes of requests without a response of the API, in words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from service_identity import VerificationError
from twisted.internet.error import ConnectError, ConnectionClosed

from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.text.escape import for_log
from sgr_spiders.traffic.origin import Origin
from sgr_spiders.traffic.scrapy_internals import failed_tunnel_status, is_not_http, is_tunnel_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy import Request

    from sgr_spiders.traffic.response import ApiResponse

PROXY: Final = "the environment variable https_proxy"
NETWORK: Final = "this machine's network"
VERIFY_FAILED: Final = "certificate verify failed"
NO_TLS: Final = "; if it speaks HTTP, the URL must begin with http://"
_CUT_OFF: Final = "unexpected eof"
"""OpenSSL's text for a connection that ends during the handshake; it says nothing about TLS itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of a request without a response of the API, and what a user can check.

    ``check`` lists settings, variables and parts of the environment. ``is_lasting`` is true if waiting does
    not help, ``is_unclear`` if a second connection may tell more.
    """

    text: str
    check: tuple[str, ...] = ()
    is_lasting: bool = False
    is_unclear: bool = False

    def describe(self, note: str = "") -> str:
        """Return the cause with a *note*, and what to check."""
        return f"{self.text}{note}" + (f"; check {', '.join(self.check)}" if self.check else "")


def cause_of(error: BaseException, request: Request, setting: str) -> Cause:
    """Return why *request*, to the URL of *setting*, got no response."""
    proxy: str | None = request.meta.get("proxy")
    if proxy and is_tunnel_failure(error):
        return _tunnel_cause(error, _name_of(proxy))
    to = f"the proxy {_name_of(proxy)}" if proxy else _name_of(request.url)
    checks = (PROXY if proxy else setting, NETWORK)
    if isinstance(error, CannotResolveHostError):
        host = urlsplit(proxy or request.url).hostname
        return Cause(f"no address for {'the proxy ' if proxy else ''}{host}", checks, is_unclear=True)
    if isinstance(error, ConnectError | OSError):
        return Cause(f"no connection to {to}: {_system_text(error)}", checks)
    for kind, text in _TEXTS.items():
        if isinstance(error, kind):
            return Cause(text.format(to), checks)
    return _broken_cause(error, request.url, to, checks)


def is_not_tls(text: str) -> bool:
    """Return whether OpenSSL's *text* means that the server did not answer in TLS."""
    return any(sign in text for sign in _NO_TLS)


_NO_TLS = ("wrong version number", "record layer failure", "http request", "packet length too long")


def reason_of(error: BaseException, request: Request) -> str:
    """Return why *request* got no response, as the reason of a failed walk."""
    return cause_of(error, request, "").text


_TEXTS: Mapping[type[BaseException], str] = {
    DownloadConnectionRefusedError: "connection refused by {}",
    DownloadTimeoutError: "no response from {} in time",
    ResponseDataLossError: "the response of {} was cut off",
    DownloadCancelledError: "the response of {} is too large",
}


def cause_in(response: ApiResponse, setting: str) -> Cause | None:
    """Return why *response* is not one of the API, ``None`` if it is one.

    A server or proxy before the API, a captive portal or another site also speak HTTP.
    """
    kind, reason = response.answer.kind, response.answer.reason
    if kind is Kind.RETRY:
        return Cause(reason, (setting,) if response.status < 500 else ())
    is_page = response.body[:100].lstrip().startswith(b"<")
    is_redirect = 300 <= response.status < 400
    if kind is Kind.REFUSED and (is_page or is_redirect):
        target = (response.headers.get("Location") or b"").decode("latin-1") if is_redirect else ""
        text = f"{reason} to {for_log(target)}" if target else reason
        return Cause(text, (setting,), is_lasting=True)
    return None


def _broken_cause(error: BaseException, url: str, to: str, checks: tuple[str, ...]) -> Cause:
    """Return the cause in an exception that contains others."""
    reasons = [failure.value for failure in getattr(error.__cause__, "reasons", ())]
    for reason in reasons:
        if isinstance(reason, VerificationError):
            host = urlsplit(url).hostname
            return Cause(f"{VERIFY_FAILED}: the certificate is not for {host}", checks[:1], is_lasting=True)
        if isinstance(reason, SSL.Error):
            return _tls_cause(reason, url, checks[:1])
        if is_not_http(reason):
            return Cause(f"{_name_of(url)} does not speak HTTP", checks[:1], is_lasting=True)
    if any(isinstance(reason, ConnectionClosed) for reason in reasons):
        return Cause(f"the connection to {to} was closed before a response", checks, is_unclear=True)
    texts = [for_log(str(reason)) for reason in reasons or [error]]
    return Cause(": ".join([type(error).__name__, *filter(None, texts)]))


def _tls_cause(error: SSL.Error, url: str, checks: tuple[str, ...]) -> Cause:
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    text = ", ".join(str(entry[-1]) for entry in entries) or "no reason given"
    if VERIFY_FAILED in text:
        checks = (*checks, "SSL_CERT_FILE", "this machine's clock")
        return Cause(VERIFY_FAILED, checks, is_lasting=True, is_unclear=True)
    if is_not_tls(text):
        return Cause(f"{_name_of(url)} does not speak TLS{NO_TLS}", checks, is_lasting=True)
    failed = f"TLS handshake with {_name_of(url)} failed: {for_log(text)}"
    return Cause(failed, checks, is_lasting=_CUT_OFF not in text)


def _tunnel_cause(error: BaseException, proxy: str) -> Cause:
    status = failed_tunnel_status(error)
    if status is None:
        return Cause(f"{proxy} is not an HTTP proxy", (PROXY,), is_lasting=True)
    # A proxy that cannot reach the server itself says so with a server error.
    meaning = " (wrong or missing user name or password)" if status == 407 else ""
    return Cause(f"the proxy {proxy} answers HTTP {status}{meaning}", (PROXY,), is_lasting=status < 500)


def _name_of(url: str) -> str:
    """Return host and port of a URL."""
    origin = Origin.of(url)
    if origin is None:
        return "an unknown host"
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{host}:{origin.port}"


def _system_text(error: BaseException) -> str:
    number = getattr(error, "osError", None) or getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) else for_log(str(error) or type(error).__name__)
