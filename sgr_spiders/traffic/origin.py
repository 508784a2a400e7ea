"""Origins of URLs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL; the port is always explicit."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """Return the origin of *url*, ``None`` if it is not an HTTP URL."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            return None
        return cls(parts.scheme, parts.hostname, port) if parts.hostname else None

    @classmethod
    def required(cls, url: str, setting: str) -> Origin:
        """Return the origin of *url*; raise ``ValueError`` that names *setting* if it has none."""
        origin = cls.of(url)
        if origin is None:
            raise ValueError(f"setting `{setting}`: not an HTTP URL: {url!r}")
        return origin

    def __str__(self) -> str:
        """Return the origin as browsers write it, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    def covers(self, url: str) -> bool:
        """Return whether *url* has this origin."""
        return Origin.of(url) == self
