"""A stand-in for Splash that speaks its ``render.html``, and for the site whose pages it renders."""

from __future__ import annotations

import html
import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from tests.traffic.fault_server import FaultServer, Reply, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sgr_spiders.sandbox.world import CommentTruth, World

HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class Renderer:
    """Splash and the site, each with its own port within the context."""

    page: Callable[[], str] = lambda: ""
    robots: str = "User-agent: *\nAllow: /\n"
    answer: Callable[[], Reply | None] = lambda: None
    """Response of Splash instead of the page, or ``None``."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.splash = self._stack.enter_context(FaultServer(self._render))
        self.site = self._stack.enter_context(FaultServer(self._serve))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def settings(self) -> dict[str, str]:
        return {"SPLASH_URL": self.splash.url, "SOUNDCLOUD_SITE_URL": self.site.url}

    def rendering_arguments(self) -> list[dict[str, Any]]:
        """Return the arguments of all requested renderings."""
        return [json.loads(seen.body) for seen in self.splash.seen]

    def _render(self, seen: Seen, before: int) -> Reply:
        if (seen.method, seen.target) != ("POST", "/render.html"):
            return Reply(404, b"No Such Resource", HTML)
        # Like Splash, read the body as arguments only if its type is JSON.
        is_json = "application/json" in seen.headers.get("content-type", "")
        arguments = json.loads(seen.body) if is_json else {}
        if not str(arguments.get("url", "")).startswith(self.site.url):
            error = {
                "error": 400,
                "type": "BadOption",
                "description": "Incorrect HTTP API arguments",
                "info": {"type": "argument_required", "argument": "url"},
            }
            return Reply(400, json.dumps(error).encode())
        return self.answer() or Reply(200, self.page().encode(), HTML)

    def _serve(self, seen: Seen, before: int) -> Reply:
        if seen.target == "/robots.txt":
            return Reply(200, self.robots.encode(), {"Content-Type": "text/plain"})
        # Only Splash requests pages, and this one generates them.
        return Reply(500, b"", HTML)


def comment_text(comment: CommentTruth) -> str:
    """Return the text of a comment on our pages; its length depends on the comment."""
    return "<3 " * (comment.comment_id % 5 + 1) + str(comment.comment_id)


def rendered_page(world: World, track_id: int, comments: Iterable[CommentTruth], *, ids: bool = False) -> str:
    """Return the page of a track of the sandbox, with these comments as its scripts insert them.

    With *ids* the reply links contain the comments' IDs, as on the site, except for your own comments.
    """
    items = "".join(_item(world, comment, ids=ids) for comment in comments)
    return (
        "<!DOCTYPE html><html><head>"
        f'<meta property="al:ios:url" content="soundcloud://sounds:{track_id}"></head><body><div id="app">'
        f'<div class="commentsList lazyLoadingList"><ul class="lazyLoadingList__list">{items}</ul></div>'
        "</div></body></html>"
    )


def _item(world: World, comment: CommentTruth, *, ids: bool) -> str:
    name, link = html.escape(world.username_of(comment.user_id)), world.permalink_of(comment.user_id)
    moment = datetime.fromtimestamp(comment.created_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    reply = f'<a class="commentItem__replyButton" href="/a/b/comments/{comment.comment_id}">Reply</a>'
    return (
        '<li class="commentsList__item"><div class="commentItem"><span class="commentItem__username">'
        f'<a href="/{link}" class="commentItem__usernameLink">{name}</a></span>'
        f'<div class="commentItem__body"><span><p>{html.escape(comment_text(comment))}</p></span></div>'
        f'<time class="relativeTime" datetime="{moment}">some time ago</time>'
        f"{reply if ids else ''}</div></li>"
    )
