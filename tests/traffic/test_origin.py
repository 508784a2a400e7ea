"""The origin of a URL: scheme, host and port."""

from __future__ import annotations

import pytest

from sgr_spiders.traffic.origin import Origin


@pytest.mark.parametrize(
    ("url", "scheme", "port"),
    [
        ("http://h.example", "http", 80),
        ("https://h.example/a?b", "https", 443),
        ("http://h.example:443", "http", 443),
        ("https://H.Example:8080/", "https", 8080),
    ],
)
def test_the_port_is_that_of_the_scheme_unless_it_is_named(url: str, scheme: str, port: int) -> None:
    assert Origin.of(url) == Origin(scheme, "h.example", port)


@pytest.mark.parametrize(
    "url", ["", "h.example", "ftp://h.example", "https://", "https://h:port", "http://[h"]
)
def test_other_text_has_no_origin(url: str) -> None:
    assert Origin.of(url) is None
    with pytest.raises(ValueError, match="setting `X`: not an HTTP URL: "):
        Origin.required(url, "X")


def test_an_origin_covers_its_urls_only() -> None:
    api = Origin.required("http://h.example", "X")
    assert api.covers("http://h.example:80/tracks/1")
    for url in ("https://h.example/", "http://h.example:443/", "http://www.h.example/", "/tracks/1"):
        assert not api.covers(url)
