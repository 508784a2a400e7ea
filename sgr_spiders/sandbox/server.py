"""The HTTP server: tokens, faults and the log around the API."""

from __future__ import annotations

import asyncio
import gzip
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sgr_spiders.sandbox import control, fault_answers
from sgr_spiders.sandbox.answers import TEXT, Answer, api_error, json_answer
from sgr_spiders.sandbox.api import Api, ApiRequest
from sgr_spiders.sandbox.faults import FaultBoard, FaultRule
from sgr_spiders.sandbox.options import OptionError, Options
from sgr_spiders.sandbox.tokens import TokenDesk
from sgr_spiders.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
WORLD = "X-Sandbox-World"
"""The header by which a harvest recognises the sandbox, and knows its world again."""
_ROBOTS = Answer(200, b"User-agent: *\nDisallow: /\n", TEXT)
_GZIP_FROM_BYTES = 1024
_SHUTDOWN_S = 1.0


class _ClosedError(Exception):
    """A fault has closed the connection; `Sandbox.handle` stops."""


class Sandbox:
    """One world, served on one port."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.renew_world()
        self.tokens = TokenDesk(options.server)
        self.board = FaultBoard([*options.server.limits(), *options.server.faults])
        self.log = control.RequestLog()
        self._stale = fault_answers.StaleCache()
        self._started = time.monotonic()

    def renew_world(self) -> None:
        """Build the world as it is before any change."""
        self.world = World.build(self.options.world)
        self.api = Api(self.world, self.options.shape, self.options.server.page_size)

    def set_faults(self, rules: list[FaultRule]) -> None:
        """Replace the faults, except the limit of each client, and clear what they left behind."""
        self.board.set([*self.options.server.limits(), *rules])
        self._stale.clear()
        self.tokens.restore_apps()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of any kind."""
        target = request.raw_path
        path, _, query = target.partition("?")
        if path.startswith(control.PREFIX):
            body = await request.read()
            return _response(control.answer(self, request.method, path, body))
        authorization = request.headers.get("Authorization")
        form = await request.read() if path == "/oauth/token" else b""
        client = self.tokens.client_of(authorization, form)
        entry: control.LogEntry = {
            "path": path,
            "query": query,
            "method": request.method,
            "status": 0,
            "time": round(time.monotonic() - self._started, 6),
            "token_ok": self.tokens.is_valid(authorization),
            "had_authorization": authorization is not None,
            "host": request.host,
            "client": client,
        }
        self.log.append(entry)
        rules = self.board.strike(target, client)
        try:
            answer = await self._answer(request, target, rules, client)
            entry["status"] = answer.status
            entry["token_ok"] = self.tokens.is_valid(authorization)
            named = {**answer.headers, WORLD: self.options.world.name}
            return await self._send(request, replace(answer, headers=named), rules)
        except _ClosedError:
            return web.Response(status=500)

    async def _answer(
        self, request: web.BaseRequest, target: str, rules: list[FaultRule], client: str
    ) -> Answer:
        """Return the fault's response, or the real one."""
        for rule in rules:
            if rule.stage == "connection":
                await _disturb(request, rule)
            elif rule.name == "revoke_app":
                self.tokens.revoke_app(client)
            elif rule.stage == "state":
                self.tokens.revoke(rule.client or None)
            elif (ready := fault_answers.replacement(rule, fault_answers.server_time(rules))) is not None:
                return ready
        return await self._real_answer(request, target, rules)

    async def _real_answer(self, request: web.BaseRequest, target: str, rules: list[FaultRule]) -> Answer:
        if target.startswith("/oauth/token"):
            body = await request.read()
            names = {rule.name for rule in rules if rule.stage == "token"}
            return self.tokens.answer(request.method, request.headers, body, request.remote or "", names)
        if target == "/robots.txt":
            return _ROBOTS
        authorization = request.headers.get("Authorization")
        if authorization is None or not self.tokens.is_valid(authorization):
            return api_error(401)
        if target == "/sign-out" and request.method == "POST":
            self.tokens.sign_out(authorization)
            return json_answer(200, {"status": "200 - OK"})
        return self._api_answer(request, target, rules)

    def _api_answer(self, request: web.BaseRequest, target: str, rules: list[FaultRule]) -> Answer:
        stale = next((rule for rule in rules if rule.name == "stale_cache"), None)
        if stale is None:
            return self.api.answer(ApiRequest.read(request.method, target, request.host), rules)
        key = self._stale.key(target, stale.get("ignore"))
        kept = self._stale.get(key)
        if kept is None:
            kept = self.api.answer(ApiRequest.read(request.method, target, request.host), rules)
            self._stale.put(key, kept)
        return kept

    async def _send(
        self, request: web.BaseRequest, answer: Answer, rules: list[FaultRule]
    ) -> web.StreamResponse:
        for rule in rules:
            if rule.stage == "body":
                if rule.name == "truncated_body" and rule.get("how") == "length":
                    await _send_half(request, answer)
                answer = fault_answers.damage(answer, rule)
        if any(rule.stage == "clock" for rule in rules):
            date = fault_answers.date(fault_answers.server_time(rules))
            answer = Answer(answer.status, answer.body, answer.content_type, {**answer.headers, **date})
        if self.options.server.gzip and _may_compress(request, answer):
            headers = {**answer.headers, "Content-Encoding": "gzip"}
            body = gzip.compress(answer.body, compresslevel=1)
            answer = Answer(answer.status, body, answer.content_type, headers)
        return _response(answer)


def _may_compress(request: web.BaseRequest, answer: Answer) -> bool:
    accepted = request.headers.get("Accept-Encoding", "")
    return (
        "gzip" in accepted
        and len(answer.body) >= _GZIP_FROM_BYTES
        and "Content-Encoding" not in answer.headers
    )


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _disturb(request: web.BaseRequest, rule: FaultRule) -> None:
    """Delay the response, withhold it, or close the connection."""
    if rule.name == "slow":
        await asyncio.sleep(float(rule.get("seconds")))
    elif rule.name == "hang":
        await asyncio.Event().wait()
    elif rule.name == "reset":
        if request.transport is not None:
            request.transport.abort()
        raise _ClosedError


async def _send_half(request: web.BaseRequest, answer: Answer) -> None:
    """Declare the full length, send half the body and close the connection."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    raise _ClosedError


async def serve(options: Options, announce: Callable[[Sandbox, int], None]) -> None:
    """Build the world, listen, call ``announce(sandbox, port)`` and serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox(options)
    server = web.Server(sandbox.handle, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await _listen(runner, options.server.port)
        announce(sandbox, runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.ServerRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port, shutdown_timeout=_SHUTDOWN_S).start()
    except OSError as error:
        raise OptionError("--port", port, error.strerror or str(error)) from None


def run(options: Options, announce: Callable[[Sandbox, int], None]) -> None:
    """Run `serve` on the fastest event loop available."""
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(serve(options, announce))


def _fast_loop() -> Callable[[], Any] | None:
    try:
        import uvloop  # noqa: PLC0415 (optional: absent on some platforms)
    except ImportError:
        return None
    return uvloop.new_event_loop
