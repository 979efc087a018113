"""What the commands read: texts from the command line, files or standard input."""

import json
import sys
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, InputError

__all__ = ["json_documents", "read_argument", "read_settings", "read_utf8", "read_yaml"]


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
    try:
        data = sys.stdin.buffer.read() if name == "standard input" else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as exc:  # ValueError: not UTF-8, or a null character in the file's name
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
    except (OSError, ValueError, yaml.YAMLError) as exc:  # an impossible date or number is a ValueError
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


def json_documents(name: str, text: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the objects in JSONL with their line numbers, from 1; blank lines are skipped.

    Args:
        name: of the file, for messages.
        text: its content.

    Raises:
        InputError: a line is not a JSON object with a string under ``text``.
    """
    documents = []
    # Not splitlines, which also splits at characters that are allowed within a line of JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            document: Any = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise InputError(f"{name}, line {number} is not JSON: {exc}") from exc
        if not (isinstance(document, dict) and isinstance(document.get("text"), str)):
            raise InputError(f'{name}, line {number} is not a JSON object with a string under "text"')
        documents.append((number, document))
    return documents
