"""What ``scrapy doctor`` checks: everything that a harvest needs, without a request."""
