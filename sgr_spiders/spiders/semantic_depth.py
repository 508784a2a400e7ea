"""Spider ``semantic_depth``."""

from sgr_spiders.crawl.spider import HarvestSpider


class SemanticDepthSpider(HarvestSpider):
    name = "semantic_depth"
    layers = ("semantic_depth",)
