"""Metrics that Prometheus reads."""

from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from secondpass.errors import MissingExtraError
from secondpass.forking import reset_after_fork
from secondpass.monitor.event import Event
from secondpass.monitor.sink import Sink
from secondpass.types import Scale

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["PrometheusSink"]

_COUNTERS = {
    "tokens": "Tokens of the pairs that were asked for.",
    "truncated": "Documents of which a model saw only the beginning.",
    "cache_hits": "Documents whose scores came from a cache.",
    "cache_misses": "Documents whose scores were not in the cache.",
    "fallbacks": "Failures for which something else answered.",
    "escalated": "Documents or claims that a stronger judge was asked about.",
}
_VERDICTS = ("supported", "contradicted", "not_enough_info", "not_checkable", "error")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class PrometheusSink(Sink):
    """Counts events in metrics of ``prometheus_client``.

    - ``secondpass_calls_total``, with the label ``error``, which is empty if there was none;
    - ``secondpass_latency_seconds``, a histogram, and ``secondpass_stage_seconds_total`` with the label ``stage``;
    - ``secondpass_candidates_total`` and, likewise, tokens, truncated, cache_hits, cache_misses, fallbacks, escalated;
    - ``secondpass_top_score``, sum and count, of scores that are not ordinal;
    - ``secondpass_claims_total``, with the label ``verdict``, and ``secondpass_answers_total``, with ``passed``.

    All have the labels ``kind`` and ``name``. Sinks that share a registry share the metrics.

    Args:
        registry: where the metrics are; by default that of the process, which ``prometheus_client`` exposes.

    Raises:
        MissingExtraError: ``prometheus-client`` is not installed.
    """

    registry_name: ClassVar[str] = "prometheus"

    def __init__(self, *, registry: "CollectorRegistry | None" = None) -> None:
        try:
            import prometheus_client
        except ImportError as exc:
            raise MissingExtraError.of("prometheus", "PrometheusSink") from exc
        self.registry = registry
        self._registry = prometheus_client.REGISTRY if registry is None else registry
        self._metrics = _shared.of(self._registry)

    def __call__(self, event: Event) -> None:
        """Count the event."""
        self._metrics.count(event)

    def text(self) -> str:
        """Return all metrics of the registry in the text format that Prometheus reads."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry).decode()


class _Metrics:
    """The metrics in a registry."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram, Summary

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"secondpass_{name}", what, ("kind", "name", *labels), registry=registry)

        labels = ("kind", "name")
        self._calls = counter("calls", "Calls, by the error that ended them.", "error")
        self._latency = Histogram(
            "secondpass_latency_seconds", "How long calls took.", labels, buckets=_SECONDS, registry=registry
        )
        self._stages = counter("stage_seconds", "Seconds spent in each stage.", "stage")
        self._candidates = counter("candidates", "Candidates.")
        self._top_score = Summary("secondpass_top_score", "The best score of a call.", labels, registry=registry)
        self._counters = {name: counter(name, what) for name, what in _COUNTERS.items()}
        self._claims = counter("claims", "Claims, by their verdicts.", "verdict")
        self._answers = counter("answers", "Verified answers, by whether they passed.", "passed")

    def count(self, event: Event) -> None:
        labels = (event.kind, event.name)
        self._calls.labels(*labels, event.error).inc()
        self._latency.labels(*labels).observe(event.latency_s)
        self._candidates.labels(*labels).inc(event.candidates)
        for path, latency_s in event.stages.items():
            self._stages.labels(*labels, path).inc(latency_s)
        if event.scores is not None and event.scale is not Scale.ORDINAL:
            self._top_score.labels(*labels).observe(event.scores.top)
        for name, counter in self._counters.items():
            counter.labels(*labels).inc(event.counts.get(name, 0))
        if event.kind != "verify":
            return
        for verdict in _VERDICTS:
            self._claims.labels(*labels, verdict).inc(event.counts.get(verdict, 0))
        if event.passed is not None:
            self._answers.labels(*labels, str(event.passed).lower()).inc()


class _Shared:
    """The metrics of each registry, which takes a name only once."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, _Metrics] = WeakKeyDictionary()
        self._renew_lock()
        reset_after_fork(self, _Shared._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    def of(self, registry: Any) -> _Metrics:
        with self._lock:
            if registry not in self._known:
                self._known[registry] = _Metrics(registry)
            return self._known[registry]


_shared = _Shared()
