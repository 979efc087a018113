"""JSON as it is sent."""

import json
from typing import Any

from starlette.responses import Response

__all__ = ["Json"]


class Json(Response):
    """JSON that every client can read: no NaN, and a question mark for what UTF-8 can't hold."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of plain data."""
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
