"""The command that goes on with a harvest can be copied, and tells no secret."""

from __future__ import annotations

import shlex

import pytest

from sgr_spiders.text.resume_command import crawl_command, status_command


def test_it_is_what_was_typed() -> None:
    arguments = {"track_url": "https://soundcloud.com/a/b", "seeds": "my seeds.txt", "max_requests": "5"}
    command = crawl_command("deep_harvest", arguments, ["DOWNLOAD_DELAY=1", "X=a=b"])
    given = ["-a", "track_url=https://soundcloud.com/a/b", "-a", "seeds=my seeds.txt", "-a", "max_requests=5"]
    settings = ["-s", "DOWNLOAD_DELAY=1", "-s", "X=a=b"]
    assert shlex.split(command) == ["scrapy", "crawl", "deep_harvest", *given, *settings]


def test_what_a_scheduler_adds_is_left_out() -> None:
    command = crawl_command("user_depth", {"_job": "1f", "track_id": "1"}, ["LOG_FILE=/var/log/1f.log"])
    assert command == "scrapy crawl user_depth -a track_id=1"


@pytest.mark.parametrize(
    "setting",
    [
        "SOUNDCLOUD_CLIENT_SECRET=hushhush",
        "SOUNDCLOUD_ACCESS_TOKEN=hushhush",
        "HARVEST_DATABASE_URL=postgresql://me:hushhush@host/harvest",
        "SMTP_PASSWORD=hushhush",
        "SPLASH_API_KEY=hushhush",
        "HTTP_PROXY=http://me:hushhush@proxy:3128",
    ],
)
def test_secrets_are_masked(setting: str) -> None:
    command = crawl_command("user_depth", {"track_id": "1"}, [setting])
    assert "hushhush" not in command
    assert setting.partition("=")[0] in command


def test_the_status_is_that_of_the_same_database() -> None:
    assert status_command(["X=1"]) == "scrapy status"
    given = ["HARVEST_DATABASE_URL=sqlite:///a.db", "HARVEST_DATABASE_URL=postgresql://me:hushhush@host/b"]
    assert status_command(given) == "scrapy status '--database=postgresql://me:***@host/b'"


def test_addresses_of_tokens_are_no_secrets() -> None:
    url = "SOUNDCLOUD_TOKEN_URL=http://127.0.0.1:8899/oauth/token"
    assert url in crawl_command("user_depth", {}, [url])
