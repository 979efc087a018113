"""Spans and metrics of OpenTelemetry, with the attributes that OpenInference names."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from secondpass.errors import MissingExtraError
from secondpass.monitor.event import Event, ScoredText
from secondpass.monitor.sink import Sink
from secondpass.types import Scale
from secondpass.validation import Flag, check

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["OpenTelemetrySink"]

_SCOPE = "secondpass"
_KINDS = {"rerank": "RERANKER", "verify": "EVALUATOR", "classify": "CHAIN"}
_COUNTERS = ("tokens", "truncated", "cache_hits", "cache_misses", "fallbacks", "escalated")


class OpenTelemetrySink(Sink):
    """Makes a span of each event, and counts it in metrics.

    A span begins and ends when the call did, and is a child of the span that the call was made in. It has what
    OpenInference names for a reranker: ``openinference.span.kind``, ``reranker.model_name``, ``reranker.top_k``, and,
    if texts were asked for, ``reranker.query`` and the documents that came in and went out. What has no name there
    begins with ``secondpass.``: fingerprint, counts, seconds of the stages, the summary of the scores.

    The metrics are ``secondpass.duration`` (a histogram, s), ``secondpass.candidates`` and ``secondpass.top_score``
    (histograms), and counters such as ``secondpass.tokens``; each with the attributes ``kind``, ``name`` and, of calls
    that failed, ``error``.

    Exporters are the application's: without providers, those that it has set for the process are used.

    Args:
        tracer_provider: makes the spans.
        meter_provider: makes the metrics.
        spans: whether there are spans.
        metrics: whether there are metrics.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    registry_name: ClassVar[str] = "otel"

    def __init__(
        self,
        *,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
        spans: bool = True,
        metrics: bool = True,
    ) -> None:
        try:
            from opentelemetry import metrics as otel_metrics
            from opentelemetry import trace as otel_trace
        except ImportError as exc:
            raise MissingExtraError.of("otel", "OpenTelemetrySink") from exc
        self.tracer_provider, self.meter_provider = tracer_provider, meter_provider
        self.spans, self.metrics = spans, metrics
        check(self, spans=Flag(), metrics=Flag())
        self._error = otel_trace.StatusCode.ERROR
        self._tracer = otel_trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = otel_metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._duration = meter.create_histogram("secondpass.duration", "s", "How long calls took.")
        self._candidates = meter.create_histogram("secondpass.candidates", "1", "Candidates of a call.")
        self._top_score = meter.create_histogram("secondpass.top_score", "1", "The best score of a call.")
        self._counters = {
            name: meter.create_counter(f"secondpass.{name}", "1", f"What calls counted under {name}.")
            for name in _COUNTERS
        }

    def __call__(self, event: Event) -> None:
        """Make the span, and count."""
        if self.spans:
            began_ns = int(event.time_s * 1e9)
            span = self._tracer.start_span(
                f"{event.kind} {event.name}", start_time=began_ns, attributes=dict(_attributes(event))
            )
            if event.failed:
                span.set_status(self._error, event.error)
            span.end(began_ns + int(event.latency_s * 1e9))
        if self.metrics:
            self._count(event)

    def _count(self, event: Event) -> None:
        labels = {"kind": event.kind, "name": event.name} | ({"error": event.error} if event.failed else {})
        self._duration.record(event.latency_s, labels)
        self._candidates.record(event.candidates, labels)
        if event.scores is not None and event.scale is not Scale.ORDINAL:
            self._top_score.record(event.scores.top, labels)
        for name, counter in self._counters.items():
            if count := event.counts.get(name, 0):
                counter.add(count, labels)


def _attributes(event: Event) -> Iterator[tuple[str, Any]]:
    yield "openinference.span.kind", _KINDS[event.kind]
    yield "secondpass.fingerprint", event.fingerprint
    yield "secondpass.query_hash", event.query_hash
    yield "secondpass.candidates", event.candidates
    yield "secondpass.batch", event.batch
    yield "secondpass.scale", str(event.scale)
    if event.passed is not None:
        yield "secondpass.passed", event.passed
    for name, count in event.counts.items():
        yield f"secondpass.counts.{name}", count
    for path, latency_s in event.stages.items():
        yield f"secondpass.stages.{path}", latency_s
    if event.scores is not None:
        for name in ("n", "top", "second", "lowest", "mean", "median", "std"):
            yield f"secondpass.scores.{name}", getattr(event.scores, name)
    if event.query is not None:
        yield "input.value", event.query
    if event.kind == "rerank":
        yield from _reranker_attributes(event)


def _reranker_attributes(event: Event) -> Iterator[tuple[str, Any]]:
    yield "reranker.model_name", event.name
    if event.k is not None:
        yield "reranker.top_k", event.k
    if event.query is not None:
        yield "reranker.query", event.query
    for at, text in enumerate(sorted(event.texts, key=lambda text: text.index)):
        yield from _document("reranker.input_documents", at, text)
    for at, text in enumerate(event.texts[: event.k]):
        yield from _document("reranker.output_documents", at, text)
        yield f"reranker.output_documents.{at}.document.score", text.score


def _document(prefix: str, at: int, text: ScoredText) -> Iterator[tuple[str, Any]]:
    yield f"{prefix}.{at}.document.content", text.text
    if text.id is not None:
        yield f"{prefix}.{at}.document.id", str(text.id)
