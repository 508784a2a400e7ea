"""Blocks by the API's edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.soundcloud.answers import Kind
from sgr_spiders.traffic.abandoned import Abandoned
from sgr_spiders.traffic.response import ApiResponse

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class BlockMiddleware:
    """Abandons a request that met a block page: its walk is to be resumed, it has not failed.

    The gate has stopped the run by then; it must not wait for a middleware to do so.
    """

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if isinstance(response, ApiResponse) and response.answer.kind is Kind.BLOCKED:
            raise Abandoned(f"blocked: {request.url}")
        return response
