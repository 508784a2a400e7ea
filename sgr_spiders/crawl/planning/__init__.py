"""The estimate of ``scrapy plan``: the layers see a few pages, and the rest is extrapolated."""
