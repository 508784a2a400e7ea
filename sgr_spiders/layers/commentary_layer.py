"""commentary_layer: the seed's commenters and everything they like."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from sgr_spiders.layers.accounts import records_of
from sgr_spiders.layers.base import EVERYTHING, SEED_STEP, FixedCap, Layer, LayerView, Seed, Wanted, cut
from sgr_spiders.model.items import Comment, Engagement, Fullness, User, WalkRequest
from sgr_spiders.soundcloud.track_page import TRACK_PAGE, Author, author_of, page_url, profile_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sgr_spiders.config.harvest import CommentaryLayer as Section
    from sgr_spiders.model.items import MainRecord


class CommentaryLayer(Layer):
    """The comments on the seed, and the libraries of their first ``max_commenters`` authors.

    With ``html_fallback``, comments come from the track's page if the API returns none. The page names
    the authors, and the API resolves them to accounts.
    """

    name: ClassVar[str] = "commentary_layer"
    expanding_steps: ClassVar[frozenset[str]] = frozenset({SEED_STEP, "comments"})
    needs_second_pass: ClassVar[bool] = True
    caps: ClassVar[Mapping[str, str | FixedCap]] = {"comments": "max_commenters"}

    def __init__(self, config: Section) -> None:
        self.config = config

    def found(self, step: str, seed: Seed, record: MainRecord) -> Iterator[Wanted]:
        if step == SEED_STEP:
            target, expected = str(seed.track.track_id), seed.track.comment_count
            yield WalkRequest("track_comments", target, "comments", self.config.max_commenters, expected)
        elif isinstance(record, Comment) and record.user_id is not None and self._is_by_fan(record):
            yield WalkRequest("user_likes", str(record.user_id), "library", EVERYTHING)

    def after_all_ended(self, seed: Seed, view: LayerView) -> Iterator[Wanted]:
        url = page_url(seed.track.permalink_url)
        if not self.config.html_fallback or url is None or not _lacks_comments(seed, view):
            return
        yield WalkRequest(TRACK_PAGE, url, "page", EVERYTHING, seed.track.comment_count)
        authors = _authors(seed, view, url)
        yield from cut("max_commenters", self.config.max_commenters, len(authors), url)
        for author, comments in islice(authors.items(), self.config.max_commenters):
            yield from self._attribute(view, author, comments)

    def _attribute(self, view: LayerView, author: Author, comments: list[Comment]) -> Iterator[Wanted]:
        """Request the author's account and, once it is known, attribute the comments to it."""
        profile = profile_url(author)
        yield WalkRequest("resolve", profile, "authors", 1)
        for account in records_of(view, "authors", profile):
            user_id = account.record_id
            yield User(user_id, author.username, author.permalink, profile, fullness=Fullness.EMBEDDED)
            for comment in comments:
                yield replace(comment, user_id=user_id)
                yield Engagement(user_id, comment.track_id, "comment")
            if any(map(self._is_by_fan, comments)):
                yield WalkRequest("user_likes", str(user_id), "library", EVERYTHING)

    def _is_by_fan(self, comment: Comment) -> bool:
        long_enough = len((comment.body or "").strip()) >= self.config.min_comment_length
        return self.config.harvest_commenter_libraries and long_enough


def _lacks_comments(seed: Seed, view: LayerView) -> bool:
    """Return whether the API returned no comments although some may exist and are not hidden."""
    track = seed.track
    if track.comment_count == 0 or track.commentable is False or track.reveal_comments is False:
        return False
    walks = view.walks("comments")
    return bool(walks) and not any(walk.records for walk in walks)


def _authors(seed: Seed, view: LayerView, url: str) -> dict[Author, list[Comment]]:
    """Return the page's comments by author, in page order."""
    authors: dict[str, tuple[Author, list[Comment]]] = {}
    for comment in records_of(view, "page", url):
        # The URL may now belong to another track.
        if isinstance(comment, Comment) and comment.track_id == seed.track.track_id:
            author = author_of(comment)
            if author is not None:
                authors.setdefault(author.permalink, (author, []))[1].append(comment)
    return dict(authors.values())
