"""From a call to its events: what rerankers, verifiers and classifiers share when they are monitored."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from secondpass.monitor.event import Event, Kind, all_counts, stage_latencies
from secondpass.monitor.sink import SinkLike, Sinks
from secondpass.secret import Secret
from secondpass.types import Trace
from secondpass.validation import Flag, Text

__all__ = ["SALT", "Recorder", "of_trace"]

T = TypeVar("T")

Describe = Callable[[int, T | None], dict[str, Any]]

SALT = "SECONDPASS_MONITOR_SALT"
"""The environment variable that keys the hashes of queries, if no ``salt`` is given."""


class Recorder:
    """Times calls, and turns what they return or raise into events.

    Args:
        owner: the class that monitors, for errors.
        kind: what is called.
        name: what the events call it.
        sinks: where the events go.
        texts: whether they have texts.
        salt: keys the hashes; None for that of the environment.

    Raises:
        ConfigError: a setting can't be used.
    """

    def __init__(
        self,
        owner: str,
        kind: Kind,
        name: str,
        sinks: Sequence[SinkLike],
        texts: bool,
        salt: str | Secret | None,
    ) -> None:
        self.kind, self.texts = kind, Flag().checked(texts, f"{owner}: texts")
        self.name = Text().checked(name, f"{owner}: name")
        if not isinstance(salt, Secret):
            (Text() | None).checked(salt, f"{owner}: salt")
        self.salt = Secret(salt, variable=SALT)
        self.sinks = Sinks(sinks, owner)

    def call(self, work: Callable[[], list[T]], asked: Sequence[str], describe: Describe[T]) -> list[T]:
        """Do some work, and emit an event for each request of it.

        Args:
            work: returns a result for each request, or raises.
            asked: the query, answer or text of each request.
            describe: makes the fields of an event that are peculiar to its kind, ``fingerprint`` among them, from a
                request's position and its result, or None if the work failed.

        Returns:
            What ``work`` returned.
        """
        began_s, start = time.time(), time.perf_counter()
        try:
            done = work()
        except BaseException as exc:  # what was cancelled or interrupted has its event as well
            self.report(asked, [None] * len(asked), describe, began_s, time.perf_counter() - start, exc)
            raise
        self.report(asked, done, describe, began_s, time.perf_counter() - start)
        return done

    def report(
        self,
        asked: Sequence[str],
        results: Sequence[T | None],
        describe: Describe[T],
        began_s: float,
        latency_s: float,
        error: BaseException | None = None,
    ) -> None:
        """Emit the events of a call that is over; arguments as for `call`."""
        shared: dict[str, Any] = {"kind": self.kind, "name": self.name, "batch": len(asked)}
        shared |= {"time_s": began_s, "latency_s": latency_s}
        if error is not None:
            shared |= {"error": type(error).__name__, "error_message": str(error) if self.texts else None}
        try:
            events = [
                Event(
                    **shared,
                    **describe(at, result),
                    query_hash=self._hash(text),
                    query=text if self.texts else None,
                )
                for at, (text, result) in enumerate(zip(asked, results, strict=True))
            ]
        except Exception as exc:  # it may be anyone's, and its identity or its trace can't be read
            self.sinks.failed(-1, f"no event could be made of a call of {self.name}", exc)
            return
        for event in events:
            self.sinks.emit(event)

    def _hash(self, text: str) -> str:
        from hashlib import blake2b  # not with the module: only calls need it

        key = (self.salt.reveal() or "").encode()[:64]
        return blake2b(text.encode(errors="replace"), digest_size=8, key=key).hexdigest()


def of_trace(trace: Trace) -> dict[str, Any]:
    """Return the fields of an event that a trace holds."""
    return {"counts": all_counts(trace), "stages": stage_latencies(trace)}
