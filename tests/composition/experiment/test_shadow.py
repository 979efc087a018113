"""The shadow: nobody waits for it, it gives way, and what it can't do is counted."""

import gc
import logging
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.composition import Outcomes
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.forks import exit_status_of_child, needs_fork

_QUERY, _TEXTS = "copy a file", ["copy a file", "a file", "move"]


class Held(FakeReranker):
    """Waits until it may go on, and remembers what it was asked."""

    def __init__(self, *, pointwise: bool = True) -> None:
        super().__init__(pointwise=pointwise)
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.asked: list[int] = []

    @property
    def fingerprint(self) -> str:
        return "0" * 16

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.asked += [len(request) for request in requests]
        self.entered.set()
        assert self.go_on.wait(30)
        return super()._score(requests)


class Backwards(FakeReranker):
    """Prefers what is worst."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [scores.rescored(1 - scores.values) for scores in super()._score(requests)]


def _beside(treatment: sp.Reranker, **settings: Any) -> sp.ABTestReranker:
    return sp.ABTestReranker({"control": FakeReranker(), "treatment": treatment}, mode="shadow", **settings)


def test_the_control_answers_and_the_treatment_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Scores are the control's; how far the two agree is logged and counted; no text is in the log."""
    caplog.set_level(logging.INFO, "secondpass.experiment")
    with _beside(Backwards()) as test:
        ranking = test.rerank(_QUERY, _TEXTS, k=1)
        assert [document.score for document in ranking] == [max(FakeReranker().score(_QUERY, _TEXTS))]
        assert test.drain(30)
    (record,) = caplog.records
    result = record.shadow  # type: ignore[attr-defined]
    assert (result.arm, result.documents, result.overlap, result.same_top, result.error) == (
        "treatment",
        3,
        1.0,
        False,
        "",
    )
    assert result.latency_s > 0 and result.control_latency_s > 0 and result.to_dict()["same_top"] is False
    assert record.getMessage().startswith("shadow treatment: 3 documents in ") and "copy" not in record.getMessage()
    assert [arm.mean for arm in test.report("same_top").arms] == [None, 0.0]
    assert [arm.units for arm in test.report("latency_s").arms] == [1, 1]


def test_nobody_waits_and_what_finds_no_room_is_dropped() -> None:
    """While the treatment is stuck, calls are answered; beyond the queue they are counted as dropped."""
    held = Held()
    with _beside(held, max_waiting=2) as test:
        test.rerank(_QUERY, _TEXTS)
        assert held.entered.wait(30)
        for at in range(5):
            assert len(test.rerank(f"{_QUERY} {at}", _TEXTS)) == 3
        assert test.dropped == 3 and not test.drain(0.01)
        held.go_on.set()
        assert test.drain(30)
        assert sum(held.asked) == 9 and test.dropped == 3


def test_a_pointwise_treatment_gives_way_between_pieces() -> None:
    """A call of the control that is under way holds up the next document; a list-wise one is asked once for all."""
    held = Held()
    with _beside(held) as test:
        test.rerank(_QUERY, _TEXTS)
        assert held.entered.wait(30)
        with test._shadow.control():
            held.go_on.set()
            assert not test.drain(0.05) and held.asked == [1]
        assert test.drain(30) and sum(held.asked) == 3
    whole = Held(pointwise=False)
    whole.go_on.set()
    with _beside(whole) as test:
        test.rerank(_QUERY, _TEXTS)
        assert test.drain(30) and whole.asked == [3]


def test_a_treatment_that_fails_is_counted() -> None:
    """The control knows nothing of it."""

    class Broken(FakeReranker):
        def _score(self, requests: Any) -> Any:
            raise ValueError("secret text")

    with _beside(Broken()) as test:
        assert len(test.rerank(_QUERY, _TEXTS)) == 3
        assert test.drain(30)
        assert [arm.mean for arm in test.report("failed").arms] == [0.0, 1.0]
        with pytest.raises(sp.InputError, match="no value of 'overlap'"):
            test.report("overlap")
    with pytest.raises(sp.ModelNotFoundError):
        sp.ABTestReranker({"control": "fake", "treatment": "cross-encoder:no-such-model"}, mode="shadow")


def test_counting_that_fails_ends_no_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """Such as a warning of no more room where warnings are errors: it is logged, and others are shadowed."""

    class Full(Outcomes):
        def add(self, shares: str, metric: str, arm: str, unit: str, value: float) -> None:
            if arm == "treatment" and metric == "failed" and not caplog.records:
                raise UserWarning("no room")
            super().add(shares, metric, arm, unit, value)

    with _beside(Backwards()) as test:
        test.outcomes = Full()
        for query in ("copy a file", "move a file"):
            test.rerank(query, _TEXTS)
            assert test.drain(30)
        assert test.report("overlap").arms[1].units == 1
    (record,) = caplog.records
    assert "'treatment' did in the shadow could not be counted" in record.getMessage() and record.exc_info


def test_weights_are_the_share_that_is_shadowed() -> None:
    """Of a fifth of the units the treatment is asked."""
    held = Held()
    held.go_on.set()
    with _beside(held, weights={"control": 80, "treatment": 20}, max_waiting=200) as test:
        queries = [f"{_QUERY} {at}" for at in range(100)]
        for query in queries:
            test.rerank(query, _TEXTS)
        assert test.drain(30)
        assert sum(held.asked) == 3 * sum(test.arm_of(query) == "treatment" for query in queries)


def test_the_thread_ends_with_its_owner() -> None:
    """By `close`, after which calls are answered and dropped in the shadow, or when nobody refers to it."""
    test = _beside(FakeReranker())
    test.rerank(_QUERY, _TEXTS)
    thread = test._shadow._thread
    assert thread is not None
    test.close()
    thread.join(30)
    assert not thread.is_alive() and len(test.rerank(_QUERY, _TEXTS)) == 3 and test.dropped >= 1
    forgotten = _beside(FakeReranker())
    forgotten.rerank(_QUERY, _TEXTS)
    thread = forgotten._shadow._thread
    assert thread is not None and forgotten.drain(30)
    del forgotten
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()


@needs_fork
def test_a_child_has_a_shadow_of_its_own() -> None:
    """What waits in the parent is the parent's."""
    held = Held()
    with _beside(held) as test:
        test.rerank(_QUERY, _TEXTS)
        assert held.entered.wait(30)

        def child() -> None:
            held.go_on.set()
            assert test.dropped == 0 and len(test.rerank(_QUERY, _TEXTS)) == 3
            assert test.drain(30) and np.sum(held.asked) == 4

        assert exit_status_of_child(child) == 0
        held.go_on.set()
        assert test.drain(30)
