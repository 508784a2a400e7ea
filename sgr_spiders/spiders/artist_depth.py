"""scrapy crawl artist_depth"""

from sgr_spiders.spiders.base import HarvestSpider


class ArtistDepthSpider(HarvestSpider):
    name = "artist_depth"
    layers = ("artist_depth",)
