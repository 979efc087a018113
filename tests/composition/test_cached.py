"""The cached reranker: nothing is scored twice, nothing is lost, and no cache can break it."""

import logging
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.cache import Cache, MemoryCache
from secondpass.cache.entry import Entry, pack
from secondpass.composition.cached import CachedReranker, CacheStats
from secondpass.errors import CompositionError, ConfigError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores, Trace
from tests.forks import exit_status_of_child, needs_fork

DOCUMENTS = ["copy a file", "the weather", "a file is open"]


class TestContractInMemory(RerankerContract):
    tolerance = 0.0

    def make(self) -> CachedReranker:
        return CachedReranker(FakeReranker(scale="logit"))


class TestContractInAFile(RerankerContract):
    tolerance = 0.0

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "cache.sqlite"

    def make(self) -> CachedReranker:
        return CachedReranker(FakeReranker(), cache={"type": "sqlite", "path": str(self.path), "timeout_s": 30})


class TestContractWithABrokenCache(RerankerContract):
    tolerance = 0.0

    def make(self) -> CachedReranker:
        return CachedReranker(FakeReranker(), cache={"type": "sqlite", "path": "/dev/null/cache.sqlite"})


class Recording(FakeReranker):
    """Remembers what it was asked."""

    registry_name: ClassVar[str] = "recording"

    def __init__(self) -> None:
        super().__init__(scale="logit")
        self.calls: list[list[Request]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append(list(requests))
        return super()._score(requests)


class Explaining(Reranker):
    """Scores by length, and says for each document what it was given for that."""

    registry_name: ClassVar[str] = "explaining"

    def __init__(self, made: Any = None, counts: Any = None) -> None:
        self.made, self.counts = made or {}, counts or {}

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [
            Scores(
                np.array([len(text) for text in request.texts]),
                {name: [make(text) for text in request.texts] for name, make in self.made.items()},
                Trace(counts=self.counts),
            )
            for request in requests
        ]


class BrokenCache(MemoryCache):
    """Raises what it is told to, where it is told to."""

    def __init__(self, broken: str = "", error: Exception | None = None) -> None:
        super().__init__()
        self.broken, self.error = broken, error or RuntimeError("on purpose")
        self.attempts = 0

    def _maybe(self, what: str) -> None:
        if what in self.broken:
            self.attempts += 1
            raise self.error

    def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        self._maybe("read")
        return super().get_many(keys)

    def set_many(self, entries: Mapping[bytes, bytes]) -> None:
        self._maybe("write")
        super().set_many(entries)

    def size(self) -> int:
        self._maybe("size")
        return super().size()


def _by_index(ranking: sp.Ranking) -> list[tuple[float, dict[str, Any]]]:
    return [(d.score, dict(d.explanation)) for d in sorted(ranking, key=lambda d: d.index)]


class TestWhatReachesTheModel:
    def test_only_misses_in_one_call_each_pair_once(self) -> None:
        """Of two requests with known, new and repeated documents, the model sees each new pair once, together."""
        inner = Recording()
        reranker = CachedReranker(inner)
        reranker.rerank("q", ["a", "b"])
        inner.calls.clear()
        requests = [("q", ["c", "a", "c", "d"]), ("q", ["b", "d", "e"]), ("q", ["a", "c"]), ("r", ["a"])]
        rankings = reranker.rerank_many(requests)
        (call,) = inner.calls
        assert [(request.query, request.texts) for request in call] == [("q", ("c", "d")), ("q", ("e",)), ("r", ("a",))]
        counts = [ranking.trace.counts for ranking in rankings]
        assert [(c["cache_hits"], c["cache_misses"]) for c in counts] == [(1, 3), (1, 2), (1, 1), (0, 1)]
        for ranking, (query, documents) in zip(rankings, requests, strict=True):
            assert [s for s, _ in _by_index(ranking)] == Recording().score(query, documents).tolist()

    def test_nothing_when_all_is_known(self) -> None:
        """A second call is answered without the model; its trace has no stage, and no pairs scored."""
        inner = Recording()
        reranker = CachedReranker(inner)
        first, second = reranker.rerank("q", DOCUMENTS), reranker.rerank("q", DOCUMENTS[::-1])
        assert len(inner.calls) == 1
        assert first.trace.total("pairs_scored") == 3 and first.trace.stages[0].name == "Recording"
        assert second.trace.total("pairs_scored") == 0 and second.trace.stages == ()
        assert dict(zip(first.texts, [d.score for d in first], strict=True)) == {d.text: d.score for d in second}

    def test_an_error_of_the_model_is_the_callers_and_is_not_kept(self) -> None:
        """What could not be scored is asked for again."""

        class Failing(Recording):
            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                if len(self.calls) == 0:
                    self.calls.append([])
                    raise sp.ScoringError("on purpose")
                return super()._score(requests)

        reranker = CachedReranker(Failing())
        with pytest.raises(sp.ScoringError, match="on purpose"):
            reranker.rerank("q", DOCUMENTS)
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_misses"] == 3
        assert reranker.stats() == CacheStats(0, 3, 0, 3)

    @given(st.lists(st.tuples(st.sampled_from("pqr"), st.lists(st.text("ab", max_size=3), max_size=5)), max_size=6))
    def test_scores_are_those_of_the_model(self, requests: list[tuple[str, list[str]]]) -> None:
        """Whatever is asked in whatever order, with a cache so small that it forgets, not a bit differs."""
        reranker = CachedReranker(FakeReranker(), cache=MemoryCache(max_bytes=1_500))
        for query, documents in requests:
            assert reranker.score(query, documents).tolist() == FakeReranker().score(query, documents).tolist()
        for ranking, (query, documents) in zip(reranker.rerank_many(requests), requests, strict=True):
            assert [s for s, _ in _by_index(ranking)] == FakeReranker().score(query, documents).tolist()

    def test_the_cross_encoder_comes_back_bit_for_bit(self, cross_encoder: CrossEncoderReranker) -> None:
        """Cold, warm, and half warm in another order."""
        reranker = CachedReranker(cross_encoder)
        expected = cross_encoder.score("a file", DOCUMENTS)
        reranker.score("a file", DOCUMENTS[1:2])
        for _ in range(2):
            np.testing.assert_array_equal(reranker.score("a file", DOCUMENTS), expected)
        assert reranker.stats() == CacheStats(hits=4, misses=3, errors=0, size=3)


class TestKeys:
    def test_settings_of_the_model_are_part_of_them(self) -> None:
        """Two models, or two namespaces, share a cache but no score."""
        cache = MemoryCache()
        for count, reranker in enumerate(
            [
                CachedReranker(FakeReranker(), cache=cache),
                CachedReranker(FakeReranker(scale="logit"), cache=cache),
                CachedReranker(FakeReranker(), cache=cache, namespace="two"),
            ],
            start=1,
        ):
            assert reranker.rerank("q", ["a"]).trace.counts["cache_misses"] == 1
            assert cache.size() == count
        assert CachedReranker(FakeReranker(), cache=cache).rerank("q", ["a"]).trace.counts["cache_hits"] == 1

    def test_settings_that_change_later_count(self) -> None:
        """As when a calibration is fitted after it was wrapped."""
        inner = FakeReranker(scale="logit")
        reranker = CachedReranker(inner)
        reranker.score("q", ["a"])
        inner.pointwise = False  # stands for any setting
        assert reranker.rerank("q", ["a"]).trace.counts["cache_misses"] == 1

    def test_the_first_stages_score_is_part_of_them_unless_ignored(self) -> None:
        """A pointwise reranker may use it; for one that doesn't, a new index need not be a new score."""
        for ignore, hits in ((False, [0, 1, 0]), (True, [0, 1, 1])):
            reranker = CachedReranker(FakeReranker(), ignore_initial_scores=ignore)
            rankings = [reranker.rerank("q", ["a"], initial_scores=[score]) for score in (1, 1, 2)]
            assert [ranking.trace.counts["cache_hits"] for ranking in rankings] == hits

    def test_a_namespace_can_be_anything(self) -> None:
        """Even what no encoding can hold."""
        assert len(CachedReranker(FakeReranker(), namespace="\ud800").rerank("q", ["a"])) == 1

    def test_the_fingerprint_is_the_wrapped_ones(self) -> None:
        """A calibration that was fitted without the cache holds with it."""
        assert CachedReranker(FakeReranker(), namespace="x").fingerprint == FakeReranker().fingerprint


class TestExplanations:
    def test_a_hit_explains_what_the_miss_did(self) -> None:
        """Texts, spans, numbers, nested: the rankings are equal, and no text is in the cache."""
        cache = MemoryCache()
        inner = Explaining(
            {
                "passage": lambda text: {"text": text[:9], "span": (0, 9)},
                "spread": lambda text: np.float32(len(text) / 7),
                "stage": lambda text: "judge" if "file" in text else None,
            }
        )
        reranker = CachedReranker(inner, cache=cache)
        miss, hit = reranker.rerank("my query", DOCUMENTS), reranker.rerank("my query", DOCUMENTS)
        assert _by_index(miss) == _by_index(hit)
        assert hit.trace.counts["cache_hits"] == 3
        assert hit[0].explanation == {
            "passage": {"text": "a file is", "span": [0, 9]},
            "spread": float(np.float32(2)),
            "stage": "judge",
        }
        stored = b"".join(value for value, _ in cache._entries.values())
        assert not any(word in stored for word in (b"file", b"weather", b"query"))

    def test_hits_and_misses_share_columns(self) -> None:
        """A column that only some of the documents have is None for the others."""

        class Truncating(Explaining):
            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                (request,), (scores,) = requests, super()._score(requests)
                cut = [len(text) > 12 for text in request.texts]
                return [Scores(scores.values, {"truncated": cut} if any(cut) else {})]

        reranker = CachedReranker(Truncating())
        reranker.rerank("q", ["short"])
        ranking = reranker.rerank("q", ["short", "a long document"])
        assert [explanation for _, explanation in _by_index(ranking)] == [{"truncated": None}, {"truncated": True}]

    def test_what_can_not_be_kept_is_scored_each_time(self) -> None:
        """Rather than lose its explanation; the trace counts it, and the other documents are cached."""
        marker = object()
        reranker = CachedReranker(Explaining({"what": lambda text: marker if "file" in text else text}))
        for hits in (0, 1):
            ranking = reranker.rerank("q", DOCUMENTS)
            assert ranking.trace.counts["cache_hits"] == hits
            assert ranking.trace.counts["cache_skipped"] == 2
            assert [e["what"] for _, e in _by_index(ranking)] == [marker, "the weather", marker]

    @pytest.mark.parametrize("count", ["fallbacks", "members_failed"])
    def test_a_makeshift_score_is_not_kept(self, count: str) -> None:
        """When a fallback answered, or a member of an ensemble failed, the next call tries the real thing again."""
        inner = Explaining(counts={count: 1})
        reranker = CachedReranker(inner)
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_skipped"] == 3
        inner.counts = {}
        assert "cache_skipped" not in reranker.rerank("q", DOCUMENTS).trace.counts
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_hits"] == 3

    def test_what_the_model_does_not_read_is_not_kept(self, cross_encoder: CrossEncoderReranker) -> None:
        """Each call says so, and gives no probability; a document is scored once it stands among others."""
        reranker = CachedReranker(CrossEncoderReranker(cross_encoder.pair_model))
        query, english, russian = "how do I copy a file?", "To copy a file, call copy.", "Погода сегодня тёплая."
        with pytest.warns(sp.LanguageWarning):
            first = reranker.rerank(query, [english, russian, "Завтра будет дождь."])
        again = reranker.rerank(query, [english, russian, "Завтра будет дождь."])
        for ranking in (first, again):
            assert ranking.trace.total("unread") == 3 and ranking.trace.counts["cache_skipped"] == 3
            assert [document.probability for document in ranking] == [None] * 3
        assert reranker.score(query, [english]) == cross_encoder.score(query, [english])

    def test_a_document_without_a_verdict_is_not_kept(self) -> None:
        """It alone is asked about again; the others of the request are cached."""
        reranker = CachedReranker(Explaining({"judged": lambda text: "file" in text}))
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_skipped"] == 1
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_hits"] == 2

    def test_texts_are_kept_when_asked_for(self) -> None:
        """Query and document stand in the entry."""
        cache = MemoryCache()
        reranker = CachedReranker(FakeReranker(), cache=cache, store_texts=True)
        reranker.score("my query", ["my document"])
        ((value, _),) = cache._entries.values()
        assert value[13:] == b'{"query":"my query","document":"my document"}'
        assert reranker.rerank("my query", ["my document"]).trace.counts["cache_hits"] == 1


class TestBrokenCaches:
    @pytest.mark.parametrize("broken", ["read", "write", "read write"])
    @pytest.mark.parametrize(
        "error", [RuntimeError("on purpose"), sp.InputError("on purpose"), MemoryError("on purpose")]
    )
    def test_the_scores_are_there(self, broken: str, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever is raised; it is logged without the texts, counted, and noted in the trace."""
        reranker = CachedReranker(FakeReranker(), cache=BrokenCache(broken, error))
        with caplog.at_level(logging.WARNING, "secondpass"):
            ranking = reranker.rerank("my query", DOCUMENTS)
        assert [s for s, _ in _by_index(ranking)] == FakeReranker().score("my query", DOCUMENTS).tolist()
        assert ranking.trace.counts == {"cache_hits": 0, "cache_misses": 3, "cache_errors": 1}
        assert f"{type(error).__name__}: on purpose" in ranking.trace.notes[0]
        (record,) = caplog.records
        assert "on purpose" in record.getMessage() and "query" not in record.getMessage()
        assert reranker.stats().errors == 1

    def test_a_broken_cache_is_left_alone_for_a_while(self) -> None:
        """So that one that takes seconds to fail does not cost them each time; then it is tried again."""
        cache = BrokenCache("read")
        reranker = CachedReranker(FakeReranker(), cache=cache, retry_after_s=1_000)
        rankings = [reranker.rerank("q", DOCUMENTS) for _ in range(5)]
        assert cache.attempts == 1
        assert "not used for now" in rankings[-1].trace.notes[0]
        cache.broken = ""
        reranker._retry_at = 0.0  # the thousand seconds are over
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_errors"] == 0
        assert reranker.rerank("q", DOCUMENTS).trace.counts["cache_hits"] == 3

    def test_statistics_without_a_size(self) -> None:
        """A cache that can't count its entries has a size of None."""
        assert CachedReranker(FakeReranker(), cache=BrokenCache("size")).stats() == CacheStats(0, 0, 1, None)

    @pytest.mark.parametrize("answer", [None, 3, "text", [1], {b"key that nobody asked for": b"1"}])
    def test_nonsense_is_no_hit(self, answer: Any) -> None:
        """A cache that keeps no contract is one that failed."""

        class Nonsense(MemoryCache):
            def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
                return answer  # type: ignore[no-any-return]

        ranking = CachedReranker(FakeReranker(), cache=Nonsense()).rerank("q", DOCUMENTS)
        assert ranking.trace.counts == {"cache_hits": 0, "cache_misses": 3, "cache_errors": 1}

    @pytest.mark.parametrize(
        ("scale", "score", "hits"), [("probability", 1.5, 0), ("logit", 1.5, 1), ("logit", float("inf"), 0)]
    )
    def test_a_forged_score_off_the_scale_is_no_hit(self, scale: str, score: float, hits: int) -> None:
        """It would break the ranking; it is computed instead, and replaced."""

        class Forging(MemoryCache):
            def get_many(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
                return {key: pack(key, Entry(score, {}), ("q", "a")) for key in keys}

        ranking = CachedReranker(FakeReranker(scale=scale), cache=Forging()).rerank("q", ["a"])
        assert ranking.trace.counts["cache_hits"] == hits
        assert (ranking[0].score == score) is bool(hits)


class TestComposition:
    def test_scores_that_depend_on_the_others_are_refused(self) -> None:
        """The message names both sides."""
        with pytest.raises(CompositionError, match=r"CachedReranker needs scores that don't depend .* FakeReranker"):
            CachedReranker(FakeReranker(pointwise=False))
        with pytest.raises(CompositionError, match="wraps a Reranker, not a int"):
            CachedReranker(3)  # type: ignore[arg-type]

    @pytest.mark.parametrize("scale", list(Scale))
    def test_the_traits_are_the_wrapped_ones(self, scale: Scale) -> None:
        """Any scale will do."""
        reranker = CachedReranker(FakeReranker(scale=scale))
        assert reranker.scale is scale and reranker.pointwise
        assert reranker.rerank("q", DOCUMENTS).scale is scale

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"retry_after_s": 0}, "retry_after_s must be a number of seconds above 0"),
            ({"retry_after_s": "1"}, "retry_after_s must be a number of seconds above 0"),
            ({"namespace": 1}, "namespace must be a str, not 1"),
            ({"cache": "tape"}, "tape"),
            ({"cache": 3}, "cache must be a Cache, a name"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built."""
        with pytest.raises(ConfigError, match=message):
            CachedReranker(FakeReranker(), **settings)

    def test_the_configuration_holds_the_cache(self, tmp_path: Path) -> None:
        """As plain data, by which another process finds the same scores."""
        config = {
            "type": "cached",
            "wrapped": {"type": "fake", "scale": "logit", "pointwise": True},
            "cache": {
                "type": "sqlite",
                "path": str(tmp_path / "cache.sqlite"),
                "max_bytes": 10_000_000,
                "ttl_s": 60.0,
                "timeout_s": 30.0,
            },
            "namespace": "mine",
            "ignore_initial_scores": True,
            "store_texts": False,
            "retry_after_s": 5.0,
        }
        reranker = sp.from_config(config)
        assert reranker.to_config() == config
        reranker.score("q", DOCUMENTS)
        assert sp.from_config(config).rerank("q", DOCUMENTS).trace.counts["cache_hits"] == 3

    def test_it_is_shown_with_what_is_in_it(self) -> None:
        """Reranker and cache."""
        assert (
            repr(CachedReranker(FakeReranker()))
            == "CachedReranker(FakeReranker(), cache=MemoryCache(max_bytes=64000000))"
        )


def test_statistics_add_up_over_threads() -> None:
    """Eight threads count every document; a copy starts at nothing."""
    reranker = CachedReranker(FakeReranker())
    reranker.score("q", DOCUMENTS)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: reranker.score("q", [*DOCUMENTS, f"new {number}"]), range(80)))
    stats = reranker.stats()
    assert stats == CacheStats(hits=240, misses=83, errors=0, size=83)
    assert stats.hit_rate == 240 / 323
    copy = pickle.loads(pickle.dumps(reranker))
    assert copy.stats() == CacheStats(0, 0, 0, 0) and copy.stats().hit_rate == 0.0


def test_a_cache_is_a_cache() -> None:
    """What is passed in is what is used."""
    cache: Cache = MemoryCache()
    assert CachedReranker(FakeReranker(), cache=cache).cache is cache


@needs_fork
def test_a_child_forked_while_it_counts_goes_on() -> None:
    """A lock that another thread held at the fork is free in the child, which counts its own hits."""
    reranker = CachedReranker(FakeReranker())
    reranker.score("q", DOCUMENTS)

    def in_child() -> None:
        np.testing.assert_array_equal(reranker.score("q", DOCUMENTS), FakeReranker().score("q", DOCUMENTS))
        assert reranker.stats().hits == len(DOCUMENTS)

    with reranker._lock:
        assert exit_status_of_child(in_child) == 0


_FIRST_CALL = """
import sys
from secondpass.composition.cached import CachedReranker
from secondpass.testing import FakeReranker

reranker = CachedReranker(FakeReranker())
known = set(sys.modules)
reranker.rerank("q", ["copy a file"])
print(sorted(set(sys.modules) - known))
"""


def test_a_first_call_imports_nothing() -> None:
    """Ctrl-C in the middle of an import can leave a lock behind for which the calls of other threads wait for ever."""
    done = subprocess.run([sys.executable, "-c", _FIRST_CALL], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
