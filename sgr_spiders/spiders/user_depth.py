"""scrapy crawl user_depth"""

from sgr_spiders.spiders.base import HarvestSpider


class UserDepthSpider(HarvestSpider):
    name = "user_depth"
    layers = ("user_depth",)
