"""A gate lets pass what is better, and nothing that is not, or that loses elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.evaluate import Difference
from secondpass.learn import Gate, GateDecision, ModelStore, StoreError, decide
from secondpass.learn.store import store as store_file
from secondpass.testing import FakeReranker
from tests.evaluate.example import Opposite, example


def _difference(value: float, *, half: float = 0.01, p: float = 0.001) -> Difference:
    return Difference(value, value - half, value + half, p, p, 10, 5, 0.95)


class TestDeciding:
    def test_better_and_nowhere_worse_passes(self) -> None:
        """The reasons say by how much, with interval and p."""
        decision = decide("v2", "v1", dev=_difference(0.05), guards={"old": _difference(0.0, p=0.9)})
        assert decision.passed and decision.reasons == (
            "it is better: +0.0500 [+0.0400, +0.0600], p = 0.001",
            "on old it is neither better nor worse for sure: +0.0000 [-0.0100, +0.0100], p = 0.9",
        )
        assert str(decision).startswith("v2 passes against v1: it is better")
        assert json.loads(json.dumps(decision.to_dict()))["dev"]["value"] == 0.05

    @pytest.mark.parametrize(
        ("dev", "guard", "strict", "why"),
        [
            (_difference(0.005), _difference(0.0, p=0.9), False, "it is neither better nor worse for sure"),
            (_difference(0.05, p=0.2), _difference(0.0, p=0.9), False, "it is neither better nor worse"),
            (_difference(-0.05), _difference(0.0, p=0.9), False, "it is worse"),
            (_difference(0.05), _difference(-0.005, half=0.001), False, "on old it is worse"),
            (_difference(0.05), _difference(-0.02, half=0.05, p=0.5), False, "on old it is neither better nor worse"),
            (_difference(0.05), _difference(0.0, half=0.05, p=0.9), True, "which has to be shown"),
        ],
        ids=["undecided", "not significant", "worse", "guard worse", "guard lost too much", "guard not shown"],
    )
    def test_anything_else_does_not(self, dev: Difference, guard: Difference, strict: bool, why: str) -> None:
        """What stands in the way comes first."""
        decision = decide("v2", "v1", dev=dev, guards={"old": guard}, strict=strict)
        assert not decision.passed and why in decision.reasons[0]
        assert "v2 does not pass against v1" in str(decision)

    def test_the_limit_is_checked(self) -> None:
        """A tolerance is not negative."""
        with pytest.raises(ConfigError, match="tolerance must be a number of at least 0"):
            decide("a", "b", dev=_difference(0.1), tolerance=-1)


class TestMeasuring:
    def test_a_better_system_passes_and_a_worse_one_does_not(self) -> None:
        """By the interval and the test of `compare`, on dev and on a guard set."""
        gate = Gate(dev=example(), guards={"old": example(8)}, n_samples=500)
        systems = {"good": FakeReranker(), "bad": Opposite()}
        better = gate.decide(systems, candidate="good", incumbent="bad")
        assert better.passed and better.dev.value > 0.5 and better.guards["old"].verdict == "better"
        worse = gate.decide(systems, candidate="bad", incumbent="good")
        assert not worse.passed and worse.dev.value == pytest.approx(-better.dev.value)
        assert not gate.decide({"a": FakeReranker(), "b": FakeReranker()}, candidate="a", incumbent="b").passed

    def test_a_loss_elsewhere_is_no_way_through(self) -> None:
        """What is better on dev and worse on the guard set does not pass."""
        gate = Gate(dev=example(), guards={"old": example(12, text=" as it was")}, n_samples=500)

        class Old(Reranker):
            def _score(self, requests: Any) -> Any:
                inner = FakeReranker() if "as it was" in requests[0].query else Opposite()
                return inner.score_many(requests)

        class Learnt(Reranker):
            def _score(self, requests: Any) -> Any:
                inner = Opposite() if "as it was" in requests[0].query else FakeReranker()
                return inner.score_many(requests)

        decision = gate.decide({"new": Learnt(), "old": Old()}, candidate="new", incumbent="old")
        assert decision.dev.verdict == "better" and decision.guards["old"].verdict == "worse" and not decision.passed
        assert decision.reasons[0].startswith("on old it is worse")

    def test_settings_are_checked(self) -> None:
        """Datasets are datasets, candidates are needed, names exist."""
        with pytest.raises(ConfigError, match="dev must be a Dataset"):
            Gate(dev=[])  # type: ignore[arg-type]  # that is what is tested
        with pytest.raises(ConfigError, match="old must be a Dataset"):
            Gate(dev=example(), guards={"old": {}})  # type: ignore[dict-item]  # that is what is tested
        with pytest.raises(ConfigError, match="confidence must be a number between 0 and 1"):
            Gate(dev=example(), confidence=95)
        with pytest.raises(ConfigError, match="systems has no 'x'"):
            Gate(dev=example()).decide({"a": FakeReranker()}, candidate="x", incumbent="a")
        systems = {"a": FakeReranker(), "b": Opposite()}
        with pytest.raises(CompositionError, match="nothing finds any"):
            Gate(dev=example(candidates=False)).decide(systems, candidate="a", incumbent="b")


class TestPromoting:
    @pytest.fixture
    def filled(self, store: ModelStore, light: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
        """Return a store with three versions, of which v2 ranks well, and the two others badly; so does their base."""
        monkeypatch.setattr(
            store_file, "ranker", lambda name, task: FakeReranker() if name.endswith("#v2") else Opposite()
        )
        for _ in range(3):
            store.add(light, base="untrained")
        return store

    def test_the_first_one_is_measured_against_its_base(self, filled: ModelStore) -> None:
        """What is no better than the model that training started from is not promoted, and that is an event."""
        gate = Gate(dev=example(), n_samples=500)
        refused = filled.promote("v1", gate=gate)
        assert not refused.promoted and refused.decision is not None and refused.decision.incumbent == "untrained"
        assert filled.aliases == {} and filled.events[-1]["action"] == "refuse"
        assert filled.promote("v2", gate=gate).promoted and filled.aliases == {"production": "v2"}
        assert filled.events[-1]["decision"]["passed"] is True

    def test_the_next_one_is_measured_against_what_is_promoted(self, filled: ModelStore) -> None:
        """A worse one does not take its place; a better one does."""
        gate = Gate(dev=example(), n_samples=500)
        filled.promote("v1")
        assert filled.promote("v2", gate=gate).promoted
        promotion = filled.promote("v3", gate=gate)
        assert not promotion.promoted and promotion.previous is not None and promotion.previous.name == "v2"
        assert filled.aliases == {"production": "v2"}
        with pytest.raises(ConfigError, match="v2 is promoted already"):
            filled.promote("v2", gate=gate)

    def test_a_decision_is_about_two_versions(self, filled: ModelStore, light: Path) -> None:
        """One that was made before counts only for these."""
        filled.promote("v1")
        decision = decide("v2", "v1", dev=_difference(0.05))
        with pytest.raises(ConfigError, match="the decision is about v2 against v1, and this is v3 against v1"):
            filled.promote("v3", gate=decision)
        assert filled.promote("v2", gate=decision).promoted
        with pytest.raises(ConfigError, match="gate must be a Gate, a GateDecision or None"):
            filled.promote("v3", gate=True)  # type: ignore[arg-type]  # that is what is tested
        filled.add(light)
        with pytest.raises(ConfigError, match="does not say which model it started from"):
            filled.promote("v4", "staging", gate=decision)

    def test_an_alias_that_moved_meanwhile_is_not_overwritten(
        self, filled: ModelStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The decision was about another version than the one that is there now."""

        def slow(self: Gate, systems: Any, *, candidate: str, incumbent: str) -> GateDecision:
            ModelStore(filled.folder).promote("v3")
            return decide(candidate, incumbent, dev=_difference(0.05))

        filled.promote("v1")
        monkeypatch.setattr(Gate, "decide", slow)
        with pytest.raises(StoreError, match="'production' was moved while the gate"):
            filled.promote("v2", gate=Gate(dev=example()))
        assert filled.aliases == {"production": "v3"}
