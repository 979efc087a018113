"""Keys and passwords, which nothing prints or saves."""

import os
import re
import sys
from typing import Any, Self
from urllib.parse import SplitResult, unquote, urlsplit

from secondpass.errors import ConfigError

__all__ = ["Secret", "split_url", "without_query"]


class Secret:
    """A text that is shown as stars and kept out of configurations and pickles.

    Args:
        value: the key itself, or None. Another `Secret` is taken with its variable.
        variable: the environment variable that is read, at the time of use, when there is no value.

    Raises:
        ConfigError: the value is something else; it is not shown.
    """

    def __init__(self, value: "str | Secret | None" = None, *, variable: str = "") -> None:
        if value is not None and not isinstance(value, str | Secret):
            raise ConfigError(f"a key or a password must be a str, not of the type {type(value).__name__}")
        self._value: str | None = value._value if isinstance(value, Secret) else value
        self.variable: str = (value.variable if isinstance(value, Secret) else "") or variable

    def reveal(self) -> str | None:
        """Return the key, or None."""
        return self._value if self._value is not None else os.environ.get(self.variable) or None

    def for_header(self, server: str) -> str:
        """Return the key as an HTTP header takes it, without the line break of the file it was read from; or "".

        Raises:
            ConfigError: no header can hold it. The message names the ``server`` that it is for.
        """
        key = (self.reveal() or "").strip()
        if not key.isascii() or not key.isprintable():
            # The HTTP library would say so too, but with the key in its message.
            raise ConfigError(
                f"the key for {server} has characters that an HTTP header can't hold: is it the right key?"
            )
        return key

    def hidden_in(self, text: str) -> str:
        """Return a text that others wrote, such as a server, without the key.

        The key becomes stars. If it is there in another form, see `is_in`, nothing is left of the text but stars.
        """
        key = (self.reveal() or "").strip()
        text = text.replace(key, "***") if key else text
        return "***" if self.is_in(text) else text

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds the key, or eight characters in a row of it, in whatever form.

        It may be escaped as in JSON, URLs, HTML or Python, encoded in Base64 or hexadecimal, written in other case,
        width or spacing, or several of these in each other.
        """
        key = (self.reveal() or "").strip()
        return bool(key) and (key in text or _holds(text, _parts(key)))

    # There is one key, however often what holds it is copied; only a pickle goes elsewhere.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Secret({self.variable or '**********'})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_variable, (self.variable,)


_PART = 8  # fewer characters in a row may be there by chance
_FEWEST = 4  # a key of fewer letters and digits is found as it is only
_MAX_LAYERS = 4
_NO_LETTERS = re.compile(r"[^0-9a-z]+")
# \u002f, \U0000002f, \u{2f}, \x2f, =2f; \057; \/ needs nothing, as only letters and digits are compared.
_ESCAPED = re.compile(
    r"(?:\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})|\\u([0-9a-fA-F]{4})|(?:\\x|=)([0-9a-fA-F]{2}))|\\([0-3]?[0-7]{2})"
)


def _parts(key: str) -> frozenset[str]:
    """Return the pieces by which a key is known: of its letters and digits, and of what Base64 and hex make of it."""
    import base64  # not with the module: only errors need it

    data = key.encode()
    # What stands before the key decides in which of three ways Base64 cuts it up; the ends depend on the neighbours.
    shifted = [base64.b64encode(b"\0" * shift + data).decode().rstrip("=")[:-1] for shift in range(3)]
    found: set[str] = set()
    for form in (key, data.hex(), shifted[0], shifted[1][4:], shifted[2][4:]):
        letters = _letters(form)
        size = min(_PART, len(letters))
        if size >= (_FEWEST if form is key else _PART):
            found |= {letters[at : at + size] for at in range(len(letters) - size + 1)}
    return frozenset(found)


def _holds(text: str, parts: frozenset[str]) -> bool:
    import html  # likewise

    sizes = {len(part) for part in parts}
    for _ in range(_MAX_LAYERS):
        letters = _letters(text)
        if any(letters[at : at + size] in parts for size in sizes for at in range(len(letters) - size + 1)):
            return True
        decoded = html.unescape(unquote(_ESCAPED.sub(_unescaped, text)))
        if decoded == text:
            return False
        text = decoded
    return True  # escaped more often than any honest text


def _letters(text: str) -> str:
    import unicodedata  # likewise

    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).lower())


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3] or match[4]
    code = int(hexadecimal, 16) if hexadecimal else int(match[5], 8)
    return chr(code) if code <= sys.maxunicode else ""


def _from_variable(variable: str) -> Secret:
    return Secret(variable=variable)


def split_url(url: object, name: str) -> SplitResult:
    """Return the parts of a server's URL. No error repeats it, as it may hold a password.

    Args:
        url: what was given.
        name: of the setting, for errors.

    Raises:
        ConfigError: it is not such a URL, or holds a password.
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
        raise ConfigError(f"{name} must be the URL of an endpoint: http(s)://HOST[:PORT][/PATH]")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{name} must not contain a user or a password, which logs and configurations would show: pass api_key"
        )
    return parts


def without_query(url: str) -> str:
    """Return a URL as messages show it: without what comes after the path."""
    return url.partition("?")[0]
