"""Checks of what `RemoteReranker` is told."""

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from secondpass.errors import ConfigError
from secondpass.remote.shapes import Shape
from secondpass.secret import split_url
from secondpass.types import Scale

__all__ = ["checked_body", "checked_int", "checked_scale", "checked_seconds", "checked_url", "is_at_home"]


def checked_url(url: object, shape: Shape) -> str:
    """Return the URL of the endpoint: with the shape's own path, if it names only a server.

    Raises:
        ConfigError: it is no such URL, or holds a password.
    """
    parts = split_url(url, "url")
    path = parts.path if parts.path.strip("/") else shape.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def is_at_home(url: str, shape: Shape) -> bool:
    """Tell whether a provider's key may go to a URL: to its own domain, or to what people host themselves."""
    host = urlsplit(url).hostname or ""
    return not shape.host or host == shape.host or host.endswith("." + shape.host)


def checked_seconds(value: object, name: str, *, zero: bool = True) -> float:
    """Return a time in seconds as a float.

    Raises:
        ConfigError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} must be a number of seconds, not {value!r}")
    if value == 0 and not zero:
        raise ConfigError(f"{name} must be above 0")
    return float(value)


def checked_int(value: object, name: str, least: int) -> int:
    """Return a whole number.

    Raises:
        ConfigError: it is none, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return value


def checked_scale(scale: Scale | str | None, default: Scale) -> Scale:
    """Return a scale by its name, or the default for None.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return default if scale is None else Scale(scale)
    except ValueError as exc:
        raise ConfigError(f"scale must be one of {', '.join(Scale)}, not {scale!r}") from exc


def checked_body(extra: Mapping[str, Any] | None, shape: Shape) -> Mapping[str, Any] | None:
    """Return further fields of a request.

    Raises:
        ConfigError: they are no JSON, or set what is set elsewhere.
    """
    if extra is None:
        return None
    if not isinstance(extra, Mapping):
        raise ConfigError(f"extra_body must be a mapping, not {type(extra).__name__}")
    taken = sorted({"query", "model", "top_n", "top_k", shape.documents} & set(extra))
    if taken:
        raise ConfigError(f"extra_body can't hold {', '.join(taken)}: that is set here, and every document is scored")
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"extra_body must be plain JSON data: {exc}") from exc
    return dict(extra)
