"""A client that follows every page and requests every access level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.sandbox_process import SandboxProcess

TIMEOUT_S = 20
ALL = "access=playable,preview,blocked"


class ApiClient:
    """A client of one sandbox, with a token."""

    def __init__(self, sandbox: SandboxProcess, session: requests.Session) -> None:
        self.sandbox, self.session = sandbox, session
        self.token = self.exchange()

    def exchange(self, client_id: str = "sandbox") -> str:
        """Request a new access token."""
        response = self.session.post(
            f"{self.sandbox.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(client_id, "sandbox"),
            timeout=TIMEOUT_S,
        )
        token: str = response.json()["access_token"]
        return token

    def get(self, path: str, **headers: str) -> requests.Response:
        """Send a GET without following redirects; ``path`` may be a full next_href."""
        url = path if path.startswith("http") else self.sandbox.url + path
        headers = {"Authorization": f"OAuth {self.token}", **headers}
        return self.session.get(url, headers=headers, allow_redirects=False, timeout=TIMEOUT_S)

    def json(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code, response.text[:200])
        return response.json()

    def walk(self, path: str, limit: int = 200) -> list[dict[str, Any]]:
        """Return all pages of a list; ``limit`` is that of the first."""
        pages = []
        url: str | None = f"{path}{'&' if '?' in path else '?'}linked_partitioning=true&limit={limit}"
        while url:
            pages.append(self.json(url))
            url = pages[-1].get("next_href")
        return pages

    def ids(self, path: str, limit: int = 200) -> list[int]:
        """Return the IDs of all items on all pages."""
        pages = self.walk(path, limit)
        return [number(item["urn"]) for page in pages for item in page["collection"]]


def number(urn: str) -> int:
    """Return the integer part of a URN."""
    return int(urn.rpartition(":")[2])
