"""The sandbox as a separate process, for tests that talk to it over real sockets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests import forks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
_LISTENING = re.compile(r"sandbox listening on (http://127\.0\.0\.1:\d+)")
_SEED = re.compile(r"seed track: (\d+)")
_STOP_S = 10
_CONTROL_S = 60


class SandboxProcess:
    """A running ``python -m sgr_spiders.sandbox --port 0 …``; leaving the context ends that process only.

    Token exchanges are unlimited by default, because many tests share one IP address.

    >>> with SandboxProcess("--users", "100") as sandbox:
    ...     sandbox.env()
    """

    def __init__(self, *options: str) -> None:
        unlimited = ("--app-exchanges", "0", "--ip-exchanges", "0")
        command = [sys.executable, "-m", "sgr_spiders.sandbox", "--port", "0", *unlimited, *options]
        output, to_print = os.pipe()
        try:
            self._process = forks.start(command, cwd=ROOT, env=os.environ, stdout=to_print, stderr=2)
        finally:
            os.close(to_print)
        self._output = os.fdopen(output)
        self._has_changed = False
        self.url = self._wait_for(_LISTENING)
        self.seed_track_id = int(self._wait_for(_SEED))

    @property
    def pid(self) -> int:
        """The ID of its process."""
        return self._process.pid

    def _wait_for(self, pattern: re.Pattern[str]) -> str:
        for line in self._output:
            if match := pattern.search(line):
                return match[1]
        raise RuntimeError(f"the sandbox ended with exit code {self._process.wait()}")

    def env(self) -> dict[str, str]:
        """Return the environment variables that make a harvest use this sandbox."""
        return {
            "SOUNDCLOUD_API_URL": self.url,
            "SOUNDCLOUD_TOKEN_URL": f"{self.url}/oauth/token",
            "SOUNDCLOUD_CLIENT_ID": "sandbox",
            "SOUNDCLOUD_CLIENT_SECRET": "sandbox",
        }

    def set_faults(self, faults: Iterable[str | Mapping[str, Any]]) -> None:
        """Replace all faults; each is a string as for --fault, or a mapping with ``name``."""
        self._control("POST", "faults", list(faults))

    def clear_faults(self) -> None:
        self._control("DELETE", "faults")

    def log(self) -> list[dict[str, Any]]:
        """Return the requests since the start or the last `clear_log`, oldest first."""
        entries: list[dict[str, Any]] = self._control("GET", "log")
        return entries

    def clear_log(self) -> None:
        self._control("DELETE", "log")

    def mutate(self, **changes: object) -> None:
        """Change the world with, e.g., ``rounds=1``, ``delete_tracks=[id]`` or ``unlike=[[user, track]]``."""
        self._has_changed = True
        self._control("POST", "mutate", changes or {"rounds": 1})

    def times(self, kind: str) -> dict[tuple[int, int], int]:
        """Return when each user liked or reposted each track, in milliseconds since the epoch."""
        return {(user, track): at for user, track, at in self._control("GET", "times")[kind]}

    def undo_changes(self) -> None:
        """Restore the world to its state at the start."""
        if self._has_changed:
            self._control("DELETE", "mutate")
            self._has_changed = False

    def refresh_token(self, token: str) -> dict[str, Any]:
        """Use up a refresh token, as another process would; return the new pair."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        keys = {"client_id": "sandbox", "client_secret": "sandbox"}
        with urlopen(f"{self.url}/oauth/token", urlencode({**form, **keys}).encode()) as response:  # noqa: S310
            pair: dict[str, Any] = json.load(response)
            return pair

    def _control(self, method: str, name: str, value: object = None) -> Any:  # noqa: ANN401 (JSON)
        body = None if value is None else json.dumps(value).encode()
        request = Request(f"{self.url}/_sandbox/{name}", body, method=method)  # noqa: S310 (our own http address)
        with urlopen(request, timeout=_CONTROL_S) as response:  # noqa: S310
            return json.load(response)

    def stop(self) -> int:
        """End the process with SIGTERM; return its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
