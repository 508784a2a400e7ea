"""The page of metrics, in the format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from sgr_spiders.reports.metrics.metrics import METRICS, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from prometheus_client.metrics_core import Metric as Family

    from sgr_spiders.reports.metrics.metrics import Metric, Sample
    from sgr_spiders.reports.metrics.reading import Reading


class MetricsPage(Collector):
    """The metrics of the latest ``reading``, which any thread may write or serve."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        """Begin an empty page; *labels* are those of every sample."""
        self.reading: Reading | None = None
        self._labels = labels
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def collect(self) -> Iterator[Family]:
        """Yield each metric that has a value."""
        reading = self.reading
        if reading is None:
            return
        for metric in METRICS:
            samples = list(metric.samples(reading))
            if samples:
                yield self._family(metric, samples)

    def write(self, path: Path) -> None:
        """Replace the file at *path* in one step; raise ``OSError`` if that fails."""
        write_to_textfile(str(path), self._registry)

    def serve(self, host: str, port: int) -> int:
        """Serve the page from a thread until the process ends; return the port.

        Raises:
            OSError: The port is in use, or the host is not one of this machine.
        """
        server, _ = start_http_server(port, host, self._registry)
        return server.server_port

    def _family(self, metric: Metric, samples: list[Sample]) -> Family:
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = kind(PREFIX + metric.name, metric.meaning, labels=(*self._labels, *metric.labels))
        for values, value in samples:
            family.add_metric((*self._labels.values(), *values), value)
        return family
