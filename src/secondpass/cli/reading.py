"""What the commands read: texts from the command line, files or standard input."""

import sys
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, InputError, reason

__all__ = ["decoded", "read_argument", "read_bytes", "read_settings", "read_utf8", "read_yaml"]


def read_argument(value: str) -> str:
    """Return a text: the file's if the argument is ``@FILE``, standard input if it is ``-``, else the argument.

    Raises:
        InputError: it can't be read as UTF-8 text.
    """
    if value == "-":
        return read_utf8("standard input")
    return read_utf8(value[1:]) if value.startswith("@") else value


def read_utf8(name: str) -> str:
    """Return the text of a file, or of "standard input", without a byte-order mark.

    Raises:
        InputError: it can't be read as UTF-8 text.
    """
    return decoded(name, read_bytes(name))


def read_bytes(name: str) -> bytes:
    """Return what a file holds, or "standard input".

    Raises:
        InputError: it can't be read.
    """
    if name == "standard input" and sys.stdin is None:
        raise InputError("standard input can't be read: it is closed")
    try:
        return sys.stdin.buffer.read() if name == "standard input" else Path(name).read_bytes()
    except (OSError, ValueError) as exc:  # ValueError: a null character in the file's name
        raise InputError(f"{name} can't be read: {reason(exc)}") from exc


def decoded(name: str, data: bytes) -> str:
    """Return bytes as text, without a byte-order mark; ``name`` is for the error.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except ValueError as exc:
        raise InputError(f"{name} can't be read as UTF-8 text: {exc}") from exc


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, or a JSON file, which is YAML as well.

    Raises:
        ConfigError: it can't be read, or is not YAML.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ConfigError(f"{path} can't be read as YAML: it is nested too deeply") from None
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {reason(exc)}") from exc
    except (ValueError, yaml.YAMLError) as exc:  # an impossible date or number is a ValueError
        raise ConfigError(f"{path} can't be read as YAML: {exc}") from exc


def read_settings(path: Path | None, kind: Any) -> dict[str, Any]:
    """Return a class's settings from a YAML or JSON file; none without a file.

    Args:
        path: the file.
        kind: the class, with its ``registry_name``, which the file may give as its ``type``.

    Raises:
        ConfigError: it can't be read, or holds something else.
    """
    settings = {} if path is None else read_yaml(path)
    name = kind.registry_name
    if not isinstance(settings, dict) or settings.get("type", name) != name:
        raise ConfigError(
            f"{path} must be a mapping of {kind.__name__}'s settings, with no 'type' or with {name!r} as its type"
        )
    return settings
