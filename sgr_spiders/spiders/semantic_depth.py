"""scrapy crawl semantic_depth"""

from sgr_spiders.spiders.base import HarvestSpider


class SemanticDepthSpider(HarvestSpider):
    name = "semantic_depth"
    layers = ("semantic_depth",)
