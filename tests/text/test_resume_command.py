"""The command that resumes a harvest can be copied and contains no secret."""

from __future__ import annotations

import shlex

import pytest

from sgr_spiders.text.resume_command import crawl_command


def test_it_repeats_what_was_typed() -> None:
    arguments = {"track_url": "https://soundcloud.com/a/b", "seeds": "my seeds.txt", "max_requests": "5"}
    command = crawl_command("deep_harvest", arguments, ["DOWNLOAD_DELAY=1", "X=a=b"])
    given = ["-a", "track_url=https://soundcloud.com/a/b", "-a", "seeds=my seeds.txt", "-a", "max_requests=5"]
    settings = ["-s", "DOWNLOAD_DELAY=1", "-s", "X=a=b"]
    assert shlex.split(command) == ["scrapy", "crawl", "deep_harvest", *given, *settings]


def test_what_a_scheduler_adds_is_left_out() -> None:
    command = crawl_command(
        "user_depth", {"_job": "1f", "_version": "2", "track_id": "1"}, ["LOG_FILE=/var/log/1f.log"]
    )
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
        "MAIL_PASS=hushhush",
        "AWS_SECRET_ACCESS_KEY=hushhush",
        "HARVEST_DATABASE_URL=postgresql://me:hush/hush?hush@hush@host/harvest",
        "HARVEST_DATABASE_URL=postgresql:///harvest?user=me&password=hushhush&host=h",
        "HARVEST_DATABASE_URL=postgresql://host/harvest?sslpassword=hushhush&pass%77ord=hushhush",
        "HARVEST_DATABASE_URL=postgresql:/me:hushhush@host/harvest",
        "SPLASH_URL=http://127.0.0.1:8050/?api_key=hushhush",
    ],
)
def test_secrets_are_masked(setting: str) -> None:
    command = crawl_command("user_depth", {"track_id": "1"}, [setting])
    assert "hush" not in command
    assert "***" in command
    assert setting.partition("=")[0] in command


@pytest.mark.parametrize(
    "setting",
    [
        "TOKEN_TRIES=1",
        "SOUNDCLOUD_TOKEN_URL=http://127.0.0.1:8899/oauth/token",
        "ROBOTSTXT_OBEY=True",
        "AUTOTHROTTLE_ENABLED=0",
        "HARVEST_DATABASE_URL=sqlite:////tmp/a:b@c.db",
        "HARVEST_DATABASE_URL=postgresql://me@host:5432/harvest?sslkey=/etc/client.key&options=-csearch_path%3Da",
        "SCOPE_ORIGINS=http://a:8050,https://b@c",
        "LOG_DATEFORMAT=%H:%M@%S?",
        "CONTACT=Team: mail: me@example.org",
    ],
)
def test_nothing_else_is_masked(setting: str) -> None:
    command = crawl_command("user_depth", {"track_url": "https://soundcloud.com/a:b/c@d"}, [setting])
    assert shlex.split(command)[-1] == setting
    assert "***" not in command
