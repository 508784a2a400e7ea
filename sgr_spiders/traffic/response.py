"""A response of the API."""

from __future__ import annotations

from typing import Any

from scrapy.http import TextResponse

from sgr_spiders.soundcloud.answers import Answer, Kind


class ApiResponse(TextResponse):
    """A response that knows what it means: ``answer`` holds the decoded document, or why there is none."""

    attributes: tuple[str, ...] = (*TextResponse.attributes, "answer")
    __slots__ = ("answer",)

    def __init__(self, url: str, answer: Answer | None = None, **others: Any) -> None:
        # The others are whatever TextResponse takes.
        super().__init__(url, **others)
        self.answer = answer or Answer(Kind.RETRY, reason="an answer that nothing has classified")
