"""Keys and passwords, which nothing prints or saves."""

import os
import re
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from secondpass.errors import ConfigError

__all__ = ["Secret", "shown", "split_url"]


class Secret:
    """A text that is shown as stars, written into no configuration, and not pickled.

    Args:
        value: the key itself, or None. Another `Secret` is taken with its variable.
        variable: the environment variable that is asked, at the time of use, when there is no value.
    """

    def __init__(self, value: "str | Secret | None" = None, *, variable: str = "") -> None:
        self._value: str | None = value._value if isinstance(value, Secret) else value
        self.variable: str = (value.variable if isinstance(value, Secret) else "") or variable

    def reveal(self) -> str | None:
        """Return the key, or None if there is none."""
        return self._value if self._value is not None else os.environ.get(self.variable) or None

    def for_header(self, server: str) -> str:
        """Return the key as an HTTP header takes it, without the line break of the file it was read from; or "".

        Raises:
            ConfigError: no header can hold it. The message names the ``server`` that it is for.
        """
        key = (self.reveal() or "").strip()
        if not key.isascii() or not key.isprintable():
            # The HTTP library would say so too, but with the key in its message.
            raise ConfigError(f"the key for {server} holds characters that no HTTP header can; is it the right one?")
        return key

    def hidden_in(self, text: str) -> str:
        """Return a text with stars in the place of the key: what a server says may repeat it."""
        key = (self.reveal() or "").strip()
        return text.replace(key, "***") if key else text

    # There is one key, however often what holds it is copied; only a pickle goes elsewhere.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Secret({self.variable or '**********'})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_variable, (self.variable,)


def _from_variable(variable: str) -> Secret:
    return Secret(variable=variable)


def split_url(url: object, name: str) -> SplitResult:
    """Return the parts of a server's URL. No error repeats it, as it may hold a password.

    Args:
        url: what was given.
        name: of the setting, for errors.

    Raises:
        ConfigError: it is no such URL, or holds a password.
    """
    if not isinstance(url, str):
        raise ConfigError(f"{name} must be a str, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        # urlsplit drops line breaks in silence.
        named = bool(parts.hostname and parts.port != 0 and not re.search(r"\s", url))
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https"):
        raise ConfigError(f"{name} must be that of an endpoint, http(s)://HOST[:PORT][/PATH]")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{name} must hold no user and password, which logs and configurations would show: pass api_key"
        )
    return parts


def shown(url: str) -> str:
    """Return a URL as messages show it: without what comes after the path."""
    return url.partition("?")[0]
