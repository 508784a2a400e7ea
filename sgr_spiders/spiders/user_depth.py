"""Spider ``user_depth``."""

from sgr_spiders.crawl.spider import HarvestSpider


class UserDepthSpider(HarvestSpider):
    name = "user_depth"
    layers = ("user_depth",)
