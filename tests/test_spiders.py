"""Every spider can be created, has the layer of its name, and defines its callbacks once."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import pytest
from scrapy.crawler import Crawler
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.project import get_project_settings

from sgr_spiders import __version__
from sgr_spiders.config.harvest import LAYER_NAMES
from sgr_spiders.crawl.spider import HarvestSpider
from sgr_spiders.layers import LAYERS
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.model.items import Walk
from sgr_spiders.traffic import splash

SPIDERS = sorted(SpiderLoader.from_settings(get_project_settings()).list())


def make_spider(name: str, **arguments: str) -> HarvestSpider:
    settings = get_project_settings()
    settings.set("SOUNDCLOUD_ACCESS_TOKEN", "a-token")
    spider_class = SpiderLoader.from_settings(settings).load(name)
    crawler = Crawler(spider_class, settings)
    spider = spider_class.from_crawler(crawler, **{"track_id": "1", **arguments})
    assert isinstance(spider, HarvestSpider)
    return spider


def test_there_is_one_spider_per_layer_and_one_for_all() -> None:
    assert sorted([*LAYERS, "deep_harvest"]) == SPIDERS
    assert set(LAYERS) <= set(LAYER_NAMES)


@pytest.mark.parametrize("name", SPIDERS)
def test_a_spider_can_be_created(name: str) -> None:
    spider = make_spider(name)
    assert spider.layer_names == (tuple(LAYERS) if name == "deep_harvest" else (name,))
    request = spider.request_for(Walk(1, "track", "1"))
    assert request.url == "https://api.soundcloud.com/tracks/soundcloud:tracks:1"


@pytest.mark.parametrize("name", SPIDERS)
def test_callbacks_are_methods_defined_once(name: str) -> None:
    request = make_spider(name).request_for(Walk(1, "track", "1"))
    for callback in (request.callback, request.errback):
        assert inspect.ismethod(callback)
        defined = [base for base in type(make_spider(name)).__mro__ if callback.__name__ in vars(base)]
        assert len(defined) == 1


def test_the_configured_delay_is_the_minimum(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = tmp_path_factory.mktemp("config") / "slow.yaml"
    config.write_text("deep_harvest: {request_delay: 2.5}")
    spider = make_spider("user_depth", config=str(config))
    assert spider.settings.getfloat("DOWNLOAD_DELAY") == 2.5
    assert spider.settings.getfloat("AUTOTHROTTLE_START_DELAY") == 2.5
    assert spider.settings.getfloat("DOWNLOAD_DELAY_JITTER") == 0


def test_a_spider_of_one_layer_rejects_other_layers() -> None:
    with pytest.raises(ArgumentError, match="argument `layers`"):
        make_spider("user_depth", layers="user_dept")


def test_a_run_without_layers_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = tmp_path_factory.mktemp("config") / "off.yaml"
    config.write_text("deep_harvest: {enabled: false}")
    with pytest.raises(ConfigError, match="no layer is enabled"):
        make_spider("deep_harvest", config=str(config))
    assert make_spider("deep_harvest", config=str(config), layers="user_depth").layer_names == ("user_depth",)
    assert make_spider("user_depth", config=str(config)).layer_names == ("user_depth",)


@pytest.mark.parametrize(
    ("name", "is_on", "renders"),
    [
        ("commentary_layer", True, True),
        ("deep_harvest", True, True),
        ("commentary_layer", False, False),
        ("user_depth", True, False),
    ],
)
def test_splash_is_enabled_only_for_rendered_pages(
    tmp_path_factory: pytest.TempPathFactory, name: str, *, is_on: bool, renders: bool
) -> None:
    config = tmp_path_factory.mktemp("config") / "fallback.yaml"
    config.write_text(f"deep_harvest: {{commentary_layer: {{html_fallback: {str(is_on).lower()}}}}}")
    settings = make_spider(name, config=str(config)).settings
    assert (splash.MIDDLEWARE in settings.getdict("DOWNLOADER_MIDDLEWARES")) is renders
    assert (splash.SLOT in settings.getdict("DOWNLOAD_SLOTS")) is renders
    origins = ["http://127.0.0.1:8050", "https://soundcloud.com"]
    assert settings.getlist("SCOPE_ORIGINS") == (origins if renders else [])


def test_the_user_agent_names_the_crawler_and_a_contact() -> None:
    code = "from sgr_spiders import settings; print(settings.USER_AGENT)"
    environment = {**os.environ, "CONTACT": "me@example.org"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert result.stdout == f"SoundGraphDeepHarvest/{__version__} (me@example.org)\n"
