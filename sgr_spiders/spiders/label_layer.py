"""scrapy crawl label_layer"""

from sgr_spiders.spiders.base import HarvestSpider


class LabelLayerSpider(HarvestSpider):
    name = "label_layer"
    layers = ("label_layer",)
