"""The checks of ``scrapy doctor``: everything that a harvest needs, without a request."""
