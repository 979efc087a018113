"""What monitoring adds to a call, in microseconds, sink by sink, and as a share of a call of the embedded reranker.

    python benchmarks/monitoring.py
    python benchmarks/monitoring.py --documents 50 --rounds 400 --model

The reranker is a fake that does next to nothing, so that the difference is monitoring and nothing else. All variants
take turns, call by call; figures are differences of medians. Each event is summarized from the scores of all documents.
With ``--model``, the embedded cross-encoder answers the same request, plain and monitored, in turn.

Needs: pip install "secondpass[embedded,otel,prometheus]"
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

import secondpass as sp
from secondpass.base import Reranker
from secondpass.monitor import AlertSink, JSONLinesSink, LoggingSink, OpenTelemetrySink, PrometheusSink, WindowSink
from secondpass.types import Request, Scores, Trace

_RULES = ["latency", "error-rate", "low-confidence", "low-variance", "escalation-rate"]


class Instant(Reranker):
    """Returns scores that it has at hand."""

    registry_name: ClassVar[str] = "instant"
    scale = sp.Scale.PROBABILITY

    def __init__(self, n_documents: int = 50) -> None:
        self.n_documents = n_documents
        self._values = np.random.default_rng(0).uniform(size=n_documents)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        counts = {"pairs": self.n_documents, "pairs_scored": self.n_documents, "tokens": 4_000}
        return [Scores(self._values, trace=Trace(counts=counts)) for _ in requests]


def medians_us(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of each call, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(rounds + 20):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if at >= 20:
                times[name].append(time.perf_counter() - start)
    return {name: 1e6 * statistics.median(values) for name, values in times.items()}


def sinks_by_name(folder: Path) -> dict[str, list[Any]]:
    """Return what is compared: the sinks of each variant."""
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(InMemorySpanExporter(), max_queue_size=100_000))
    meters = MeterProvider([InMemoryMetricReader()])
    rules = [{"type": name} | ({"limit": 1.0} if name == "latency" else {}) for name in _RULES]
    return {
        "no sink": [],
        "window": [WindowSink()],
        "logging (a handler that drops)": [LoggingSink()],
        "jsonl": [JSONLinesSink(folder / "events.jsonl")],
        "alerts (5 rules, 200 events)": [AlertSink(rules)],
        "prometheus": [PrometheusSink(registry=CollectorRegistry())],
        "otel": [OpenTelemetrySink(tracer_provider=tracers, meter_provider=meters)],
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--model", action="store_true", help="measure the share of a call of the embedded reranker")
    options = parser.parse_args()
    log = logging.getLogger("secondpass.monitor")
    log.addHandler(logging.NullHandler())
    log.propagate, log.level = False, logging.INFO
    documents = [f"document {at} says something about copying files" for at in range(options.documents)]
    with tempfile.TemporaryDirectory() as folder:
        plain = Instant(options.documents)
        variants = {"plain": plain} | {
            name: sp.MonitoredReranker(plain, sinks) for name, sinks in sinks_by_name(Path(folder)).items()
        }
        found = medians_us(
            {n: partial(r.rerank, "copy a file", documents) for n, r in variants.items()}, options.rounds
        )
    base = found.pop("plain")
    print(f"{options.documents} documents; a call of the fake takes {base:.0f} us; monitoring adds, in us")
    for name, median in found.items():
        print(f"  {name:32}{median - base:8.0f}")
    if options.model:
        model = sp.CrossEncoderReranker()
        watched = sp.MonitoredReranker(model, ["window"])
        pair = {"plain": model, "watched": watched}
        both = medians_us({n: partial(r.rerank, "copy a file", documents) for n, r in pair.items()}, 20)
        share = (found["window"] - base) / both["plain"]
        ratio = both["watched"] / both["plain"]
        print(f"embedded reranker: {both['plain'] / 1000:.1f} ms a call, monitored {ratio:.3f} times that;")
        print(f"the window's microseconds above are {100 * share:.2f} % of it")


if __name__ == "__main__":
    main()
