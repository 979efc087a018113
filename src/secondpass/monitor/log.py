"""A line in the log for each event."""

import logging
from typing import ClassVar, Literal

from secondpass.monitor.event import Event
from secondpass.monitor.sink import Sink
from secondpass.validation import OneOf, Text, check

__all__ = ["LoggingSink"]


class LoggingSink(Sink):
    """Logs each event as a line, with the event itself as ``record.event`` for formatters of your own.

    Calls that failed are logged as warnings. Nothing about logging is configured here: handlers and levels are the
    application's.

    Args:
        logger: the name of the logger.
        level: of events of calls that did not fail.
    """

    registry_name: ClassVar[str] = "logging"

    def __init__(
        self, logger: str = "secondpass.monitor", *, level: Literal["debug", "info", "warning"] = "info"
    ) -> None:
        self.logger, self.level = logger, level
        check(self, logger=Text(), level=OneOf("debug", "info", "warning"))
        self._logger = logging.getLogger(logger)
        self._level = logging.getLevelNamesMapping()[level.upper()]

    def __call__(self, event: Event) -> None:
        """Log the event."""
        level = logging.WARNING if event.failed else self._level
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _line(event), extra={"event": event})


def _line(event: Event) -> str:
    said = {
        "query": event.query_hash,
        "ms": f"{1000 * event.latency_s:.1f}",
        "candidates": event.candidates,
        "top": "" if event.scores is None else f"{event.scores.top:.4g}",
        "passed": "" if event.passed is None else event.passed,
        "error": event.error,
    }
    counts = " ".join(f"{name}={count}" for name, count in event.counts.items() if count)
    line = " ".join(f"{name}={value}" for name, value in said.items() if value != "")
    return f"{event.kind} {event.name} {line} {counts}".rstrip()
