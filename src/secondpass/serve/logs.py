"""The log as lines of JSON."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

__all__ = ["JSONFormatter", "log_as_json"]


class JSONFormatter(logging.Formatter):
    """A record as a line of JSON: ``time``, ``level``, ``logger``, ``message``, and the fields of ``record.fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            # Where it happened, without what it says, which may quote a text.
            line["at"] = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(record.exc_info[2])]
        return json.dumps(line, default=str)


def log_as_json(level: str) -> None:
    """Let the process log to standard error, warnings included, one line of JSON for each record.

    Args:
        level: of the loggers of the server: "debug", "info" or "warning".
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("secondpass.serve", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(capture=True)
