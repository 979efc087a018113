"""The order for a reader: contracts, orders by hand, and what the wrappers say to each other."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.composition import in_context
from secondpass.composition.order import diverse
from secondpass.composition.order.relevance import relevance
from secondpass.models import EmbeddingModel
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Document, Scale
from tests.composition.tables import Table

_NOW_S = datetime(2026, 11, 29, tzinfo=UTC).timestamp()


class TestContractOfDiverse(RerankerContract):
    def make(self) -> sp.Reranker:
        return sp.DiverseReranker(FakeReranker(scale="logit"), weight=0.5, depth=3)


class TestContractOfRecent(RerankerContract):
    def make(self) -> sp.Reranker:
        return sp.RecentReranker(FakeReranker())


class TestContractOfBoosted(RerankerContract):
    def make(self) -> sp.Reranker:
        return sp.BoostedReranker(FakeReranker(scale="ordinal"), boosts={"score": {"mine": 0.5}, "year": {2026: 0.1}})


class TestContractOfBudget(RerankerContract):
    def make(self) -> sp.Reranker:
        return sp.BudgetReranker(FakeReranker(), 20, tokens_per_document=1)


class TestContractOfLostInTheMiddle(RerankerContract):
    def make(self) -> sp.Reranker:
        return sp.LostInTheMiddleReranker(FakeReranker())

    def test_k_takes_the_best(self) -> None:
        """It arranges the k best, and not the first k of what it arranges."""
        assert _order(self.make(), self.query, self.documents, k=2) == [1, 4]
        assert len(self.make().rerank(self.query, self.documents, k=1000)) == len(self.documents)


def _order(reranker: sp.Reranker, query: str, documents: Sequence[Document], k: int | None = None) -> list[int]:
    return [document.index for document in reranker.rerank(query, documents, k=k)]


def _table(values: Sequence[float], scale: Scale = Scale.PROBABILITY) -> tuple[Table, list[str]]:
    """Return a reranker, and the texts to which it gives these scores."""
    texts = [f"text{at}" for at in range(len(values))]
    return Table(dict(zip(texts, values, strict=True)), scale=scale), texts


def _dated(texts: Sequence[str], dates: Sequence[Any]) -> list[Document]:
    return [{"text": text, "metadata": {"date": each}} for text, each in zip(texts, dates, strict=True)]


def test_relevance_is_from_0_to_1() -> None:
    """Probabilities as they are; other scores between the lowest and the highest, however large."""
    assert relevance(np.array([0.2, 0.4]), Scale.PROBABILITY).tolist() == [0.2, 0.4]
    assert relevance(np.array([-3.0, 1.0, -1.0]), Scale.LOGIT).tolist() == [0.0, 1.0, 0.5]
    assert relevance(np.array([2.0, 2.0]), Scale.ORDINAL).tolist() == [0.0, 0.0]
    assert relevance(np.array([-1.7e308, 1.7e308]), Scale.LOGIT).tolist() == [0.0, 1.0]


class TestDiverse:
    def test_a_copy_goes_behind_what_is_new(self) -> None:
        """By hand: the copy has 0.7 * 0.85 - 0.3 * 1, the other 0.7 * 0.6 - 0.3 * 0.5 = 0.27."""
        texts = ["red fox", "fox red", "red dog", "cat"]
        wrapped = Table(dict(zip(texts, (0.9, 0.8, 0.6, 0.1), strict=True)), scale=Scale.PROBABILITY)
        ranking = sp.DiverseReranker(wrapped).rerank("q", texts)
        assert [document.index for document in ranking] == [0, 2, 1, 3]
        similarities = [document.explanation["similarity"] for document in ranking]
        assert similarities == pytest.approx([0.0, 0.5, 1.0, 0.0])
        assert [document.explanation["reranker_score"] for document in ranking] == [0.9, 0.6, 0.8, 0.1]
        assert [document.score for document in ranking] == [4.0, 3.0, 2.0, 1.0] and ranking.scale is Scale.ORDINAL

    def test_a_weight_of_0_changes_nothing_and_what_lies_below_the_depth_stays(self) -> None:
        """In the order of the wrapped reranker."""
        texts = ["a b", "a b.", "a b!", "c"]
        wrapped = Table(dict(zip(texts, (4.0, 3.0, 2.0, 1.0), strict=True)))
        assert _order(sp.DiverseReranker(wrapped, weight=0.0), "q", texts) == [0, 1, 2, 3]
        assert _order(sp.DiverseReranker(wrapped, weight=1.0, depth=3), "q", texts) == [0, 1, 2, 3]
        assert _order(sp.DiverseReranker(wrapped, weight=1.0, depth=4), "q", texts) == [0, 3, 1, 2]
        ranking = sp.DiverseReranker(wrapped, depth=3).rerank("q", texts)
        assert ranking[3].explanation["similarity"] is None

    @pytest.mark.parametrize("texts", [["東京は首都です", "京都は古都です", "東京が首都です"], ["Éa b", "c d", "éA b"]])
    def test_words_are_those_of_any_script(self, texts: list[str]) -> None:
        """Pairs of letters where there are no spaces; case does not count."""
        wrapped = Table(dict(zip(texts, (0.9, 0.85, 0.89), strict=True)), scale=Scale.PROBABILITY)
        assert _order(sp.DiverseReranker(wrapped), "q", texts) == [0, 1, 2]

    def test_words_are_counted_in_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many there are at once, similarities are the same, and those of sets."""
        chance = np.random.default_rng(0)
        texts = [" ".join(map(str, chance.integers(0, 60, size))) for size in (0, 1, 5, 20, 40, 40, 3)]
        sets = [set(text.split()) for text in texts]
        expected = [[len(a & b) / np.sqrt(max(1, len(a)) * max(1, len(b))) for b in sets] for a in sets]
        for columns in (7, 4096):
            monkeypatch.setattr(diverse, "_COLUMNS", columns)
            np.testing.assert_allclose(diverse._word_similarities(texts), expected, rtol=1e-15)

    def test_vectors_tell_what_words_do_not(self) -> None:
        """The model is asked for the best `depth` documents; its weights are part of the identity."""

        class Directions(EmbeddingModel):
            max_length = 8
            seen: ClassVar[list[str]] = []

            def _encode(self, texts: Sequence[str], progress: bool) -> Any:
                self.seen.extend(texts)
                return np.array(
                    [{"car": (1, 0), "auto": (1, 0.1), "tree": (0, -1)}[text] for text in texts], np.float32
                )

        model = Directions("directions")
        model.fingerprint = "directions-1"
        texts = ["car", "auto", "tree", "far below"]
        wrapped = Table(dict(zip(texts, (0.9, 0.8, 0.6, 0.1), strict=True)), scale=Scale.PROBABILITY)
        reranker = sp.DiverseReranker(wrapped, model=model, depth=3, weight=0.5)
        assert _order(reranker, "q", texts) == [0, 2, 1, 3] and model.seen == ["car", "auto", "tree"]
        assert reranker.rerank("q", texts)[1].explanation["similarity"] == 0.0  # less than nothing in common is nothing
        before = reranker.fingerprint
        model.fingerprint = "directions-2"
        assert reranker.fingerprint != before

    @given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(0, 1), st.integers(1, 15))
    def test_it_is_an_order_of_all_with_the_best_first(self, values: list[float], weight: float, depth: int) -> None:
        """Whatever the weight: the first one has nothing above it."""
        wrapped, texts = _table(values, Scale.LOGIT)
        order = _order(sp.DiverseReranker(wrapped, weight=weight, depth=depth), "q", texts)
        assert sorted(order) == list(range(len(values)))
        if weight < 1:
            assert values[order[0]] == pytest.approx(max(values), abs=1e-9)


class TestRecent:
    @pytest.mark.parametrize(
        ("given_", "age_days"),
        [
            ("2026-11-28", 1.0),
            (" 2026-11-28T12:00:00Z ", 0.5),
            ("2026-11-28T14:00:00+02:00", 0.5),
            (date(2026, 11, 19), 10.0),
            (datetime(2026, 11, 28, 12), 0.5),
            (datetime(2026, 11, 28, 14, tzinfo=timezone(timedelta(hours=2))), 0.5),
            (_NOW_S - 86_400, 1.0),
            ("2030-01-01", 0.0),
            (None, None),
            ("yesterday", None),
            (True, None),
            (float("nan"), None),
            (1000 * _NOW_S, None),  # milliseconds
            ([], None),
        ],
    )
    def test_dates_are_read_as_they_are_written(self, given_: Any, age_days: float | None) -> None:
        """Without a zone in UTC; the future is today; what isn't a date is counted."""
        reranker = sp.RecentReranker(FakeReranker(), half_life_days=10, weight=0.4, clock=lambda: _NOW_S)
        ranking = reranker.rerank("q", _dated(["d"], [given_]))
        assert ranking[0].explanation["age_days"] == (None if age_days is None else pytest.approx(age_days))
        expected = 0.0 if age_days is None else 0.4 * 0.5 ** (age_days / 10)
        assert ranking[0].explanation["recency"] == pytest.approx(expected)
        assert ranking.trace.counts["undated"] == int(age_days is None)

    def test_the_weight_says_how_much_relevance_a_date_is_worth(self) -> None:
        """A document of today overtakes one that is up to 0.2 more relevant."""
        wrapped, texts = _table([0.8, 0.65, 0.59, 0.9])
        documents = _dated(texts, ["2000-01-01", "2026-11-29", "2026-11-29", None])
        ranking = sp.RecentReranker(wrapped, clock=lambda: _NOW_S).rerank("q", documents, k=3)
        assert [document.index for document in ranking] == [3, 1, 0]
        assert "1 of 4 documents have no date under 'date'" in ranking.trace.notes[0]
        assert all(document.document is documents[document.index] for document in ranking)

    def test_settings_are_checked(self) -> None:
        """With what each may be."""
        with pytest.raises(sp.ConfigError, match="half_life_days must be a number of days above 0"):
            sp.RecentReranker(FakeReranker(), half_life_days=0)
        assert "clock" not in sp.RecentReranker(FakeReranker()).to_config()


class TestBoosted:
    def test_boosts_of_fields_and_of_lists_add_up(self) -> None:
        """Values are compared as texts; a document that is a text has no metadata."""
        wrapped, texts = _table([0.5, 0.5, 0.5, 0.5, 0.5])
        boosts: dict[str, dict[Any, float]] = {
            "source": {"handbook": 0.2, "forum": -0.1},
            "tags": {2026: 0.1, "x": 0.05},
        }
        metadata: list[Any] = [
            {"source": "forum"},
            {"source": "handbook", "tags": ["2026", "x", "x"]},
            {"tags": 2026},
            3,
        ]
        documents: list[Document] = [{"text": t, "metadata": m} for t, m in zip(texts, metadata, strict=False)]
        ranking = sp.BoostedReranker(wrapped, boosts=boosts).rerank("q", [*documents, texts[4]])
        assert [document.index for document in ranking] == [1, 2, 3, 4, 0]
        assert [document.explanation["boost"] for document in ranking] == pytest.approx([0.35, 0.1, 0, 0, -0.1])

    @pytest.mark.parametrize("boosts", [3, {"source": 0.2}, {"source": {"a": "0.2"}}, {"source": {"a": float("inf")}}])
    def test_what_are_no_boosts_is_refused(self, boosts: Any) -> None:
        """With what they look like."""
        with pytest.raises(sp.ConfigError, match="BoostedReranker: boosts"):
            sp.BoostedReranker(FakeReranker(), boosts=boosts)


class TestBudget:
    def test_the_best_that_fit_come_first(self) -> None:
        """With or without those behind one that does not fit; all come back."""
        texts = ["one two three", "one two three four five six", "one two", "one"]
        wrapped = Table(dict(zip(texts, (4.0, 3.0, 2.0, 1.0), strict=True)))

        def words(text: str) -> int:
            return len(text.split())

        ranking = sp.BudgetReranker(wrapped, 8, tokens_per_document=1, count_tokens=words).rerank("q", texts)
        assert [document.index for document in ranking] == [0, 2, 1, 3]
        assert [document.explanation["tokens"] for document in ranking] == [3, 2, 6, 1]
        assert [document.index for document in in_context(ranking)] == [0, 2]
        assert ranking.trace.counts == {"context_tokens": 7, "left_out": 2}
        strict = sp.BudgetReranker(wrapped, 8, tokens_per_document=1, count_tokens=words, skip=False)
        assert [document.index for document in in_context(strict.rerank("q", texts))] == [0]
        assert len(in_context(sp.BudgetReranker(wrapped, 1).rerank("q", [*texts[:3], ""]))) == 0

    @pytest.mark.parametrize("count", [lambda text: text.missing, lambda _: 1.5, lambda _: -1])
    def test_counting_that_fails_is_named(self, count: Any) -> None:
        """As the function may be anyone's."""
        with pytest.raises(sp.ScoringError, match="count"):
            sp.BudgetReranker(FakeReranker(), 8, count_tokens=count).rerank("q", ["d"])

    def test_a_ranking_without_a_budget_has_no_context(self) -> None:
        """Rather than an empty one."""
        with pytest.raises(sp.InputError, match="put a BudgetReranker around"):
            in_context(FakeReranker().rerank("q", ["d"]))
        assert len(in_context(FakeReranker().rerank("q", []))) == 0


class TestLostInTheMiddle:
    @pytest.mark.parametrize(
        ("n", "k", "order"),
        [
            (1, None, [0]),
            (2, None, [0, 1]),
            (5, None, [0, 2, 4, 3, 1]),
            (6, None, [0, 2, 4, 5, 3, 1]),
            (6, 3, [0, 2, 1]),
            (6, 9, [0, 2, 4, 5, 3, 1]),
        ],
    )
    def test_the_best_are_at_both_ends(self, n: int, k: int | None, order: list[int]) -> None:
        """Of the k best, if there is a k."""
        wrapped, texts = _table(list(np.linspace(1, 0, n)))
        ranking = sp.LostInTheMiddleReranker(wrapped).rerank("q", texts, k=k)
        assert [document.index for document in ranking] == order
        assert [document.explanation["relevance_rank"] for document in ranking] == [at + 1 for at in order]

    def test_a_budget_within_says_what_is_arranged(self) -> None:
        """What does not fit comes after it, in its order; the reranker's own scores stay in the explanations."""
        wrapped, texts = _table([0.9, 0.8, 0.7, 0.6, 0.5])
        budget = sp.BudgetReranker(wrapped, 3, count_tokens=lambda _: 1)
        ranking = sp.LostInTheMiddleReranker(budget).rerank("q", texts)
        assert [document.index for document in ranking] == [0, 2, 1, 3, 4]
        assert [document.index for document in in_context(ranking)] == [0, 2, 1]
        assert [document.explanation["reranker_score"] for document in ranking] == [0.9, 0.7, 0.8, 0.6, 0.5]

    def test_what_stands_around_the_budget_moves_nothing_into_the_context(self) -> None:
        """A recent document that did not fit is not read, however far up its date has brought it."""
        wrapped, texts = _table([0.9, 0.8, 0.7, 0.6])
        budget = sp.BudgetReranker(wrapped, 3, count_tokens=lambda text: 9 if text == "text3" else 1)
        recent = sp.RecentReranker(budget, weight=5, clock=lambda: _NOW_S)
        documents = _dated(texts, ["2000-01-01", "2000-01-01", "2026-11-28", "2026-11-29"])
        ranking = sp.LostInTheMiddleReranker(recent).rerank("q", documents)
        assert [document.explanation["relevance_rank"] for document in ranking] == [1, 4, 3, 2]
        assert [document.index for document in ranking] == [2, 1, 0, 3]
        assert [document.index for document in in_context(ranking)] == [2, 1, 0]
        first = sp.LostInTheMiddleReranker(recent).rerank("q", documents, k=2)
        assert [document.index for document in first] == [2, 0]
