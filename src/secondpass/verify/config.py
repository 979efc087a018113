"""Settings as plain data, for what is configured as rerankers are but is none."""

import inspect
from collections.abc import Callable
from typing import Any

from secondpass.base import _converted, _identity, _to_data

__all__ = ["identity_of", "settings_of"]


def settings_of(instance: object) -> dict[str, Any]:
    """Return the settings of an object that keeps each in an attribute of the same name, as plain data.

    Raises:
        ConfigError: one is not data.
    """
    return _settings(instance, _to_data)


def identity_of(instance: object) -> dict[str, Any]:
    """Do as `settings_of`, with objects and functions named instead of refused: for a fingerprint."""
    return _settings(instance, _identity)


def _settings(instance: object, convert: Callable[[object, str], Any]) -> dict[str, Any]:
    kind = type(instance)
    return {
        name: _converted(getattr(instance, name), f"{kind.__name__}.{name}", convert)
        for name in inspect.signature(kind).parameters
    }
