"""The window of events in memory: summaries against numpy, what is kept, and the files that it writes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from secondpass.monitor import WindowSink, summarize
from secondpass.types import Scale
from tests.monitor.events import event


def test_a_summary_by_hand() -> None:
    """Rates have the denominators that they say."""
    window = WindowSink()
    latencies = np.random.default_rng(1).uniform(0.001, 0.1, 200)
    for at, latency_s in enumerate(latencies):
        window(event([0.8 if at % 4 else 0.2, 0.1], latency_s=float(latency_s), counts={"tokens": 100}))
    window(event(scores=None, error="ScoringError", latency_s=5.0, candidates=10))
    window(event(latency_s=5.0, candidates=8, counts={"truncated": 2, "cache_hits": 3, "cache_misses": 1}))
    window(event([7.0], latency_s=5.0, scale=Scale.ORDINAL, counts={"fallbacks": 1, "escalated": 2}, passed=False))
    summary = window.summary()
    everything = [*latencies, 5.0, 5.0, 5.0]
    assert summary.count == 203 and summary.error_rate == 1 / 203
    assert summary.mean_latency_s == pytest.approx(np.mean(everything))
    assert summary.median_latency_s == pytest.approx(np.median(everything))
    assert summary.p95_latency_s == pytest.approx(np.percentile(everything, 95))
    assert summary.p99_latency_s == pytest.approx(np.percentile(everything, 99))
    assert summary.mean_top_score == pytest.approx((150 * 0.8 + 50 * 0.2 + 0.9) / 201)
    assert summary.low_confidence_rate == 50 / 201
    assert summary.mean_candidates == (400 + 10 + 8 + 1) / 203
    assert summary.mean_tokens == 200 * 100 / 203
    assert summary.truncation_rate == 2 / 419 and summary.cache_hit_rate == 0.75
    assert summary.fallback_rate == summary.escalation_rate == 1 / 203 and summary.passed_rate == 0.0
    assert len(window.top_scores()) == 201


def test_of_nothing_nothing_is_said() -> None:
    """None, and not a number that looks like one."""
    summary = summarize([])
    assert summary.count == 0 and {value for name, value in summary.to_dict().items() if name != "count"} == {None}


def test_old_events_and_too_many_are_let_go_of() -> None:
    """By number when one comes, by age when they are read."""
    window = WindowSink(max_events=3, max_age_s=60, clock=lambda: 1_100.0)
    for time_s in (1_000.0, 1_030.0, 1_041.0, 1_050.0):
        window(event(time_s=time_s))
    assert [each.time_s for each in window.events()] == [1_041.0, 1_050.0] and len(window) == 3
    window.clear()
    assert window.events() == []


def test_confidence_is_a_setting() -> None:
    """On the scale of the scores."""
    window = WindowSink(low_confidence=0.95)
    window(event([0.9]))
    assert window.summary().low_confidence_rate == 1.0


def test_files_of_events(tmp_path: Path) -> None:
    """CSV has a column for each count and stage; neither has texts that were not asked for."""
    window = WindowSink()
    window(event(counts={"tokens": 7}, stages={"Fake": 0.01}))
    window(event(scores=None, error="ScoringError", query="secret", error_message="secret"))
    window.to_json(tmp_path / "events.json")
    data = json.loads((tmp_path / "events.json").read_text())
    assert data["summary"]["count"] == 2 and data["events"][0]["counts"] == {"tokens": 7}
    window.to_csv(tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first["counts.tokens"] == "7" and first["stages.Fake"] == "0.01" and first["scores.top"] == "0.9"
    assert second["counts.tokens"] == "" and second["error"] == "ScoringError"
    assert "secret" not in (tmp_path / "events.csv").read_text()
