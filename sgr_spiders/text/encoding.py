"""Output in encodings that cannot represent every character."""

from __future__ import annotations

import codecs
import io
import json
import sys
from typing import IO


def tolerate(stream: IO[str], errors: str = "replace") -> None:
    """Let *stream* replace the characters that its encoding lacks, instead of raising."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=errors)


def dump_json(document: object) -> str:
    """Return JSON with an indentation that standard output can represent: in ASCII unless it is Unicode."""
    encoding = getattr(sys.stdout, "encoding", None)
    is_unicode = encoding is None or codecs.lookup(encoding).name.startswith("utf")
    return json.dumps(document, indent=2, ensure_ascii=not is_unicode)
