"""Spider ``commentary_layer``."""

from sgr_spiders.crawl.spider import HarvestSpider


class CommentaryLayerSpider(HarvestSpider):
    name = "commentary_layer"
    layers = ("commentary_layer",)
