"""Prometheus: the numbers that it reads, as its own parser understands them."""

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

import secondpass as sp
from secondpass.monitor import PrometheusSink
from secondpass.testing import FakeReranker
from secondpass.types import Scale
from tests.monitor.events import event


def _samples(sink: PrometheusSink) -> dict[tuple[str, ...], float]:
    """Return each number by the name and the labels' values, but for buckets."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(sink.text())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def test_the_numbers_by_hand() -> None:
    """Calls, seconds, counts, verdicts; ordinal scores have no best score that means anything."""
    sink = PrometheusSink(registry=CollectorRegistry())
    sink(event(counts={"tokens": 5, "cache_hits": 1}, stages={"Fake": 0.25}, latency_s=0.5))
    sink(event([3.0], counts={"tokens": 7}, stages={"Fake": 0.5}, latency_s=0.5, scale=Scale.ORDINAL))
    sink(event(scores=None, error="ScoringError"))
    sink(event(kind="verify", name="FactVerifier", counts={"claims": 3, "supported": 2}, passed=False))
    samples = _samples(sink)
    assert samples["secondpass_calls_total", "", "rerank", "FakeReranker"] == 2
    assert samples["secondpass_calls_total", "ScoringError", "rerank", "FakeReranker"] == 1
    assert samples["secondpass_latency_seconds_count", "rerank", "FakeReranker"] == 3
    assert samples["secondpass_latency_seconds_sum", "rerank", "FakeReranker"] == 1.01
    assert samples["secondpass_stage_seconds_total", "rerank", "FakeReranker", "Fake"] == 0.75
    assert samples["secondpass_tokens_total", "rerank", "FakeReranker"] == 12
    assert samples["secondpass_cache_hits_total", "rerank", "FakeReranker"] == 1
    assert samples["secondpass_candidates_total", "rerank", "FakeReranker"] == 5
    assert samples["secondpass_top_score_count", "rerank", "FakeReranker"] == 1
    assert samples["secondpass_claims_total", "verify", "FactVerifier", "supported"] == 2
    assert samples["secondpass_answers_total", "verify", "FactVerifier", "false"] == 1


def test_sinks_share_the_metrics_of_a_registry() -> None:
    """A registry takes each name once, and two rerankers are two names."""
    registry = CollectorRegistry()
    first, second = PrometheusSink(registry=registry), PrometheusSink(registry=registry)
    for sink, name in ((first, "a"), (second, "b")):
        sp.MonitoredReranker(FakeReranker(), [sink], name=name).rerank("q", ["d"])
    samples = _samples(first)
    assert (
        samples["secondpass_calls_total", "", "rerank", "a"]
        == samples["secondpass_calls_total", "", "rerank", "b"]
        == 1
    )
    assert _samples(second) == samples


def test_it_is_plain_data() -> None:
    """On the registry of the process."""
    assert PrometheusSink.from_config({"type": "prometheus"}).to_config() == {"type": "prometheus", "registry": None}
