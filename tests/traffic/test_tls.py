"""TLS to servers with an authority of their own, IPv6 and proxies: what is refused gets no request."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.traffic.certificates import DAY, Authority
from tests.traffic.crawls import CREDENTIALS, STATIC, Crawl, CrawlProcess, Outcome
from tests.traffic.fault_server import OK, FaultServer, Reply, Seen
from tests.traffic.proxy_server import ProxyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = ["/tracks/1", "/tracks/2"]
QUICK = {"BACKOFF_BASE": 0.02, "BACKOFF_MAX": 0.1, "DOWNLOAD_TIMEOUT": 5}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REFUSALS = {
    "wrong_name": "certificate verify failed: the certificate is not for 127.0.0.1; check {}",
    "expired": "certificate verify failed: certificate has expired; check {}, SSL_CERT_FILE",
    "not_yet": "certificate verify failed: certificate is not yet valid; check {}",
    "own": "certificate verify failed: self-signed certificate; check {}, SSL_CERT_FILE",
}
"""The words about certificates that are refused even with the authority."""
UNKNOWN = "certificate verify failed: unable to get local issuer certificate; check {}, SSL_CERT_FILE"
PROXY_REFUSALS = {
    "credentials": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "answers HTTP 407 (wrong or missing user name or password)",
    ),
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>", "answers HTTP 403"),
    "gateway": (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "answers HTTP 502 (4 more tries in"),
    "other": (b"SSH-2.0-OpenSSH\r\n\r\n", "is not an HTTP proxy"),
}


def respond(seen: Seen, _before: int) -> Reply:
    if seen.target == "/oauth/token":
        return Reply(200, b'{"access_token": "granted-acc3ss", "expires_in": 3599}')
    return Reply(200, OK)


@dataclass
class World:
    servers: dict[str, FaultServer]
    proxies: dict[str, ProxyServer]
    outcomes: dict[str, Outcome]
    logs: str

    def error(self, name: str) -> str:
        error = self.outcomes[name].error
        assert error is not None, name
        assert error[0::2] == ["UnreachableError", 3]
        return str(error[1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    certificates = {
        "good": authority.certify(*LOOPBACK),
        "token": authority.certify(*LOOPBACK),
        "wrong_name": authority.certify("other.example"),
        "expired": authority.certify(*LOOPBACK, ends=-DAY / 2),
        "not_yet": authority.certify(*LOOPBACK, begins=DAY / 2),
        "own": authority.certify(*LOOPBACK, is_own=True),
    }
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(FaultServer(respond, certificate=certificate))
            for name, certificate in certificates.items()
        }
        servers["ipv6"] = stack.enter_context(FaultServer(respond, "::1"))
        servers["ipv6_tls"] = stack.enter_context(FaultServer(respond, "::1", certificates["good"]))
        proxies = {name: stack.enter_context(ProxyServer(text)) for name, (text, _) in PROXY_REFUSALS.items()}
        proxies["open"] = stack.enter_context(ProxyServer())
        trusting = [
            Crawl(name, servers[name].url, PATHS, {**QUICK, **STATIC}) for name in ("ipv6", *REFUSALS)
        ]
        trusting += [
            Crawl(name, servers[name].url, PATHS, {**QUICK, **CREDENTIALS}) for name in ("good", "ipv6_tls")
        ]
        for name in REFUSALS:
            endpoint = {"SOUNDCLOUD_TOKEN_URL": f"{servers[name].url}/oauth/token"}
            api = servers["good"].url
            trusting.append(Crawl(f"token_{name}", api, PATHS, {**QUICK, **CREDENTIALS, **endpoint}))
        trust = {"SSL_CERT_FILE": str(authority.path)}
        doubting = [
            Crawl("unknown", servers["good"].url, PATHS, {**QUICK, **STATIC}),
            Crawl("token_unknown", servers["good"].url, PATHS, {**QUICK, **CREDENTIALS}),
        ]
        runs = [(trusting, trust), (doubting, {})]
        for name, proxy in proxies.items():
            crawl = Crawl(f"proxy_{name}", servers["good"].url, PATHS, {**QUICK, **STATIC})
            bad = Crawl("proxy_expired", servers["expired"].url, PATHS, {**QUICK, **STATIC})
            crawls = [crawl, bad] if name == "open" else [crawl]
            runs.append((crawls, {**trust, "https_proxy": proxy.url}))
        processes = [
            CrawlProcess(crawls, tmp_path_factory.mktemp("cache"), environment)
            for crawls, environment in runs
        ]
        outcomes: dict[str, Outcome] = {}
        for process in processes:
            outcomes |= process.wait()
        yield World(servers, proxies, outcomes, "".join(process.log for process in processes))


@pytest.mark.parametrize("name", ["good", "ipv6", "ipv6_tls"])
def test_a_known_authority_and_ipv6_are_accepted(world: World, name: str) -> None:
    outcome = world.outcomes[name]
    assert outcome.error is None
    assert outcome.kinds() == ["ok"] * len(PATHS)
    if name != "ipv6":
        assert world.servers[name].targets("/oauth") == ["/oauth/token"]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_certificate_of_the_api_stops_the_run(world: World, name: str) -> None:
    assert REFUSALS[name].format("SOUNDCLOUD_API_URL") in world.error(name)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_certificate_of_the_token_endpoint_stops_the_run(world: World, name: str) -> None:
    assert REFUSALS[name].format("SOUNDCLOUD_TOKEN_URL") in world.error(f"token_{name}")


@pytest.mark.parametrize("name", REFUSALS)
def test_nothing_is_sent_to_a_server_whose_certificate_is_refused(world: World, name: str) -> None:
    assert world.servers[name].seen == []


def test_an_unknown_authority_is_refused(world: World) -> None:
    assert UNKNOWN.format("SOUNDCLOUD_API_URL") in world.error("unknown")
    assert UNKNOWN.format("SOUNDCLOUD_TOKEN_URL") in world.error("token_unknown")
    # Only the crawls that know the authority have sent something.
    tokens = [seen.headers["authorization"] for seen in world.servers["good"].seen]
    assert len(tokens) == 1 + len(PATHS) + len(PATHS)


def test_a_proxy_carries_a_tunnel_with_verified_certificates(world: World) -> None:
    assert world.outcomes["proxy_open"].kinds() == ["ok"] * len(PATHS)
    assert "certificate verify failed; check https_proxy" in world.error("proxy_expired").replace(
        "the environment variable ", ""
    )
    heads = world.proxies["open"].heads
    assert heads
    assert all(
        head.startswith("CONNECT 127.0.0.1:") and "Proxy-Authorization: Basic" in head for head in heads
    )
    assert not any("Authorization: OAuth" in head for head in heads)
    seen = [seen.headers for server in world.servers.values() for seen in server.seen]
    assert not any("proxy-authorization" in headers for headers in seen)


@pytest.mark.parametrize("name", PROXY_REFUSALS)
def test_a_proxy_that_refuses_stops_the_run(world: World, name: str) -> None:
    error = world.error(f"proxy_{name}")
    assert PROXY_REFUSALS[name][1] in error
    assert f"127.0.0.1:{world.proxies[name].port}" in error
    assert "check the environment variable https_proxy" in error
    assert len(world.proxies[name].heads) <= (2 + 4 if name == "gateway" else 2)


def test_no_secret_is_in_the_logs(world: World) -> None:
    texts = world.logs + "".join(str(outcome.error) + str(outcome.got) for outcome in world.outcomes.values())
    secrets = ["s3cret-of-proxy", "granted-acc3ss", *STATIC.values(), CREDENTIALS["SOUNDCLOUD_CLIENT_SECRET"]]
    assert not [secret for secret in secrets if secret in texts]
