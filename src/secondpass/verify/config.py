"""Settings as plain data, for what is configured as rerankers are but is none."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from secondpass.base import construct, converted, data_of, identity_data, settings_in

__all__ = ["Configured", "identity_of", "settings_of"]


class Configured:
    """Keeps each argument of its constructor in an attribute of the same name, and so is data."""

    def to_config(self) -> dict[str, Any]:
        """Return it as plain data, without keys; `from_config` builds it again.

        Raises:
            ConfigError: a setting, such as a ``completion``, is no data.
        """
        return settings_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build it from what `to_config` wrote.

        Raises:
            ConfigError: it is no mapping from names, or a setting is unknown or missing.
        """
        return construct(cls, **settings_in(config, cls))


def settings_of(instance: object) -> dict[str, Any]:
    """Return the settings of an object that keeps each in an attribute of the same name, as plain data.

    Raises:
        ConfigError: one is not data.
    """
    return _settings(instance, data_of)


def identity_of(instance: object) -> dict[str, Any]:
    """Do as `settings_of`, with objects and functions named instead of refused: for a fingerprint."""
    return _settings(instance, identity_data)


def _settings(instance: object, convert: Callable[[object, str], Any]) -> dict[str, Any]:
    kind = type(instance)
    return {
        name: converted(getattr(instance, name), f"{kind.__name__}.{name}", convert)
        for name in inspect.signature(kind).parameters
    }
