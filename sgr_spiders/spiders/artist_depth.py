"""Spider ``artist_depth``."""

from sgr_spiders.crawl.spider import HarvestSpider


class ArtistDepthSpider(HarvestSpider):
    name = "artist_depth"
    layers = ("artist_depth",)
