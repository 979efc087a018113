"""Progressive scoring: what reaches the end is exact, what left is below it, and the first k are hardly ever others."""

import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.composition.prior import with_prior
from secondpass.errors import CompositionError, ConfigError, LanguageWarning, ModelError, ModelIntegrityError
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.models.exits import Exit, Exits
from secondpass.models.race import Race, heats, run_heat
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.rerankers.progressive import ProgressiveReranker
from secondpass.retrieve import BM25Retriever
from secondpass.testing import RerankerContract
from secondpass.types import Ranking, Request

Candidates = dict[str, list[str]]


@pytest.fixture(scope="module")
def progressive() -> ProgressiveReranker:
    """Return one with defaults."""
    return shared()


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    """Return BM25's first 30 short documents for some questions about the standard library."""
    corpus = [document for document in stdlib_corpus() if len(document["text"]) < 300]
    queries = [stdlib_queries()[query] for query in list(stdlib_qrels())[:4]]
    found = BM25Retriever().index(corpus).search(queries, 30)
    return {query: ranking.texts for query, ranking in zip(queries, found, strict=True)}


@pytest.fixture(scope="module")
def rankings(
    candidates: Candidates, progressive: ProgressiveReranker, cross_encoder: CrossEncoderReranker
) -> list[tuple[Ranking, Ranking]]:
    """Return for each question what the whole model says, and the progressive one with a k of 5."""
    requests = list(candidates.items())
    some = ProgressiveReranker(progressive.pair_model, k=5).rerank_many(requests)
    return list(zip(cross_encoder.rerank_many(requests), some, strict=True))


@cache
def shared() -> ProgressiveReranker:
    """Return one with defaults, loaded once."""
    return ProgressiveReranker()


class TestContract(RerankerContract):
    tolerance = 0.0

    def make(self) -> ProgressiveReranker:
        return ProgressiveReranker(k=2, smoke_test=False)


class TestScores:
    def test_what_reaches_the_end_is_exact_and_what_left_is_below(
        self, rankings: list[tuple[Ranking, Ranking]], progressive: ProgressiveReranker
    ) -> None:
        """To the bit, whatever left beside it; every document comes back, and most have left."""
        for whole, some in rankings:
            scores = {document.index: document.score for document in whole}
            left_after = [document.explanation["left_after"] for document in some]
            n_ended = left_after.count(None)
            assert 5 <= n_ended < len(some) == len(whole) and None not in left_after[n_ended:]
            assert all(document.score == scores[document.index] for document in some[:n_ended])
            assert some[n_ended].score < some[n_ended - 1].score
            assert {layer for layer in left_after if layer} <= set(progressive.pair_model.exits)

    def test_the_first_are_those_of_the_whole_model(self, rankings: list[tuple[Ranking, Ranking]]) -> None:
        """Of 4 questions with 30 candidates, the best one always, and at least 16 of the 20 first five."""
        assert len(rankings) == 4
        assert all(whole[0].index == some[0].index for whole, some in rankings)
        assert sum(len({d.index for d in whole[:5]} & {d.index for d in some[:5]}) for whole, some in rankings) >= 16

    def test_the_trace_says_where_documents_left(
        self, rankings: list[tuple[Ranking, Ranking]], progressive: ProgressiveReranker
    ) -> None:
        """The counts add up to all documents; a third of the layers' work or more was not done."""
        layers = progressive.pair_model.exits
        work = 0
        for _, some in rankings:
            counts = some.trace.counts
            left = [counts[f"left_after_{layer}"] for layer in layers]
            assert sum(left) + counts["finished"] == counts["pairs"] == 30
            work += sum(n * layer for n, layer in zip(left, layers, strict=True)) + 12 * counts["finished"]
        assert work / (12 * 30 * len(rankings)) < 0.7

    def test_with_much_caution_it_is_the_whole_model(
        self, candidates: Candidates, progressive: ProgressiveReranker, cross_encoder: CrossEncoderReranker
    ) -> None:
        """Nobody leaves: all scores are equal to the bit; without any, k and no more go behind the first exit's."""
        query, texts = next(iter(candidates.items()))
        texts = texts[:12]
        careful = ProgressiveReranker(progressive.pair_model, caution=1000)
        assert careful.score(query, texts).tolist() == cross_encoder.score(query, texts).tolist()
        hasty = ProgressiveReranker(progressive.pair_model, caution=0, k=3)
        counts = hasty.rerank(query, texts).trace.counts
        assert counts["finished"] == 3 and counts[f"left_after_{hasty.pair_model.exits[0]}"] == 9

    def test_no_other_request_changes_a_score(
        self, candidates: Candidates, progressive: ProgressiveReranker, cross_encoder: CrossEncoderReranker
    ) -> None:
        """Alone or among others, with one document or with equal ones: the same to the bit."""
        requests = [Request(query, texts, 5) for query, texts in candidates.items()]
        together = progressive.score_many(requests)
        alone = progressive.score_many(requests[1:2])[0]
        assert together[1].values.tolist() == alone.values.tolist()
        query, texts = next(iter(candidates.items()))
        assert progressive.score(query, texts[:1]).tolist() == cross_encoder.score(query, texts[:1]).tolist()
        doubled = progressive.rerank(query, texts + texts, k=5)
        assert doubled.trace.counts["pairs_scored"] == len(set(texts))

    def test_a_request_that_does_not_fit_at_once_runs_in_parts(
        self, candidates: Candidates, progressive: ProgressiveReranker, cross_encoder: CrossEncoderReranker
    ) -> None:
        """Later documents are measured against the finished earlier ones; what ends is still exact."""
        query, texts = next(iter(candidates.items()))
        exits = Exits.ready(progressive.pair_model.files)
        assert exits is not None
        race = Race(query, texts, 5)
        parts = list(heats([race], 512, 2000))
        assert len(parts) > 2
        for heat in parts:
            run_heat(progressive.pair_model, exits, heat)
        output, left_after = race.output()
        whole = cross_encoder.score(query, texts)
        ended = left_after == 0
        assert 5 <= ended.sum() < 30
        assert output.logits[ended, 0].tolist() == whole[ended].tolist()
        assert set(np.argsort(-whole)[:3]) <= set(np.flatnonzero(ended))

    def test_windows_of_long_documents(
        self, candidates: Candidates, progressive: ProgressiveReranker, cross_encoder: CrossEncoderReranker
    ) -> None:
        """A long document is as good as its best window, with its passage; and as many more windows are kept."""
        query, texts = next(iter(candidates.items()))
        best = cross_encoder.rerank(query, texts)[0].text
        documents = [*texts[:6], " ".join(["It rained all day in the hills."] * 80) + " " + best]
        settings = {"max_length": 128}
        whole = CrossEncoderReranker(**settings).rerank(query, documents)  # type: ignore[arg-type]
        some = ProgressiveReranker(k=2, **settings).rerank(query, documents)  # type: ignore[arg-type]
        assert some[0].index == whole[0].index and some[0].score == whole[0].score
        assert some[0].explanation.get("passage") == whole[0].explanation.get("passage")
        assert some.trace.counts["passages"] == whole.trace.counts["passages"] > 8


class TestComposition:
    def test_neither_a_cache_nor_windows_go_around_it(self, progressive: ProgressiveReranker) -> None:
        """Its scores depend on the other documents; the error says so."""
        for wrapper in (sp.CachedReranker, sp.PassageReranker):
            with pytest.raises(CompositionError, match="don't depend on the other documents"):
                wrapper(progressive)

    def test_the_retrievers_prior_goes_around_it(self, progressive: ProgressiveReranker) -> None:
        """By itself in adapters and searches, as with a cross-encoder; a fallback and a cascade take it too."""
        assert isinstance(with_prior(progressive), sp.PriorReranker)
        other = CrossEncoderReranker(progressive.pair_model)
        fallback = sp.FallbackReranker([progressive, other])
        texts = ["To copy a file, call shutil.copy.", "The weather will be sunny."]
        query = "how do I copy a file"
        assert fallback.score(query, texts).tolist() == other.score(query, texts).tolist()
        assert len(sp.CascadeReranker([other, progressive], keep=[1]).rerank(query, texts)) == 2

    def test_a_language_that_it_does_not_read_keeps_its_order(self, progressive: ProgressiveReranker) -> None:
        """As with a cross-encoder."""
        with pytest.warns(LanguageWarning, match="does not read"):
            ranking = ProgressiveReranker(progressive.pair_model).rerank("كيف أنسخ ملفا", ["الطقس جميل", "حذف مجلد"])
        assert [document.score for document in ranking] == [0.0, 0.0]


class TestSettings:
    def test_it_is_data(self, progressive: ProgressiveReranker, tmp_path: Path) -> None:
        """By name, from a configuration, from a pickle; with the fingerprint of its own settings and exits."""
        ready = Exits.ready(progressive.pair_model.files)
        assert ready is not None
        ready.save(tmp_path / "exits.json")
        built = sp.from_config({"type": "progressive", "k": 3, "exits": str(tmp_path / "exits.json")})
        again = sp.from_config(built.to_config())
        assert isinstance(again, ProgressiveReranker) and again.k == 3
        assert again.fingerprint == built.fingerprint != progressive.fingerprint
        copy = pickle.loads(pickle.dumps(progressive))  # our own
        assert copy.fingerprint == progressive.fingerprint and copy.score("a", ["b"]).shape == (1,)
        others = {ProgressiveReranker(progressive.pair_model, **{name: 2}).fingerprint for name in ("k", "caution")}  # type: ignore[arg-type]
        plain = CrossEncoderReranker(progressive.pair_model).fingerprint
        assert len(others | {plain, progressive.fingerprint}) == 4
        assert sp.load("progressive", activation="sigmoid").scale is sp.Scale.PROBABILITY

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"k": 0}, "k must be a whole number of documents"),
            ({"caution": -1}, "caution must be"),
            ({"exits": 3}, "exits is a file or an Exits, not int"),
            ({"batch_tokens": 512}, "runs each pair alone"),
            ({"device": "cuda"}, "cuda"),
            ({"instruction": "short ones"}, "instruction"),
        ],
    )
    def test_settings_that_can_not_be_are_refused(self, settings: dict[str, object], message: str) -> None:
        """Each by its name."""
        with pytest.raises((ConfigError, TypeError), match=message):
            ProgressiveReranker(**settings)  # type: ignore[arg-type]

    def test_the_model_has_to_have_exits_of_its_own(
        self, cross_encoder: CrossEncoderReranker, progressive: ProgressiveReranker, tmp_path: Path
    ) -> None:
        """Not those of another model, or behind other layers; and one that was opened whole is refused."""
        with pytest.raises(ConfigError, match="can't stop between its layers"):
            ProgressiveReranker(cross_encoder.pair_model)
        width = np.zeros(3 * 384, np.float32)
        with pytest.raises(ConfigError, match="fitted on other"):
            ProgressiveReranker(exits=Exits((Exit(3, width, 0.0, 1.0),), "other", "123"))
        own = Exits((Exit(3, width, 0.0, 1.0),), "mine", progressive.pair_model.files.identity())
        with pytest.raises(ConfigError, match=r"behind the layers \(3,\)"):
            ProgressiveReranker(progressive.pair_model, exits=own)
        (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
        with pytest.raises(ModelIntegrityError, match=r"bad\.json"):
            ProgressiveReranker(exits=tmp_path / "bad.json")
        with pytest.raises(ModelError, match="can't stop between its layers"):
            ProgressiveReranker(precision="exported")
