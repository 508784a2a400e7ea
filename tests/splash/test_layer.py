"""When commentary_layer asks for the page, and for whom of those it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import CommentaryLayer as Section
from sgr_spiders.layers.base import EVERYTHING, EndedWalk, Seed, Wanted
from sgr_spiders.layers.commentary_layer import CommentaryLayer
from sgr_spiders.model.items import Comment, Engagement, Fullness, Track, User, WalkRequest
from sgr_spiders.soundcloud.raw import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = "https://soundcloud.com/mara-quill/paper-tides"
ASKED = WalkRequest("track_page", PAGE, "page", EVERYTHING, 5)
NONE_LISTED = EndedWalk("7", [])


class Seen:
    """A ``LayerView`` at what a test gives."""

    def __init__(self, **walks: list[EndedWalk]) -> None:
        self._walks = {"comments": [NONE_LISTED], **walks}

    def walks(self, step: str) -> Sequence[EndedWalk]:
        return self._walks.get(step, [])

    def playlist_tracks(self, playlist_id: int, cap: int) -> Sequence[int]:
        return []


def shown(comment_id: int, permalink: str, body: str = "lovely", track_id: int = 7) -> Comment:
    raw = pack({"user": {"permalink": permalink, "username": permalink.title()}})
    return Comment(comment_id, track_id, body=body, raw=raw)


def wanted(look: Seen, config: dict[str, Any] | None = None, **track: Any) -> list[Wanted]:
    fields = {"comment_count": 5, "permalink_url": PAGE, "fullness": Fullness.OWN, **track}
    seed = Seed(Track(7, **fields), None, {})
    section = Section(**{"html_fallback": True, **(config or {})})
    return list(CommentaryLayer(section).after_all_ended(seed, look))


def test_the_page_is_asked_for_where_the_api_gives_no_comments() -> None:
    assert wanted(Seen()) == [ASKED]
    unknown = WalkRequest("track_page", PAGE, "page", EVERYTHING, None)
    assert wanted(Seen(), comment_count=None) == [unknown]


@pytest.mark.parametrize(
    "track",
    [
        {"comment_count": 0},
        {"commentable": False},
        {"reveal_comments": False},
        {"permalink_url": None},
        {"permalink_url": "https://soundcloud.com/mara-quill/paper-tides/s-secret"},
        {"permalink_url": "https://elsewhere.example/mara-quill/paper-tides"},
    ],
)
def test_it_is_not_where_there_are_none_or_they_are_hidden_or_there_is_no_page(track: dict[str, Any]) -> None:
    assert wanted(Seen(), **track) == []


def test_it_is_not_where_the_api_gives_some_or_nobody_asks() -> None:
    assert wanted(Seen(comments=[EndedWalk("7", [Comment(1, 7, 2, "x")])])) == []
    assert wanted(Seen(comments=[]), {"max_commenters": 0}) == []
    assert wanted(Seen(), {"html_fallback": False}) == []


def test_authors_are_resolved_in_order_up_to_the_cap() -> None:
    comments = [shown(-1, "a"), shown(-2, "b"), shown(-3, "a"), shown(-4, "c"), shown(-5, "d", track_id=8)]
    look = Seen(page=[EndedWalk(PAGE, comments)])
    targets = [want.target for want in wanted(look, {"max_commenters": 2}) if isinstance(want, WalkRequest)]
    assert targets == [PAGE, "https://soundcloud.com/a", "https://soundcloud.com/b"]
    # The address may belong to another track by now: its comments are not the seed's.
    targets = [want.target for want in wanted(look) if isinstance(want, WalkRequest)]
    assert targets[1:] == [f"https://soundcloud.com/{name}" for name in "abc"]


def test_a_resolved_author_gets_their_comments_and_engagement() -> None:
    look = Seen(
        page=[EndedWalk(PAGE, [shown(-1, "a"), shown(22, "a", "!"), shown(-3, "gone")])],
        authors=[
            EndedWalk("https://soundcloud.com/a", [User(90)]),
            EndedWalk("https://soundcloud.com/gone", []),
        ],
    )
    told = [want for want in wanted(look) if not isinstance(want, WalkRequest)]
    assert User(90, "A", "a", "https://soundcloud.com/a", fullness=Fullness.EMBEDDED) in told
    assert Engagement(90, 7, "comment") in told
    assert [(one.comment_id, one.user_id) for one in told if isinstance(one, Comment)] == [(-1, 90), (22, 90)]
    assert WalkRequest("user_likes", "90", "library", EVERYTHING) in wanted(look)


@pytest.mark.parametrize("config", [{"min_comment_length": 7}, {"harvest_commenter_libraries": False}])
def test_libraries_only_of_fans(config: dict[str, Any]) -> None:
    page = [EndedWalk(PAGE, [shown(-1, "a", "lovely")])]
    look = Seen(page=page, authors=[EndedWalk("https://soundcloud.com/a", [User(90)])])
    assert Engagement(90, 7, "comment") in wanted(look, config)
    assert not [one for one in wanted(look, config) if getattr(one, "step", None) == "library"]
    assert [one for one in wanted(look, {"min_comment_length": 6}) if getattr(one, "step", None) == "library"]
