"""Spider ``contextual_layer``."""

from sgr_spiders.crawl.spider import HarvestSpider


class ContextualLayerSpider(HarvestSpider):
    name = "contextual_layer"
    layers = ("contextual_layer",)
