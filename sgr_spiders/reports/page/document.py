"""The document around a page's content: style and scripts in one file, and a policy that forbids all else."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from sgr_spiders.reports.page.html import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def render_document(title: str, scripts: Sequence[str], *content: str) -> str:
    """Return a document with this content, the style and these scripts, files of this package."""
    style, script = _asset("page.css"), "\n".join(map(_asset, scripts))
    body = join(
        tag("a", "Skip to the content", href="#content", class_="skip"),
        *content,
        tag("script", Html(script)),
    )
    head = join(
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        Html('<meta name="color-scheme" content="light dark">'),
        tag("title", title),
        tag("style", Html(style)),
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def navigation(links: Mapping[str, str]) -> Html:
    """Return links to sections, by identifier, and the button of the theme, which ``page.js`` needs."""
    named = [tag("a", name, href=f"#{identifier}") for identifier, name in links.items()]
    choice = tag("button", "Dark", type="button", id="theme", hidden="")
    return tag("nav", tag("div", *named, class_="links"), choice, aria_label="Sections")


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a policy that allows this style and this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
