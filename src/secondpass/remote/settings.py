"""Checks of a `RemoteReranker`'s settings that depend on its shape."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from secondpass.errors import ConfigError
from secondpass.remote.shapes import Shape
from secondpass.secret import split_url
from secondpass.validation import must_be

__all__ = ["checked_body", "checked_url", "is_at_home"]


def checked_url(url: object, shape: Shape) -> str:
    """Return the URL of the endpoint, with the shape's own path if it names only a server.

    Raises:
        ConfigError: it is not such a URL, or holds a password.
    """
    parts = split_url(url, "url")
    path = parts.path if parts.path.strip("/") else shape.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def is_at_home(url: str, shape: Shape) -> bool:
    """Tell whether a provider's key may go to a URL: to its own domain, or to what people host themselves."""
    host = urlsplit(url).hostname or ""
    return not shape.host or host == shape.host or host.endswith("." + shape.host)


def checked_body(extra: Mapping[str, Any] | None, shape: Shape) -> Mapping[str, Any] | None:
    """Return further fields of a request.

    Raises:
        ConfigError: they are not JSON data, or set what other settings are for.
    """
    if extra is None:
        return None
    if not isinstance(extra, Mapping):
        raise ConfigError(must_be("RemoteReranker: extra_body", "a mapping, or None", extra))
    taken = sorted({"query", "model", "top_n", "top_k", shape.documents} & set(extra))
    if taken:
        raise ConfigError(
            f"RemoteReranker: extra_body can't contain {', '.join(taken)}: there are other settings for that"
        )
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"RemoteReranker: extra_body must be plain JSON data: {exc}") from exc
    return dict(extra)
