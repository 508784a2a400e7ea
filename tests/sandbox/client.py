"""A patient client: follows every page, asks for every access level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.sandbox_process import SandboxProcess

TIMEOUT_S = 20
ALL = "access=playable,preview,blocked"


class ApiClient:
    """Requests with a token, to one sandbox."""

    def __init__(self, sandbox: SandboxProcess, session: requests.Session) -> None:
        self.sandbox, self.session = sandbox, session
        self.token = self.exchange()

    def exchange(self) -> str:
        """A new access token, used from now on."""
        answer = self.session.post(
            f"{self.sandbox.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("sandbox", "sandbox"),
            timeout=TIMEOUT_S,
        )
        token: str = answer.json()["access_token"]
        return token

    def get(self, path: str, **headers: str) -> requests.Response:
        """One GET, redirects not followed; ``path`` may be a whole next_href."""
        url = path if path.startswith("http") else self.sandbox.url + path
        headers = {"Authorization": f"OAuth {self.token}", **headers}
        return self.session.get(url, headers=headers, allow_redirects=False, timeout=TIMEOUT_S)

    def json(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:200])
        return answer.json()

    def walk(self, path: str, limit: int = 200) -> list[dict[str, Any]]:
        """All pages of a list, the first one with this limit."""
        pages = []
        url: str | None = f"{path}{'&' if '?' in path else '?'}linked_partitioning=true&limit={limit}"
        while url:
            pages.append(self.json(url))
            url = pages[-1].get("next_href")
        return pages

    def ids(self, path: str, limit: int = 200) -> list[int]:
        """The ids of everything on all pages."""
        pages = self.walk(path, limit)
        return [number(item["urn"]) for page in pages for item in page["collection"]]


def number(urn: str) -> int:
    """The integer part of a URN."""
    return int(urn.rpartition(":")[2])
