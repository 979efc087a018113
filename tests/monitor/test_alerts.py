"""Alerts: each planted fault is named by its rule, once, and nothing is said of healthy traffic."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secondpass.errors import ConfigError
from secondpass.logistic import sigmoid
from secondpass.monitor import Alert, AlertSink, JSONLinesSink, Rule, ScoreDriftRule, alert_rules
from secondpass.monitor.alerts import log_alert
from secondpass.monitor.drift import kolmogorov_smirnov, population_stability
from secondpass.monitor.rules import LatencyRule, SupportRateRule, as_rule
from secondpass.types import Scale
from tests.monitor.events import event

_RNG = np.random.default_rng(7)
_REFERENCE = _RNG.beta(8, 3, 1_000).tolist()


def _healthy(**fields: Any) -> Any:
    """Return an event of usual traffic, with what is given in place of the usual."""
    top = float(_RNG.choice(_REFERENCE))
    scores = [top, *(top * _RNG.uniform(0, 0.8, 9)).tolist()]
    return event(scores, **{"latency_s": float(_RNG.uniform(0.01, 0.1))} | fields)


def _verified(supported: int) -> Any:
    counts = {"claims": 10, "not_checkable": 2, "supported": supported}
    return event([0.9, 0.8], kind="verify", counts=counts)


_RULES: list[dict[str, Any]] = [
    {"type": "latency", "limit": 0.5},
    {"type": "latency", "limit": 0.2, "stage": "Ensemble/Slow"},
    {"type": "error-rate"},
    {"type": "low-confidence"},
    {"type": "low-variance"},
    {"type": "memory"},
    {"type": "escalation-rate"},
    {"type": "support-rate"},
    {"type": "truncation-rate"},
    {"type": "unread-rate"},
    {"type": "score-drift", "reference": _REFERENCE},
    {"type": "score-drift", "reference": _REFERENCE, "statistic": "ks"},
]
_FAULTS: dict[str, Any] = {
    "latency": lambda: _healthy(latency_s=0.9),
    "latency of Ensemble/Slow": lambda: _healthy(stages={"Ensemble": 0.4, "Ensemble/Slow": 0.4}),
    "error-rate": lambda: event(scores=None, error="ScoringError"),
    "escalation-rate": lambda: _healthy(counts={"escalated": 1}),
    "support-rate": lambda: _verified(3),
    "truncation-rate": lambda: _healthy(counts={"truncated": 4}),
    "unread-rate": lambda: _healthy(counts={"unread": 10}),
}


def _fired(make: Any, n: int = 400) -> set[str]:
    alerts: list[Alert] = []
    sink = AlertSink(_RULES, notify=alerts.append)
    for _ in range(600):
        sink(_healthy())
    assert alerts == [], "healthy traffic"
    for _ in range(n):
        sink(make())
    return {alert.rule for alert in alerts if alert.state == "firing"}


@pytest.mark.parametrize("name", _FAULTS)
def test_a_planted_fault_is_named_and_nothing_else(name: str) -> None:
    """By the rule for it; of verified answers and of failures the scores are others as well."""
    assert _fired(_FAULTS[name]) - {"score-drift"} == {name}


def test_faults_of_scores_are_named() -> None:
    """A sigmoid too many, drifted traffic, and a model that tells nothing apart."""
    twice = lambda: event(sigmoid(np.array([each := _healthy().scores.top, *[each / 2] * 5])).tolist())  # noqa: E731
    assert "score-drift" in _fired(twice)
    assert "score-drift" in _fired(lambda: event([float(_RNG.beta(3, 8)), 0.1, 0.0]))
    flat = _fired(lambda: event([0.401, 0.4, 0.4]))
    assert flat >= {"low-variance", "low-confidence"}


def test_a_rule_fires_once_and_is_over_once() -> None:
    """A measure that hovers about the limit neither fires again nor ends it."""
    alerts: list[Alert] = []
    sink = AlertSink([LatencyRule(0.1, window=4, min_events=2, patience=2)], notify=alerts.append, check_every=1)

    def seen(latency_s: float, n: int) -> list[str]:
        alerts.clear()
        for _ in range(n):
            sink(event(latency_s=latency_s))
        return [alert.state for alert in alerts]

    assert seen(0.2, 1) == [] and seen(0.2, 1) == []  # one event is too few, and once is not twice
    assert seen(0.2, 9) == ["firing"] and len(sink.firing()) == 1
    assert seen(0.09, 9) == [] and seen(0.11, 9) == []  # not yet a fifth below it
    assert seen(0.07, 9) == ["resolved"] and sink.firing() == []
    assert seen(0.11, 9) == ["firing"]


@pytest.mark.parametrize("limit", [0.5, 0.7, 0.9, 0.99, 1.0])
def test_an_alert_of_few_supported_claims_can_be_over(limit: float) -> None:
    """However near the limit is to all claims, beyond which there is nothing to come back to."""
    alerts: list[Alert] = []
    rule = SupportRateRule(limit, window=4, min_events=1)
    sink = AlertSink([rule], notify=alerts.append, check_every=1)
    for supported in [0] * 6 + [8] * 8:
        sink(_verified(supported))
    assert [alert.state for alert in alerts] == ["firing", "resolved"]
    assert rule.is_clear(limit) == (limit == 1.0)


def test_an_alert_says_it_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """Logged by default: as a warning when it begins."""
    sink = AlertSink([{"type": "latency", "limit": 0.05, "min_events": 2}], check_every=1)
    with caplog.at_level(logging.INFO, logger="secondpass.monitor.alerts"):
        for _ in range(5):
            sink(event(latency_s=0.25))
        for _ in range(300):
            sink(event(latency_s=0.01))
    first, last = caplog.records
    assert first.getMessage() == "latency: 0.25 s over the last 3 calls of FakeReranker, above the limit of 0.05 s"
    assert (first.levelno, last.levelno) == (logging.WARNING, logging.INFO)
    assert last.alert.to_dict()["state"] == "resolved"  # type: ignore[attr-defined]


def test_one_notification_that_fails_does_not_keep_the_others() -> None:
    """And the error is the sink's, of which there is a warning."""
    told: list[str] = []

    def notify(alert: Alert) -> None:
        told.append(alert.rule)
        raise OSError("no network")

    rules_ = [{"type": "latency", "limit": 0.0, "patience": 1}, {"type": "low-confidence", "limit": 0.0, "patience": 1}]
    sink = AlertSink(rules_, notify=notify, check_every=20)
    for _ in range(19):
        sink(event([0.1]))
    with pytest.raises(OSError, match="no network"):
        sink(event([0.1]))
    assert told == ["latency", "low-confidence"]


def test_measures_by_hand() -> None:
    """None where nothing can be said."""
    assert SupportRateRule(min_events=1).measure([_verified(4), _verified(2), event()]) == 6 / 16
    assert SupportRateRule().measure([event()]) is None
    assert LatencyRule(1, stage="a").measure([event()]) is None
    variance = as_rule({"type": "low-variance"})
    assert variance.measure([event([1.0, 2.0, 3.0]), event([1.0, 1.0, 1.0]), event([0.0, 9.0])]) == pytest.approx(
        np.sqrt(2 / 3) / 2
    )
    assert variance.measure([event([1.0, 2.0, 3.0], scale=Scale.ORDINAL)]) is None


def test_drift_by_hand_and_against_scipy() -> None:
    """PSI is that of its bins; KS is scipy's; the same distribution has next to none."""
    reference, moved = _RNG.normal(size=500), _RNG.normal(0.7, 1, size=200)
    stats = pytest.importorskip("scipy.stats")
    assert kolmogorov_smirnov(reference, moved) == pytest.approx(stats.ks_2samp(reference, moved).statistic)
    assert population_stability(reference, reference) == pytest.approx(0.0)
    assert population_stability(reference, _RNG.normal(size=200)) < 0.2 < population_stability(reference, moved)
    constant = np.full(100, 0.3)
    assert population_stability(constant, constant) == pytest.approx(0.0)
    for other in (0.2, 0.4):
        assert population_stability(constant, np.full(100, other)) > 5
    # Edges at 0 and just below it: an empty bin, one with all of the reference, an empty one above.
    expected, found = np.array([0.5, 2.5, 0.5]) / 3.5, np.array([1.5, 1.5, 0.5]) / 3.5
    by_hand = ((found - expected) * np.log(found / expected)).sum()
    assert population_stability(np.zeros(2), np.array([-1.0, 0.0])) == pytest.approx(by_hand)


def test_a_reference_may_be_a_file(tmp_path: Path) -> None:
    """Of events; one with too few is named."""
    sink = JSONLinesSink(tmp_path / "week.jsonl")
    for _ in range(60):
        sink(_healthy())
    sink.close()
    rule = ScoreDriftRule(tmp_path / "week.jsonl")
    assert rule.measure([_healthy() for _ in range(200)]) < 0.6  # type: ignore[operator]
    assert ScoreDriftRule.from_config(rule.to_config()).to_config() == rule.to_config()
    for reference in ([0.5] * 49, 3, [float("nan")] * 50):
        with pytest.raises(ConfigError, match="ScoreDriftRule: "):
            ScoreDriftRule(reference)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "AlertSink: rules must be a list of at least one rule"),
        ([3], "a rule must be a Rule, or a mapping"),
        ([{"type": "latncy"}], r"no 'latncy' \(did you mean 'latency'\?\); there are: error-rate"),
        ([{"type": "latency", "limit": 1, "windw": 3}], "windw"),
        ([{"type": "latency", "limit": 1, "clear": 2}], "LatencyRule: clear must be at most the limit, 1, not 2"),
        ([{"type": "support-rate", "clear": 0.1}], "SupportRateRule: clear must be at least the limit, 0.7, not 0.1"),
        ([{"type": "error-rate", "limit": 2}], "ErrorRateRule: limit must be a number between 0 and 1"),
        ([{"type": "error-rate", "window": 5, "min_events": 6}], "min_events must be at most the window, 5, not 6"),
    ],
)
def test_what_does_not_fit_is_refused(given: Any, said: str) -> None:
    """When it is built."""
    with pytest.raises(ConfigError, match=said):
        AlertSink(given)


def test_every_rule_is_plain_data() -> None:
    """By the name under which it is registered."""
    sink = AlertSink(_RULES)
    assert {rule["type"] for rule in sink.to_config()["rules"]} == set(alert_rules.names())
    assert AlertSink.from_config(sink.to_config()).to_config() == sink.to_config()
    assert all(isinstance(rule, Rule) for rule in sink.rules) and sink.notify is log_alert
