"""OpenTelemetry: the spans and metrics that the SDK's in-memory exporters get."""

import json
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import secondpass as sp
from secondpass.monitor import OpenTelemetrySink, ScoredText
from secondpass.testing import FakeReranker
from secondpass.types import Scale
from tests.monitor.events import event


class Telemetry:
    """Providers in memory, and what they got."""

    def __init__(self, **settings: Any) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meter_provider = MeterProvider([self.reader])
        self.sink = OpenTelemetrySink(
            tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **settings
        )

    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """Return the points of each metric."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        resources = json.loads(data.to_json())["resource_metrics"]
        found = [metric for each in resources for scope in each["scope_metrics"] for metric in scope["metrics"]]
        return {metric["name"]: metric["data"]["data_points"] for metric in found}


def test_a_span_has_what_openinference_names() -> None:
    """Query and documents only if they are in the event; the times are those of the call."""
    telemetry = Telemetry()
    texts = (ScoredText(1, "best", 0.9, 7), ScoredText(0, "other", 0.1))
    telemetry.sink(event(k=1, query="the query", texts=texts, counts={"tokens": 5}, stages={"Fake": 0.01}))
    telemetry.sink(event(kind="verify", passed=True))
    telemetry.sink(event(scores=None, error="ScoringError"))
    first, second, failed = telemetry.spans.get_finished_spans()
    attributes = dict(first.attributes or {})
    assert first.name == "rerank FakeReranker" and first.start_time == 1_000 * 10**9
    assert first.end_time is not None and first.end_time - first.start_time == 10**7
    expected = {
        "openinference.span.kind": "RERANKER",
        "reranker.model_name": "FakeReranker",
        "reranker.top_k": 1,
        "reranker.query": "the query",
        "input.value": "the query",
        "reranker.input_documents.0.document.content": "other",
        "reranker.input_documents.1.document.content": "best",
        "reranker.input_documents.1.document.id": "7",
        "reranker.output_documents.0.document.content": "best",
        "reranker.output_documents.0.document.score": 0.9,
        "secondpass.counts.tokens": 5,
        "secondpass.stages.Fake": 0.01,
        "secondpass.scores.top": 0.9,
    }
    assert attributes.items() >= expected.items() and "reranker.output_documents.1.document.content" not in attributes
    assert (
        dict(second.attributes or {}).items()
        >= {"secondpass.passed": True, "openinference.span.kind": "EVALUATOR"}.items()
    )
    assert not any("query" in name and name != "secondpass.query_hash" for name in second.attributes or {})
    assert failed.status.status_code is StatusCode.ERROR and failed.status.description == "ScoringError"


def test_metrics_count() -> None:
    """Ordinal scores have no best score that means anything; failures have their error."""
    telemetry = Telemetry(spans=False)
    telemetry.sink(event(counts={"tokens": 5}))
    telemetry.sink(event([3.0], counts={"tokens": 7}, scale=Scale.ORDINAL))
    telemetry.sink(event(scores=None, error="ScoringError"))
    metrics = telemetry.metrics()
    assert metrics["secondpass.tokens"][0]["value"] == 12
    assert metrics["secondpass.tokens"][0]["attributes"] == {"kind": "rerank", "name": "FakeReranker"}
    fine, failed = sorted(metrics["secondpass.duration"], key=lambda point: len(point["attributes"]))
    assert (fine["count"], failed["count"], failed["attributes"]["error"]) == (2, 1, "ScoringError")
    assert metrics["secondpass.top_score"][0]["count"] == 1 and metrics["secondpass.top_score"][0]["sum"] == 0.9
    assert telemetry.spans.get_finished_spans() == ()


def test_a_span_is_a_child_of_the_callers_and_without_texts() -> None:
    """As it is made by a MonitoredReranker."""
    telemetry = Telemetry(metrics=False)
    reranker = sp.MonitoredReranker(FakeReranker(), [telemetry.sink])
    with telemetry.tracer_provider.get_tracer("app").start_as_current_span("request"):
        reranker.rerank("a secret query", ["a secret text"])
    ours, callers = telemetry.spans.get_finished_spans()
    assert ours.parent is not None and callers.context is not None and ours.parent.span_id == callers.context.span_id
    assert "secret" not in ours.to_json() and telemetry.metrics() == {}


def test_it_is_plain_data_without_providers() -> None:
    """Those of the process are used then."""
    config = OpenTelemetrySink(spans=False).to_config()
    assert OpenTelemetrySink.from_config(config).to_config() == config
    with pytest.raises(sp.ConfigError, match="tracer_provider"):
        Telemetry().sink.to_config()
