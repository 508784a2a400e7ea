"""scrapy crawl deep_harvest"""

from sgr_spiders.spiders.base import HarvestSpider


class DeepHarvestSpider(HarvestSpider):
    """Runs every enabled layer in one crawl."""

    name = "deep_harvest"
