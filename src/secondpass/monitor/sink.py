"""Where events go: a function of an event, such as an object of one of the classes here."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from secondpass.config import Configured, settings_of
from secondpass.errors import ConfigError, SecondPassWarning, warn
from secondpass.forking import reset_after_fork
from secondpass.monitor.event import Event
from secondpass.registry import Registry
from secondpass.validation import must_be

__all__ = ["Sink", "SinkLike", "Sinks", "as_sink", "sinks"]

_log = logging.getLogger(__name__)

sinks = Registry(
    "secondpass.sinks",
    {
        "alerts": "secondpass.monitor.alerts:AlertSink",
        "jsonl": "secondpass.monitor.jsonl:JSONLinesSink",
        "logging": "secondpass.monitor.log:LoggingSink",
        "otel": "secondpass.monitor.otel:OpenTelemetrySink",
        "prometheus": "secondpass.monitor.prometheus:PrometheusSink",
        "window": "secondpass.monitor.window:WindowSink",
    },
)
"""The sinks by name: ours, and others from entry points of other packages or ``sinks.register``."""


class Sink(Configured, ABC):
    """Takes events, one at a time, in whatever thread the call was made.

    A sink may be shared between threads, and may be pickled: the copy has the same settings, and none of the events.
    A subclass writes ``__call__``, sets ``registry_name`` and keeps each parameter of its constructor in an attribute
    of the same name, from which its configuration and pickling follow: see `secondpass.config`.
    """

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Take an event. What it raises is warned of once, and does not reach the call."""

    def close(self) -> None:  # most sinks hold nothing open
        """Let go of files and connections; they are opened again with the next event."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), settings_of(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


SinkLike = Callable[[Event], object] | str | Mapping[str, Any]
"""A function of an event, such as a `Sink`; its name (``"logging"``); or its configuration."""


def as_sink(sink: SinkLike) -> Callable[[Event], object]:
    """Return a sink, given one, its name or its configuration (``{"type": "jsonl", "path": ...}``).

    Raises:
        ConfigError: it is not one of these, or a setting is unknown or out of range.
        MissingExtraError: it needs a package that is not installed.
    """
    if callable(sink):
        return sink
    config = {"type": sink} if isinstance(sink, str) else sink
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        takes = 'a function of an event, a Sink, a name ("logging"), or a mapping with a name under "type"'
        raise ConfigError(must_be("a sink", takes, sink))
    try:
        found = sinks.get(config["type"])
    except LookupError as exc:
        raise ConfigError(str(exc)) from exc
    if not (isinstance(found, type) and issubclass(found, Sink)):
        raise ConfigError(f"the name {config['type']!r} is registered as {found!r}, which is not a Sink")
    return found.from_config(config)


class Sinks:
    """Several sinks as one, which nothing that they do can break.

    Args:
        given: what `as_sink` takes, in the order in which they get an event.
        owner: the class that they were given to, for errors.

    Attributes:
        each: the sinks.
        failures: how often each of them failed, by position.
    """

    def __init__(self, given: Sequence[SinkLike], owner: str) -> None:
        if isinstance(given, str | bytes | Mapping) or not isinstance(given, Sequence):
            raise ConfigError(must_be(f"{owner}: sinks", 'a list of sinks, such as ["logging"]', given))
        self.each = [as_sink(sink) for sink in given]
        self.owner, self.failures = owner, dict[int, int]()
        self._renew_lock()
        reset_after_fork(self, Sinks._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def emit(self, event: Event) -> None:
        """Hand an event to each sink."""
        for at, sink in enumerate(self.each):
            try:
                sink(event)
            except Exception as exc:  # a sink may be anyone's, and fail in any way
                self.failed(at, f"the sink {sink!r} failed, and did not take an event", exc)

    def failed(self, at: int, what: str, exc: Exception) -> None:
        """Count a failure, and warn of the first at each position; -1 stands for what comes before the sinks."""
        with self._lock:
            self.failures[at] = self.failures.get(at, 0) + 1
            is_first = self.failures[at] == 1
        _log.debug("%s", what, exc_info=exc)
        if is_first:
            said = f"{what}; further failures are counted, but not reported: {exc!r}"
            try:
                warn(said, SecondPassWarning)
            except SecondPassWarning:  # where warnings are errors: not even then does monitoring break a call
                _log.warning("%s", said)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sinks, (self.each, self.owner)


def _rebuilt(cls: type[Sink], settings: dict[str, Any]) -> Sink:
    return cls(**settings)
