"""Conditions under which commentary_layer requests the page and resolves its authors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sgr_spiders.config.harvest import CommentaryLayer as Section
from sgr_spiders.layers.base import EVERYTHING, EndedWalk, PlaylistContents, Seed, Wanted
from sgr_spiders.layers.commentary_layer import CommentaryLayer
from sgr_spiders.model.items import Comment, Engagement, Fullness, Track, User, WalkRequest
from sgr_spiders.soundcloud.raw import pack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

PAGE = "https://soundcloud.com/mara-quill/paper-tides"
PAGE_REQUEST = WalkRequest("track_page", PAGE, "page", EVERYTHING, 5)
NONE_LISTED = EndedWalk("7", [])


class FixedView:
    """A ``LayerView`` with the walks of a test."""

    def __init__(self, **walks: list[EndedWalk]) -> None:
        self._walks = {"comments": [NONE_LISTED], **walks}

    def walks(self, step: str) -> Sequence[EndedWalk]:
        return self._walks.get(step, [])

    def contents(self, playlist_ids: Collection[int]) -> Mapping[int, PlaylistContents]:
        return {playlist: PlaylistContents() for playlist in playlist_ids}


def page_comment(comment_id: int, permalink: str, body: str = "lovely", track_id: int = 7) -> Comment:
    raw = pack({"user": {"permalink": permalink, "username": permalink.title()}})
    return Comment(comment_id, track_id, body=body, raw=raw)


def requests_of(view: FixedView, config: dict[str, Any] | None = None, **track: Any) -> list[Wanted]:
    fields = {"comment_count": 5, "permalink_url": PAGE, "fullness": Fullness.OWN, **track}
    seed = Seed(Track(7, **fields), None, {})
    section = Section(**{"html_fallback": True, **(config or {})})
    return list(CommentaryLayer(section).after_all_ended(seed, view))


def test_the_page_is_requested_if_the_api_lists_no_comments() -> None:
    assert requests_of(FixedView()) == [PAGE_REQUEST]
    unknown = WalkRequest("track_page", PAGE, "page", EVERYTHING, None)
    assert requests_of(FixedView(), comment_count=None) == [unknown]


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
def test_the_page_is_not_requested_without_visible_comments_or_a_public_page(track: dict[str, Any]) -> None:
    assert requests_of(FixedView(), **track) == []


def test_the_page_is_not_requested_if_the_api_lists_comments_or_it_is_disabled() -> None:
    assert requests_of(FixedView(comments=[EndedWalk("7", [Comment(1, 7, 2, "x")])])) == []
    assert requests_of(FixedView(comments=[]), {"max_commenters": 0}) == []
    assert requests_of(FixedView(), {"html_fallback": False}) == []


def test_authors_are_resolved_in_order_up_to_the_cap() -> None:
    comments = [
        page_comment(-1, "a"),
        page_comment(-2, "b"),
        page_comment(-3, "a"),
        page_comment(-4, "c"),
        page_comment(-5, "d", track_id=8),
    ]
    view = FixedView(page=[EndedWalk(PAGE, comments)])
    targets = [
        want.target for want in requests_of(view, {"max_commenters": 2}) if isinstance(want, WalkRequest)
    ]
    assert targets == [PAGE, "https://soundcloud.com/a", "https://soundcloud.com/b"]
    # The URL may now belong to another track, whose comments are not the seed's.
    targets = [want.target for want in requests_of(view) if isinstance(want, WalkRequest)]
    assert targets[1:] == [f"https://soundcloud.com/{name}" for name in "abc"]


def test_a_resolved_author_gets_their_comments_and_engagement() -> None:
    view = FixedView(
        page=[EndedWalk(PAGE, [page_comment(-1, "a"), page_comment(22, "a", "!"), page_comment(-3, "gone")])],
        authors=[
            EndedWalk("https://soundcloud.com/a", [User(90)]),
            EndedWalk("https://soundcloud.com/gone", []),
        ],
    )
    found = [want for want in requests_of(view) if not isinstance(want, WalkRequest)]
    assert User(90, "A", "a", "https://soundcloud.com/a", fullness=Fullness.EMBEDDED) in found
    assert Engagement(90, 7, "comment") in found
    assert [(record.comment_id, record.user_id) for record in found if isinstance(record, Comment)] == [
        (-1, 90),
        (22, 90),
    ]
    assert WalkRequest("user_likes", "90", "library", EVERYTHING) in requests_of(view)


@pytest.mark.parametrize("config", [{"min_comment_length": 7}, {"harvest_commenter_libraries": False}])
def test_only_libraries_of_fans_are_requested(config: dict[str, Any]) -> None:
    page = [EndedWalk(PAGE, [page_comment(-1, "a", "lovely")])]
    view = FixedView(page=page, authors=[EndedWalk("https://soundcloud.com/a", [User(90)])])
    assert Engagement(90, 7, "comment") in requests_of(view, config)
    assert not [want for want in requests_of(view, config) if getattr(want, "step", None) == "library"]
    shorter = requests_of(view, {"min_comment_length": 6})
    assert [want for want in shorter if getattr(want, "step", None) == "library"]
