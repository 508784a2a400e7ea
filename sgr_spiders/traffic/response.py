"""Responses of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.http import TextResponse

from sgr_spiders.soundcloud.answers import Answer, Kind

if TYPE_CHECKING:
    from scrapy.http import Response


class ApiResponse(TextResponse):
    """A response with ``answer``, which contains the decoded document or the reason why there is none."""

    attributes: tuple[str, ...] = (*TextResponse.attributes, "answer")
    __slots__ = ("answer",)

    def __init__(self, url: str, answer: Answer | None = None, **others: Any) -> None:
        # *others* are the arguments of TextResponse.
        super().__init__(url, **others)
        self.answer = answer or Answer(Kind.RETRY, reason="an unclassified response")


def header_fields(response: Response) -> dict[str, str]:
    """Return the header fields as text: names in lower case, repeated fields joined with commas."""
    # Latin-1 decodes any byte.
    return {
        name.decode("latin-1").lower(): b",".join(response.headers.getlist(name)).decode("latin-1")
        for name in response.headers
    }
