"""Spider ``playlist_depth``."""

from sgr_spiders.crawl.spider import HarvestSpider


class PlaylistDepthSpider(HarvestSpider):
    name = "playlist_depth"
    layers = ("playlist_depth",)
