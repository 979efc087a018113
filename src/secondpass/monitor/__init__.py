"""Monitoring: an event for each call, and the sinks that it goes to."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.monitor.event import Event, ScoredText, ScoreSummary
    from secondpass.monitor.jsonl import JSONLinesSink, read_events
    from secondpass.monitor.log import LoggingSink
    from secondpass.monitor.sink import Sink, sinks
    from secondpass.monitor.window import Summary, WindowSink, summarize

# Imported when they are first asked for: who only logs loads no exporter.
_LAZY = {
    "Event": "secondpass.monitor.event",
    "JSONLinesSink": "secondpass.monitor.jsonl",
    "LoggingSink": "secondpass.monitor.log",
    "ScoreSummary": "secondpass.monitor.event",
    "ScoredText": "secondpass.monitor.event",
    "Sink": "secondpass.monitor.sink",
    "Summary": "secondpass.monitor.window",
    "WindowSink": "secondpass.monitor.window",
    "read_events": "secondpass.monitor.jsonl",
    "sinks": "secondpass.monitor.sink",
    "summarize": "secondpass.monitor.window",
}

__all__ = [
    "Event",
    "JSONLinesSink",
    "LoggingSink",
    "ScoreSummary",
    "ScoredText",
    "Sink",
    "Summary",
    "WindowSink",
    "read_events",
    "sinks",
    "summarize",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
