"""Events: what is in them, by hand, and that they survive being written."""

import dataclasses
import json

import numpy as np
import pytest

from secondpass.monitor import Event, ScoredText, ScoreSummary
from secondpass.monitor.event import all_counts, stage_latencies
from secondpass.types import Scale, Trace
from tests.monitor.events import event


def test_a_summary_of_scores_by_hand() -> None:
    """Against numpy, for even and odd numbers of scores."""
    for values in ([0.5], [3.0, -1.0], [0.2, 0.9, 0.4], [1.0, 1.0, 4.0, 2.0]):
        summary = ScoreSummary.of(np.array(values))
        assert summary is not None
        assert (summary.n, summary.top, summary.lowest) == (len(values), max(values), min(values))
        assert summary.second == sorted(values)[-2:][0]
        assert summary.mean == pytest.approx(np.mean(values))
        assert summary.median == pytest.approx(np.median(values))
        assert summary.std == pytest.approx(np.std(values))
        assert all(type(value) in (int, float) for value in dataclasses.astuple(summary))
    assert ScoreSummary.of(np.empty(0)) is None


def test_counts_are_summed_and_stages_have_a_path() -> None:
    """Two stages of one name are told apart."""
    member = Trace("Member", 0.2, {"tokens": 5, "pairs": 1}, stages=(Trace("Model", 0.1, {"tokens": 2}),))
    trace = Trace("Ensemble", 0.5, {"pairs": 1}, stages=(member, member))
    assert all_counts(trace) == {"pairs": 3, "tokens": 14}
    assert stage_latencies(trace) == {
        "Ensemble": 0.5,
        "Ensemble/Member": 0.2,
        "Ensemble/Member/Model": 0.1,
        "Ensemble/Member#2": 0.2,
        "Ensemble/Member#2/Model": 0.1,
    }
    assert stage_latencies(Trace()) == {}


def test_an_event_can_be_written_and_read() -> None:
    """Through JSON, with and without texts; fields of a later version are left out."""
    plain = event(counts={"tokens": 7}, stages={"FakeReranker": 0.01}, k=3)
    with_texts = event(query="q", texts=(ScoredText(1, "a", 0.9, "id"), ScoredText(0, "b", 0.1)), error_message=None)
    failed = event(scores=None, error="ScoringError", latency_s=0.5)
    for each in (plain, with_texts, failed):
        data = json.loads(json.dumps(each.to_dict()))
        assert Event.from_dict(data | {"of_a_later_version": 1}) == each
    assert {"query", "texts", "error_message"}.isdisjoint(plain.to_dict())


def test_an_event_is_frozen() -> None:
    """A sink can't change what the next one gets."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        event().name = "other"  # type: ignore[misc]


def test_counts_have_names_of_their_own() -> None:
    """What a trace did not count is 0."""
    counted = event(counts={"tokens": 1, "truncated": 2, "cache_hits": 3, "cache_misses": 4, "fallbacks": 5})
    assert (counted.tokens, counted.truncated, counted.cache_hits, counted.cache_misses) == (1, 2, 3, 4)
    assert (counted.fallbacks, counted.escalated, counted.failed) == (5, 0, False)


def test_confidence_depends_on_the_scale() -> None:
    """A probability of 0.5, a logit of 0, nothing for an order; a verifier's is that of its weakest claim."""
    assert event([0.5, 0.1]).is_confident() is True
    assert event([0.4]).is_confident() is False
    assert event([0.4]).is_confident(0.3) is True
    assert event([-0.1], scale=Scale.LOGIT).is_confident() is False
    assert event([0.1], scale=Scale.LOGIT).is_confident() is True
    assert event([3.0], scale=Scale.ORDINAL).is_confident() is None
    assert event([0.9], scores=None).is_confident() is None
    assert event([0.9, 0.4], kind="verify").is_confident() is False
