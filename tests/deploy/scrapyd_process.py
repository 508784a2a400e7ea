"""A real Scrapyd as a separate process, with the example configuration of this project."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "configs" / "scrapyd.conf"
OF_IMAGE = ROOT / "docs" / "examples" / "scrapyd-image.conf"
FOLDER = "/srv/soundgraph/scrapyd"
USER, PASSWORD = "harvester", "a password"
LIMIT_S = 280


class ScrapydProcess:
    """A running Scrapyd in *folder* on a free port; leaving the context ends that process only.

    ``home`` contains a ``.netrc`` for its clients. If *has_project*, the project is installed there as in the
    image, so that no egg is needed.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, has_project: bool = False) -> None:
        self.home = folder
        self.log = folder / "scrapyd.log"
        port = _free_port()
        (folder / "scrapyd.conf").write_text(_adapt_example(EXAMPLE.read_text(), folder, port))
        netrc = folder / ".netrc"
        netrc.write_text(f'machine localhost login {USER} password "{PASSWORD}"\n')
        netrc.chmod(0o600)
        if has_project:
            # This file is read as well.
            (folder / ".scrapyd.conf").write_text(OF_IMAGE.read_text().replace("0.0.0.0", "127.0.0.1"))  # noqa: S104 - replaced
            environment = {
                **environment,
                "PYTHONPATH": str(ROOT),
                "SCRAPY_SETTINGS_MODULE": "sgr_spiders.settings",
            }
        keys = {"SCRAPYD_USERNAME": USER, "SCRAPYD_PASSWORD": PASSWORD, "HOME": str(folder)}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scrapyd", "--pidfile="],
                cwd=folder,
                env={**os.environ, **environment, **keys},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(self._listens, "Scrapyd to listen")
        self.url = f"http://localhost:{port}/"

    def _listens(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"Scrapyd ended: {self.log.read_text()}")
        return "Site starting on" in self.log.read_text()

    def ask(self, name: str, **parameters: str) -> dict[str, Any]:
        """Call the API with POST if *name* changes something, otherwise with GET."""
        body = urlencode(parameters).encode() if name in {"schedule", "cancel"} else None
        query = "" if body else f"?{urlencode(parameters)}"
        request = Request(f"{self.url}{name}.json{query}", body)  # noqa: S310 - our own http address
        key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        with urlopen(request, timeout=LIMIT_S) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
        assert answer["status"] == "ok", answer
        return answer

    def schedule(self, **parameters: str) -> str:
        """Schedule a deep harvest; return the ID of the job."""
        answer = self.ask("schedule", project="soundgraph", spider="deep_harvest", **parameters)
        return str(answer["jobid"])

    def state(self, job: str) -> str:
        """Return the state of a job: pending, running or finished."""
        jobs = self.ask("listjobs", project="soundgraph")
        (state,) = [
            name
            for name in ("pending", "running", "finished")
            if job in [entry["id"] for entry in jobs[name]]
        ]
        return state

    def wait_until(self, job: str, state: str) -> None:
        self.wait_for(lambda: self.state(job) == state, f"job {job} to be {state}")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"timed out waiting for {what}:\n{self.log.read_text()}")
            time.sleep(0.1)  # noqa: TID251 - not in a crawl

    def job_log(self, job: str) -> str:
        return (self.home / "logs" / "soundgraph" / "deep_harvest" / f"{job}.log").read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    # Scrapyd does not accept 0 as "any port".
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _adapt_example(example: str, folder: Path, port: int) -> str:
    changes = {
        "http_port = 6800": f"http_port = {port}",
        "poll_interval = 5.0": "poll_interval = 0.2",
        FOLDER: str(folder),
    }
    for old, new in changes.items():
        assert old in example
        example = example.replace(old, new)
    return example
