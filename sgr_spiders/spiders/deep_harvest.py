"""Spider ``deep_harvest``."""

from sgr_spiders.crawl.spider import HarvestSpider


class DeepHarvestSpider(HarvestSpider):
    """Runs every enabled layer in one crawl."""

    name = "deep_harvest"
