"""Where a URL leads: scheme, host and port."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL, with the port spelled out."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """The origin of a URL; ``None`` if it has none that HTTP knows."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            return None
        return cls(parts.scheme, parts.hostname, port) if parts.hostname else None

    @classmethod
    def required(cls, url: str, setting: str) -> Origin:
        """The origin of a URL that is set by ``setting``, or an error that names both."""
        origin = cls.of(url)
        if origin is None:
            raise ValueError(f"setting `{setting}`: not an HTTP URL: {url!r}")
        return origin

    def covers(self, url: str) -> bool:
        return Origin.of(url) == self
