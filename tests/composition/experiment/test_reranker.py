"""The reranker with arms: contract, who answers, what is told of it, and what does not fit."""

import asyncio
import json
import re
from typing import Any

import pytest

import secondpass as sp
from secondpass.composition import experiment_unit
from secondpass.monitor import WindowSink
from secondpass.testing import FakeReranker, RerankerContract

_QUERY, _TEXTS = "copy a file", ["copy a file", "", "a file", "move"]


class TestSplit(RerankerContract):
    tolerance = 0.0

    def make(self) -> sp.ABTestReranker:
        return sp.ABTestReranker(
            {"control": FakeReranker(), "treatment": {"type": "fake"}}, {"control": 40, "treatment": 60}
        )


class TestInterleaving(RerankerContract):
    tolerance = 0.0

    def make(self) -> sp.ABTestReranker:
        return sp.ABTestReranker({"control": "fake", "treatment": FakeReranker(scale="logit")}, mode="interleave")


class TestShadow(RerankerContract):
    tolerance = 0.0

    def make(self) -> sp.ABTestReranker:
        return sp.ABTestReranker({"control": FakeReranker(), "treatment": FakeReranker()}, mode="shadow")


def _split(**settings: Any) -> sp.ABTestReranker:
    return sp.ABTestReranker({"control": FakeReranker(), "treatment": FakeReranker(pointwise=False)}, **settings)


def test_the_unit_decides_who_answers() -> None:
    """Of threads and tasks; without a unit, each query is one of its own; explanation and trace name the arm."""
    test = _split()
    for unit in ("user 1", "user 2", "user 3", "user 4"):
        with experiment_unit(unit):
            rankings = [test.rerank(_QUERY, _TEXTS), asyncio.run(test.arerank("another query", _TEXTS))]
        for ranking in rankings:
            arms = {document.explanation.get("arm") for document in ranking if not document.explanation.get("blank")}
            assert arms == {test.arm_of(unit)} and ranking.trace.counts[f"arm.{test.arm_of(unit)}"] == 1
    queries = [f"query {at}" for at in range(20)]
    several = test.rerank_many([(query, ["a", "b"]) for query in queries])
    assert [ranking[0].explanation["arm"] for ranking in several] == [test.arm_of(query) for query in queries]


def test_seconds_and_failures_are_counted_for_each_arm() -> None:
    """A treatment that fails raises, as it would alone, and is counted."""

    class Broken(FakeReranker):
        def _score(self, requests: Any) -> Any:
            raise sp.ScoringError("no")

    test = sp.ABTestReranker({"control": FakeReranker(), "treatment": Broken()})
    failures = 0
    for at in range(40):
        try:
            test.rerank(f"query {at}", ["a"])
        except sp.ScoringError:
            failures += 1
    control, treatment = test.report("failed").arms
    assert (control.units, control.mean) == (40 - failures, 0.0)
    assert (treatment.units, treatment.mean) == (failures, 1.0) and 5 < failures < 35
    assert [arm.units for arm in test.report("latency_s").arms] == [40 - failures, 0]


def test_a_rollback_is_one_setting() -> None:
    """Everybody gets the control, in each mode."""
    for mode in ("split", "shadow", "interleave"):
        test = _split(mode=mode, rollback=True)
        assert {test.arm_of(f"user {at}") for at in range(50)} == {"control"}
        assert test.rerank(_QUERY, _TEXTS).trace.counts["arm.control"] == 1


def test_events_name_the_arm() -> None:
    """So whatever is monitored can be told apart by arm."""
    window = WindowSink()
    test = _split()
    sp.MonitoredReranker(test, [window]).rerank(_QUERY, _TEXTS)
    (event,) = window.events()
    assert event.counts[f"arm.{test.arm_of(_QUERY)}"] == 1


def test_traits_and_identity() -> None:
    """A split depends on who asks, so no cache goes around it; the shadow changes nothing."""
    fake = FakeReranker()
    with pytest.raises(sp.CompositionError, match="CachedReranker needs scores that don't depend"):
        sp.CachedReranker(_split())
    beside = sp.ABTestReranker({"control": fake, "treatment": FakeReranker(scale="logit")}, mode="shadow")
    assert beside.fingerprint == fake.fingerprint and beside.scale is fake.scale
    assert _split().fingerprint != _split(weights={"control": 90, "treatment": 10}).fingerprint
    assert _split().fingerprint == _split(max_waiting=5).fingerprint


def test_it_is_plain_data() -> None:
    """Weights that are the default are written as well, so that a later default changes nothing."""
    config = _split(name="new model").to_config()
    assert config["weights"] == {"control": 50.0, "treatment": 50.0} and config["name"] == "new model"
    restored = sp.from_config(config)
    assert isinstance(restored, sp.ABTestReranker) and restored.arm_of("u") == _split(name="new model").arm_of("u")
    assert _split(mode="shadow").weights == {"control": 0.0, "treatment": 100.0}


def test_a_file_may_sort_the_names() -> None:
    """As YAML and JSON writers do: the control is still the same, and each unit has the same arm as before."""
    arms = {"old": "fake", "new": "fake", "another": "fake"}
    test = sp.ABTestReranker(arms, {"old": 60, "new": 30, "another": 10}, mode="split")
    restored = sp.from_config(json.loads(json.dumps(test.to_config(), sort_keys=True)))
    other = sp.ABTestReranker(dict(sorted(arms.items())), test.weights, control="old")
    units = [f"unit {at}" for at in range(200)]
    assert isinstance(restored, sp.ABTestReranker) and next(iter(restored.arms)) == restored.control == "old"
    for each in (restored, other):
        assert [each.arm_of(unit) for unit in units] == [test.arm_of(unit) for unit in units]
        assert each.fingerprint == test.fingerprint
    assert sp.ABTestReranker(arms, test.weights, control="new").fingerprint != test.fingerprint


@pytest.mark.parametrize(
    ("arms", "settings", "said"),
    [
        ({"a": "fake", "b": "fake"}, {"control": "c"}, "control must be 'a' or 'b', not 'c'"),
        ({"control": "fake"}, {}, "arms must be a mapping of at least two names to rerankers, the control first"),
        (["fake", "fake"], {}, "arms must be a mapping of at least two names"),
        ({"type": "fake", "b": "fake"}, {}, "an arm can't be named 'type'"),
        ({"a": "fake", "b": 3}, {}, 'a reranker must be a name ("cross-encoder"), a mapping or a Reranker, not int'),
        ({"a": "fake", "b": "fake"}, {"mode": "ab"}, "mode must be 'split', 'shadow' or 'interleave', not 'ab'"),
        ({"a": "fake", "b": "fake"}, {"weights": {"a": 50, "b": 49}}, "must sum to 100"),
        ({"a": "fake", "b": {"type": "fake", "scale": "logit"}}, {}, "needs arms of one scale"),
        ({"a": "fake", "b": "fake"}, {"max_waiting": 0}, "max_waiting must be a whole number of requests"),
        ({"a": "fake", "b": "fake"}, {"plan": "missing.json"}, "missing.json can't be read"),
    ],
)
def test_what_does_not_fit_is_refused(arms: Any, settings: dict[str, Any], said: str) -> None:
    """By the constructor, in a sentence."""
    with pytest.raises(sp.ConfigError, match=re.escape(said)):
        sp.ABTestReranker(arms, **settings)


def test_an_outcome_has_a_unit() -> None:
    """Passed, or of the block around the call."""
    test = _split()
    with pytest.raises(sp.InputError, match="whose outcome is it"):
        test.record("clicked", 1.0)
    with experiment_unit("user 7"):
        assert test.record("clicked", 1.0) == test.arm_of("user 7")
