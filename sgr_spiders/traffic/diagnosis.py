"""Details of a failed connection that Twisted's errors do not contain."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from sgr_spiders.text.escape import for_log
from sgr_spiders.traffic.causes import NO_TLS, VERIFY_FAILED, is_not_tls
from sgr_spiders.traffic.origin import Origin

if TYPE_CHECKING:
    from scrapy import Request

    from sgr_spiders.traffic.causes import Cause

TIMEOUT = 5.0
"""Seconds for each step of the second connection."""


async def diagnose(cause: Cause, request: Request) -> Cause:
    """Return *cause* with the details that a second connection finds, without blocking the reactor.

    It sends nothing but a TLS handshake. Connections through a proxy are left alone.
    """
    origin = Origin.of(request.url)
    if origin is None or not cause.is_unclear or request.meta.get("proxy"):
        return cause
    return await asyncio.to_thread(_connect, cause, origin)


def _connect(cause: Cause, origin: Origin) -> Cause:
    try:
        with socket.create_connection((origin.host, origin.port), TIMEOUT) as connection:
            return _shake_hands(cause, connection, origin)
    except socket.gaierror as error:
        return replace(cause, text=f"{cause.text} ({error.strerror})")
    except OSError:
        return cause


def _shake_hands(cause: Cause, connection: socket.socket, origin: Origin) -> Cause:
    context = ssl.create_default_context()
    is_plain = origin.scheme == "http"
    if is_plain:
        # Only to find out whether the server speaks TLS; nothing is sent through it.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(connection, server_hostname=origin.host):
            text = f"{origin.host}:{origin.port} speaks TLS, so the URL must begin with https://"
            return replace(cause, text=text, is_lasting=True) if is_plain else cause
    except ssl.SSLCertVerificationError as error:
        return replace(cause, text=f"{VERIFY_FAILED}: {for_log(error.verify_message)}", is_lasting=True)
    except ssl.SSLError as error:
        if is_plain or not is_not_tls(str(error.reason).lower().replace("_", " ")):
            return cause
        return replace(cause, text=f"{origin.host}:{origin.port} does not speak TLS{NO_TLS}", is_lasting=True)
    except OSError:
        return cause
