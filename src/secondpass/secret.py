"""Keys and passwords, which nothing prints or saves."""

import os
from typing import Any

__all__ = ["Secret"]


class Secret:
    """A text that is shown as stars, written into no configuration, and not pickled.

    Args:
        value: the key itself, or None.
        variable: the environment variable that is asked, at the time of use, when there is no value.
    """

    def __init__(self, value: "str | Secret | None" = None, *, variable: str = "") -> None:
        self._value: str | None = value._value if isinstance(value, Secret) else value
        self.variable = variable

    def reveal(self) -> str | None:
        """Return the key, or None if there is none."""
        return self._value if self._value is not None else os.environ.get(self.variable) or None

    def __repr__(self) -> str:
        return f"Secret({self.variable or '**********'})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_variable, (self.variable,)


def _from_variable(variable: str) -> Secret:
    return Secret(variable=variable)
