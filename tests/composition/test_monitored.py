"""Monitored rerankers: contract, the events of what happens, and that nothing of it changes a score."""

import asyncio
import json
from collections.abc import Sequence
from threading import Event as Flag
from typing import Any, ClassVar

import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.cancellation import WorkCancelledError
from secondpass.monitor import Event, WindowSink
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Document, Request, Scale, Scores

_QUERY, _TEXTS = "copy a file", ["copy a file", "", "a file", "move"]


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> sp.MonitoredReranker:
        return sp.MonitoredReranker(FakeReranker(scale="logit"), ["window"])


class Broken(Reranker):
    """Raises what it was given."""

    registry_name: ClassVar[str] = "broken"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @property
    def fingerprint(self) -> str:
        return "0" * 16

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        raise self.error


def watched(wrapped: Reranker, **settings: Any) -> tuple[sp.MonitoredReranker, WindowSink]:
    """Return a monitored reranker, and where its events go."""
    window = WindowSink()
    return sp.MonitoredReranker(wrapped, [window], **settings), window


def test_an_event_says_what_happened() -> None:
    """Field by field, for a cascade with a cache in it; blank documents are candidates without a score."""
    fake = FakeReranker()
    cascade = sp.CascadeReranker([fake, sp.CachedReranker(fake)], keep=[2])
    reranker, window = watched(cascade)
    reranker.rerank(_QUERY, _TEXTS, k=2)
    ranking = reranker.rerank(_QUERY, _TEXTS, k=2)
    first, second = window.events()
    assert (first.kind, first.name, first.fingerprint) == ("rerank", "CascadeReranker", cascade.fingerprint)
    assert (first.candidates, first.k, first.batch, first.scale, first.error) == (4, 2, 1, Scale.ORDINAL, "")
    assert first.query_hash == second.query_hash and len(first.query_hash) == 16
    assert first.counts["blank"] == 1 and (first.cache_misses, second.cache_hits) == (2, 2)
    paths = ["CascadeReranker", "CascadeReranker/FakeReranker", "CascadeReranker/CachedReranker"]
    assert list(second.stages) == paths and [*first.stages] == [*paths, paths[-1] + "/FakeReranker"]
    assert 0 < first.stages[paths[0]] <= first.latency_s and first.time_s <= second.time_s
    assert first.scores is not None and (first.scores.n, first.scores.top) == (3, 3.0)
    assert ranking.trace.stages[0].name == "FakeReranker" and reranker.fingerprint == cascade.fingerprint


def test_probabilities_are_those_of_the_wrapped_one(cross_encoder: sp.CrossEncoderReranker) -> None:
    """By the calibration that comes with its model."""
    reranker, _ = watched(cross_encoder)
    ranking = reranker.rerank(_QUERY, _TEXTS)
    assert [d.probability for d in ranking] == [d.probability for d in cross_encoder.rerank(_QUERY, _TEXTS)]
    assert ranking[0].probability is not None and ranking.answerable is not None


def test_scores_and_explanations_are_those_of_the_wrapped_one() -> None:
    """To the bit."""
    wrapped = sp.PriorReranker(FakeReranker(scale="logit"))
    reranker, _ = watched(wrapped)
    assert [(d.index, d.score, d.explanation) for d in reranker.rerank(_QUERY, _TEXTS)] == [
        (d.index, d.score, d.explanation) for d in wrapped.rerank(_QUERY, _TEXTS)
    ]
    assert (reranker.scale, reranker.pointwise) == (wrapped.scale, wrapped.pointwise)


def test_each_request_of_a_call_has_an_event() -> None:
    """One without documents as well; all show the latency of the call."""
    reranker, window = watched(FakeReranker(), name="search")
    reranker.rerank_many([("a", ["a", "b"]), ("b", []), ("a", ["c"])])
    first, second, third = window.events()
    assert [event.candidates for event in (first, second, third)] == [2, 0, 1]
    assert {event.batch for event in (first, second, third)} == {3} and first.latency_s == third.latency_s
    assert first.query_hash == third.query_hash != second.query_hash
    assert second.scores is None and second.stages == {} and first.name == "search"


@pytest.mark.parametrize(
    "error", [sp.ScoringError("about my secret"), ValueError("secret"), WorkCancelledError("secret")]
)
def test_what_fails_has_an_event_and_still_fails(error: BaseException) -> None:
    """Ours, anyone's, and work that was cancelled; what it says may quote texts, and is left out."""
    reranker, window = watched(Broken(error))
    with pytest.raises(type(error)):
        reranker.rerank("my secret", ["secret"])
    (event,) = window.events()
    assert event.failed and event.error == type(error).__name__ and event.candidates == 1
    assert "secret" not in json.dumps(event.to_dict())


def test_texts_are_there_only_if_asked_for() -> None:
    """Then all of them, best first, with ids; and what an error says."""
    documents: list[Document] = [{"text": "move", "id": 7}, "copy a file"]
    reranker, window = watched(FakeReranker(), texts=True)
    reranker.rerank(_QUERY, documents)
    reranker.rerank(_QUERY, documents, k=1)
    first, second = window.events()
    assert first.query == _QUERY and [(text.index, text.text, text.id) for text in first.texts] == [
        (1, "copy a file", None),
        (0, "move", 7),
    ]
    assert len(second.texts) == 2 and second.k == 1
    reranker, window = watched(Broken(ValueError("what it says")), texts=True)
    with pytest.raises(ValueError, match="what it says"):
        reranker.rerank("q", ["d"])
    assert window.events()[0].error_message == "what it says"
    reranker, window = watched(FakeReranker())
    reranker.rerank(_QUERY, documents)
    assert "file" not in repr(window.events()[0])


def test_a_salt_keys_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, or from the environment; it is in no configuration."""

    def hashed(**settings: Any) -> str:
        reranker, window = watched(FakeReranker(), **settings)
        assert "pepper" not in json.dumps(reranker.to_config()) + repr(vars(reranker))
        reranker.rerank("q", ["d"])
        return window.events()[0].query_hash

    plain, salted = hashed(), hashed(salt="pepper")
    assert plain != salted and hashed(salt="pepper") == salted
    monkeypatch.setenv("SECONDPASS_MONITOR_SALT", "pepper")
    assert hashed() == salted


def test_a_sink_that_fails_breaks_no_call() -> None:
    """It is warned of once, and counted."""

    def sink(_event: Event) -> None:
        raise OSError("no space left")

    reranker = sp.MonitoredReranker(FakeReranker(), [sink])
    with pytest.warns(sp.SecondPassWarning, match="no space left") as caught:
        rankings = [reranker.rerank(_QUERY, _TEXTS) for _ in range(3)]
    assert len(caught) == 1 and reranker.failures == {0: 3} and len(rankings[0]) == 4


def test_nor_does_a_reranker_that_can_not_be_described() -> None:
    """Here its settings can't be read, and so it has no fingerprint."""

    class Forgetful(FakeReranker):
        def __init__(self, lost: int = 3) -> None:
            super().__init__()

    reranker = sp.MonitoredReranker(Forgetful(), ["window"])
    with pytest.warns(sp.SecondPassWarning, match="no event could be made of a call of Forgetful"):
        assert len(reranker.rerank(_QUERY, _TEXTS)) == 4
    assert reranker.failures == {-1: 1}


def test_a_cancelled_task_has_an_event() -> None:
    """Once its work has come to an end in its thread."""
    began, goes_on = Flag(), Flag()

    class Slow(FakeReranker):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            began.set()
            assert goes_on.wait(10)
            FakeReranker().score("q", ["d"])  # asks whether anybody still waits
            return super()._score(requests)

    reranker, window = watched(Slow())

    async def cancelled() -> None:
        task = asyncio.create_task(reranker.arerank("q", ["d"]))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        goes_on.set()

    asyncio.run(cancelled())
    assert [event.error for event in window.events()] == ["WorkCancelledError"]


def test_it_is_plain_data() -> None:
    """With its sinks; a function can't be written, and says so."""
    config = sp.MonitoredReranker(
        FakeReranker(), ["window", {"type": "logging", "level": "debug"}], name="a"
    ).to_config()
    assert json.loads(json.dumps(config)) == config and config["sinks"][1]["level"] == "debug"
    restored = sp.from_config(config)
    assert isinstance(restored, sp.MonitoredReranker) and restored.to_config() == config
    with pytest.raises(sp.ConfigError, match="sinks"):
        sp.MonitoredReranker(FakeReranker(), [repr]).to_config()


def test_what_does_not_fit_is_refused() -> None:
    """When it is built."""
    with pytest.raises(sp.CompositionError, match="wraps a Reranker"):
        sp.MonitoredReranker(3)  # type: ignore[arg-type]
    with pytest.raises(sp.ConfigError, match="MonitoredReranker: texts must be True or False"):
        sp.MonitoredReranker(FakeReranker(), texts=1)  # type: ignore[arg-type]
    with pytest.raises(sp.ConfigError, match="MonitoredReranker: name must be a str that is not empty"):
        sp.MonitoredReranker(FakeReranker(), name="")
