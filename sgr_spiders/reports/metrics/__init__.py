"""The metrics of a crawl for Prometheus."""
