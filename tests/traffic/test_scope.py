"""Scope: no request for other origins, audio or private data, and no token for another origin."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.traffic.crawls import CREDENTIALS, STATIC, Crawl, Outcome, run
from tests.traffic.fault_server import FaultServer, Reply
from tests.traffic.token_script import TokenScript

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT = [
    "/tracks/1/stream",
    "/tracks/1/streams",
    "/tracks/1/%64ownload",
    "/tracks/1/preview",
    "/tracks/1/STREAM",
    "/tracks/1?secret_token=s-abc",
    "/tracks/1?Secret_Token=s-abc",
    "/playlists/1?a=b&secret%5Ftoken=s-abc",
    "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%2Fs-AbCdEfGh",
    "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%3Fsecret_token%3Ds-abc",
]
IN = [
    "/tracks/1",
    "/tracks?q=stream%20download",
    "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fs-something",
]
Ran = tuple[dict[str, FaultServer], dict[str, Outcome]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with ExitStack() as stack:
        names = ("api", "api_too", "api_three", "foreign")
        servers = {name: stack.enter_context(FaultServer(lambda *_: Reply())) for name in names}
        servers["tokens"] = stack.enter_context(FaultServer(TokenScript()))
        elsewhere = {**CREDENTIALS, "SOUNDCLOUD_TOKEN_URL": f"{servers['tokens'].url}/oauth/token"}
        foreign = f"{servers['foreign'].url}/page"
        # The environment names a proxy that does not exist; only requests to the API must bypass it.
        strict = {**STATIC, "ROBOTSTXT_OBEY": True}
        opened = {**strict, "SCOPE_ORIGINS": [foreign], "HTTPPROXY_ENABLED": False}
        crawls = [
            Crawl("strict", servers["api"].url, [*IN, *OUT, foreign], strict),
            Crawl("open", servers["api_too"].url, [foreign], opened),
            Crawl("elsewhere", servers["api_three"].url, IN, elsewhere),
        ]
        yield servers, run(crawls, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("path", [*OUT, "/page"])
def test_urls_out_of_scope_are_never_requested(ran: Ran, path: str) -> None:
    servers, outcomes = ran
    assert outcomes["strict"].kind(path) == "OutOfScopeError"
    assert sorted(servers["api"].targets()) == sorted(IN)


@pytest.mark.parametrize("path", IN)
def test_other_urls_are_requested(ran: Ran, path: str) -> None:
    assert ran[1]["strict"].kind(path) == "ok"


def test_another_allowed_origin_gets_no_token(ran: Ran) -> None:
    servers, outcomes = ran
    assert outcomes["open"].kind("/page") == "foreign"
    assert servers["foreign"].targets() == ["/robots.txt", "/page"]
    assert [seen.headers.get("authorization") for seen in servers["foreign"].seen] == [None, None]


def test_the_token_endpoint_may_have_another_origin_and_gets_nothing_else(ran: Ran) -> None:
    servers, outcomes = ran
    assert outcomes["elsewhere"].kinds() == ["ok"] * len(IN)
    assert servers["tokens"].targets() == ["/oauth/token"]
    assert "/oauth/token" not in servers["api_three"].targets()
