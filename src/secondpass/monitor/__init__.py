"""Monitoring: an event for each call, and the sinks that it goes to."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.monitor.alerts import (
        Alert,
        AlertSink,
    )
    from secondpass.monitor.drift import (
        ScoreDriftRule,
    )
    from secondpass.monitor.event import Event, ScoredText, ScoreSummary
    from secondpass.monitor.jsonl import JSONLinesSink, read_events
    from secondpass.monitor.log import LoggingSink
    from secondpass.monitor.memory import MemoryRule
    from secondpass.monitor.otel import OpenTelemetrySink
    from secondpass.monitor.prometheus import PrometheusSink
    from secondpass.monitor.rules import (
        ErrorRateRule,
        EscalationRateRule,
        LatencyRule,
        LowConfidenceRule,
        LowVarianceRule,
        Rule,
        SupportRateRule,
        TruncationRateRule,
        UnreadRateRule,
        WatchSettings,
        alert_rules,
    )
    from secondpass.monitor.sink import Sink, sinks
    from secondpass.monitor.window import Summary, WindowSink, summarize

# Imported when they are first asked for: who only logs loads no exporter.
_LAZY = {
    "Alert": "secondpass.monitor.alerts",
    "AlertSink": "secondpass.monitor.alerts",
    "ErrorRateRule": "secondpass.monitor.rules",
    "EscalationRateRule": "secondpass.monitor.rules",
    "Event": "secondpass.monitor.event",
    "JSONLinesSink": "secondpass.monitor.jsonl",
    "LatencyRule": "secondpass.monitor.rules",
    "LoggingSink": "secondpass.monitor.log",
    "LowConfidenceRule": "secondpass.monitor.rules",
    "LowVarianceRule": "secondpass.monitor.rules",
    "MemoryRule": "secondpass.monitor.memory",
    "OpenTelemetrySink": "secondpass.monitor.otel",
    "PrometheusSink": "secondpass.monitor.prometheus",
    "Rule": "secondpass.monitor.rules",
    "ScoreDriftRule": "secondpass.monitor.drift",
    "ScoreSummary": "secondpass.monitor.event",
    "ScoredText": "secondpass.monitor.event",
    "Sink": "secondpass.monitor.sink",
    "Summary": "secondpass.monitor.window",
    "SupportRateRule": "secondpass.monitor.rules",
    "TruncationRateRule": "secondpass.monitor.rules",
    "UnreadRateRule": "secondpass.monitor.rules",
    "WatchSettings": "secondpass.monitor.rules",
    "WindowSink": "secondpass.monitor.window",
    "read_events": "secondpass.monitor.jsonl",
    "alert_rules": "secondpass.monitor.rules",
    "sinks": "secondpass.monitor.sink",
    "summarize": "secondpass.monitor.window",
}

__all__ = [
    "Alert",
    "AlertSink",
    "ErrorRateRule",
    "EscalationRateRule",
    "Event",
    "JSONLinesSink",
    "LatencyRule",
    "LoggingSink",
    "LowConfidenceRule",
    "LowVarianceRule",
    "MemoryRule",
    "OpenTelemetrySink",
    "PrometheusSink",
    "Rule",
    "ScoreDriftRule",
    "ScoreSummary",
    "ScoredText",
    "Sink",
    "Summary",
    "SupportRateRule",
    "TruncationRateRule",
    "UnreadRateRule",
    "WatchSettings",
    "WindowSink",
    "alert_rules",
    "read_events",
    "sinks",
    "summarize",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
