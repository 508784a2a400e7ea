"""scrapy crawl playlist_depth"""

from sgr_spiders.spiders.base import HarvestSpider


class PlaylistDepthSpider(HarvestSpider):
    name = "playlist_depth"
    layers = ("playlist_depth",)
