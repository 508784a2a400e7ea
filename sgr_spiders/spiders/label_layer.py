"""Spider ``label_layer``."""

from sgr_spiders.crawl.spider import HarvestSpider


class LabelLayerSpider(HarvestSpider):
    name = "label_layer"
    layers = ("label_layer",)
