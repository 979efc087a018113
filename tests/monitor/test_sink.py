"""Sinks: how they are given, what the errors say, and that none of them can break a call."""

import logging
import pickle
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from secondpass.errors import ConfigError, SecondPassWarning
from secondpass.monitor import Event, LoggingSink, WindowSink, sinks
from secondpass.monitor.sink import Sinks, as_sink
from tests.monitor.events import event


def test_a_sink_is_given_as_itself_its_name_its_configuration_or_a_function() -> None:
    """All ways lead to one of the same settings."""
    sink = LoggingSink(level="debug")
    assert as_sink(sink) is sink
    assert isinstance(as_sink("logging"), LoggingSink)
    built = as_sink(sink.to_config())
    assert isinstance(built, LoggingSink) and built.level == "debug"
    assert as_sink(print) is print


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "lgging",
            "no 'lgging' (did you mean 'logging'?); there are: alerts, jsonl, logging, otel, prometheus, window",
        ),
        ({"type": "window", "max_event": 3}, "WindowSink has no setting 'max_event' (did you mean 'max_events'"),
        ({"max_events": 3}, "a sink must be a function of an event, a Sink"),
        (3, "a sink must be a function of an event, a Sink"),
        ({"type": "jsonl"}, "JSONLinesSink: missing a required argument: 'path'"),
    ],
)
def test_what_is_not_a_sink_is_refused(given: Any, said: str) -> None:
    """With what it may be, and what was meant."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        as_sink(given)


def test_sinks_are_a_list() -> None:
    """One by itself is a slip that is named."""
    with pytest.raises(ConfigError, match="Owner: sinks must be a list of sinks"):
        Sinks("logging", "Owner")


def test_what_is_registered_must_be_a_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in of another kind is named."""
    monkeypatch.setitem(sinks._registered, "not-a-sink", dict)
    with pytest.raises(ConfigError, match="which is not a Sink"):
        as_sink("not-a-sink")


def failing(error: type[BaseException]) -> Callable[[Event], None]:
    """Return a sink that raises."""

    def sink(_event: Event) -> None:
        raise error("the disk is full")

    return sink


def emit_twice(several: Sinks) -> None:
    """Emit the same event two times."""
    several.emit(event())
    several.emit(event())


def test_a_sink_that_fails_is_warned_of_once_and_the_others_get_the_event() -> None:
    """Every failure is counted."""
    window = WindowSink()
    both = Sinks([failing(OSError), window], "Owner")
    with pytest.warns(SecondPassWarning, match="the disk is full") as caught:
        emit_twice(both)
    assert len(caught) == 1 and len(window) == 2 and both.failures == {0: 2}


def test_not_even_where_warnings_are_errors(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged instead."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        Sinks([failing(OSError)], "Owner").emit(event())
    assert "the disk is full" in caplog.text


def test_an_interrupt_goes_through() -> None:
    """Ctrl-C in a sink is for the program."""
    with pytest.raises(KeyboardInterrupt):
        Sinks([failing(KeyboardInterrupt)], "Owner").emit(event())


def test_sinks_survive_pickling_with_their_settings_and_without_events() -> None:
    """As they do in the worker processes of others."""
    window = WindowSink(max_events=3)
    window(event())
    (restored,) = pickle.loads(pickle.dumps(Sinks([window], "Owner"))).each
    assert restored.max_events == 3 and len(restored) == 0


def test_the_log_has_a_line_and_the_event(caplog: pytest.LogCaptureFixture) -> None:
    """Failures are warnings; what is not enabled is not formatted; no text of the query is there."""
    with caplog.at_level(logging.INFO, logger="secondpass.monitor"):
        LoggingSink(level="debug")(event())
        assert not caplog.records
        LoggingSink()(event(counts={"tokens": 7, "fallbacks": 0}))
        LoggingSink()(event(scores=None, error="ScoringError"))
    first, second = caplog.records
    assert first.getMessage() == ("rerank FakeReranker query=0000000000000000 ms=10.0 candidates=2 top=0.9 tokens=7")
    assert first.levelno == logging.INFO and first.event.counts["tokens"] == 7  # type: ignore[attr-defined]
    assert second.levelno == logging.WARNING and second.getMessage().endswith("error=ScoringError")
