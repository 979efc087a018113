"""Long documents: windows, pools, explanations, and documents that fit."""

import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.base import Reranker
from secondpass.composition.passage import PassageReranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores

QUERY = "how do I copy a file"
ANSWER = "shutil.copy copies a file to another place."
LONG = "Nothing of interest is said here. " * 150 + ANSWER + " And so it goes on and on." * 100


class TestContract(RerankerContract):
    def make(self) -> PassageReranker:
        return PassageReranker(FakeReranker())


class TestContractOfSmallWindows(RerankerContract):
    def make(self) -> PassageReranker:
        return PassageReranker(FakeReranker(scale="logit"), max_tokens=6, overlap=2, pool="top_mean", n_best=2)


class TestContractOfOrdinal(RerankerContract):
    def make(self) -> PassageReranker:
        return PassageReranker(FakeReranker(), max_tokens=6, pool="decayed_sum", borders="token")


class TestContractOfTheRealModel(RerankerContract):
    tolerance = 0.0

    def make(self) -> PassageReranker:
        return PassageReranker(CrossEncoderReranker())


class Numbers(Reranker):
    """Scores a text by the last number in it, explains it, and keeps what it was asked."""

    registry_name = "numbers"

    def __init__(self, scale: str = "logit", *, pointwise: bool = True) -> None:
        self.scale, self.pointwise = Scale(scale), pointwise
        self.calls: list[list[Request]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append(list(requests))
        return [
            Scores(np.array([float(text.split()[-1]) for text in request.texts]), {"seen": [*request.texts]})
            for request in requests
        ]


def pooled(values: Sequence[float], scale: str = "logit", **settings: Any) -> float:
    """Return the score of a document whose windows have these scores."""
    reranker = PassageReranker(Numbers(scale), max_tokens=6, overlap=0, **settings)
    # A number is three pieces: its digits, the point, its digits; a minus sign is one more.
    text = "".join(f"{'x ' * (6 - (4 if value < 0 else 3))}{value} " for value in values)
    return float(reranker.score("q", [text])[0])


class TestPools:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, 3.0),
            ({"pool": "max"}, 3.0),
            ({"pool": "first"}, 1.0),
            ({"pool": "mean"}, 0.5),
            ({"pool": "top_mean", "n_best": 2}, 2.0),
            ({"pool": "top_mean", "n_best": 9}, 0.5),
        ],
    )
    def test_values(self, settings: dict[str, Any], expected: float) -> None:
        """Each pool is what its name says, on the wrapped one's scale."""
        assert pooled([1.0, 3.0, -2.0, 0.0], **settings) == expected
        assert PassageReranker(Numbers(), **settings).scale is Scale.LOGIT
        assert PassageReranker(FakeReranker(), **settings).scale is Scale.PROBABILITY

    def test_the_decayed_sum_is_of_probabilities(self) -> None:
        """Best first, each next one weighted by one more factor; logits go through the logistic function."""
        assert pooled([0.1, 0.5, 0.2], "probability", pool="decayed_sum") == pytest.approx(0.5 + 0.1 + 0.025)
        assert pooled([0.1, 0.5], "probability", pool="decayed_sum", decay=0) == 0.5
        assert pooled([0.5, 0.2], "probability", pool="decayed_sum", decay=1) == pytest.approx(0.7)
        assert pooled([0.0, 0.0], pool="decayed_sum") == pytest.approx(0.75)
        assert PassageReranker(Numbers(), pool="decayed_sum").scale is Scale.ORDINAL

    def test_a_sum_never_falls_with_another_window(self) -> None:
        """A further window that is off topic takes nothing from a document."""
        assert pooled([-5.0, -9.0], pool="decayed_sum") > pooled([-5.0], pool="decayed_sum")

    def test_first_scores_the_first_only(self) -> None:
        """The other windows never reach the wrapped reranker."""
        inner = Numbers()
        ranking = PassageReranker(inner, max_tokens=3, overlap=0, pool="first").rerank("q", ["a b 1 c d 2 e f 3", "4"])
        assert [len(request) for request in inner.calls[0]] == [2]
        assert [d.score for d in ranking] == [4.0, 1.0]
        assert ranking.trace.counts == {"passages": 2, "documents_split": 1}


class TestWindows:
    def test_all_windows_of_all_requests_go_in_one_call(self) -> None:
        """So they share batches; each request keeps its query, its order, and its scores."""
        inner = Numbers()
        requests = [("q", ["a b 1 c d 2", "3"]), ("r", []), ("r", ["a b 1 c d 2 e f 9"])]
        first, empty, last = PassageReranker(inner, max_tokens=3, overlap=0).rerank_many(requests)
        assert [[*request.texts] for request in inner.calls[0]] == [
            ["a b 1 ", "c d 2", "3"],
            ["a b 1 ", "c d 2 ", "e f 9"],
        ]
        assert len(inner.calls) == 1 and len(empty) == 0
        assert [d.score for d in first] == [3.0, 2.0] and [d.score for d in last] == [9.0]

    def test_the_winning_passage_comes_back(self) -> None:
        """With its characters in the document, and with what the wrapped one explained of it."""
        document = {"text": "a b 1 c d 7 e f 3", "id": "x", "metadata": {"page": 2}}
        inner = Numbers()
        (ranked,) = PassageReranker(inner, max_tokens=3, overlap=0).rerank("q", [document])
        assert ranked.explanation == {"seen": "c d 7 ", "passage": {"start": 6, "end": 12, "text": "c d 7 "}}
        assert ranked.document is document
        assert inner.calls[0][0].documents[1] == {"text": "c d 7 ", "id": "x", "metadata": {"page": 2}}
        assert json.loads(json.dumps(ranked.to_dict()))["explanation"]["passage"]["start"] == 6

    def test_initial_scores_go_along(self) -> None:
        """Each window has that of its document."""
        inner = Numbers()
        PassageReranker(inner, max_tokens=3, overlap=0).rerank("q", ["a b 1 c d 2", "3"], initial_scores=[0.5, 0.25])
        assert inner.calls[0][0].initial_scores == (0.5, 0.5, 0.25)

    def test_a_document_that_fits_is_passed_on_as_it_is(self) -> None:
        """The very object, and it explains itself by its whole text."""
        inner, document = Numbers(), {"text": "a b 1", "more": object()}
        (ranked,) = PassageReranker(inner, max_tokens=3).rerank("q", [document])
        assert inner.calls[0][0].documents[0] is document
        assert ranked.explanation["passage"] == {"start": 0, "end": 5, "text": "a b 1"}

    def test_the_default_overlap_is_an_eighth(self) -> None:
        """It is measured in tokens of the window."""
        inner = Numbers()
        PassageReranker(inner, max_tokens=8).rerank("q", [" ".join(map(str, range(1, 20)))])
        assert [*inner.calls[0][0].texts] == ["1 2 3 4 5 6 7 8 ", "8 9 10 11 12 13 14 15 ", "15 16 17 18 19"]

    @settings(deadline=None)
    @given(st.lists(st.text(), min_size=1, max_size=4), st.integers(1, 20), st.sampled_from(["sentence", "token"]))
    def test_offsets_slice_to_the_text(self, texts: list[str], max_tokens: int, borders: Any) -> None:
        """Whatever the texts hold, and the best window's score is the document's."""
        inner = FakeReranker()
        for ranked in PassageReranker(inner, max_tokens=max_tokens, borders=borders).rerank("a b", texts):
            if ranked.explanation == {"blank": True}:
                continue
            passage = ranked.explanation["passage"]
            assert ranked.text[passage["start"] : passage["end"]] == passage["text"]
            assert inner.score("a b", [passage["text"]])[0] == ranked.score

    def test_offsets_hold_where_a_surrogate_was_replaced(self) -> None:
        """A lone surrogate is one character before and after."""
        (ranked,) = PassageReranker(Numbers(), max_tokens=3, overlap=0).rerank("q", ["\ud800 b 1 c \udfff 7"])
        assert ranked.explanation["passage"] == {"start": 6, "end": 11, "text": "c \ufffd 7"}


class TestRealModel:
    def test_short_documents_keep_their_scores(self, cross_encoder: CrossEncoderReranker) -> None:
        """Bit for bit, in company of long ones."""
        short = [ANSWER, "The weather will be sunny.", ""]
        scores = PassageReranker(cross_encoder).score(QUERY, [short[0], LONG, *short[1:]])
        assert scores[[0, 2, 3]].tolist() == cross_encoder.score(QUERY, short).tolist()

    def test_an_answer_at_the_end_is_found(self, cross_encoder: CrossEncoderReranker) -> None:
        """What the model alone would cut off is read, without a warning, and shown."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ranking = PassageReranker(cross_encoder).rerank(QUERY, ["Bake the bread. " * 200, LONG])
        assert [d.index for d in ranking] == [1, 0]
        assert ANSWER in ranking[0].explanation["passage"]["text"]
        assert ranking.trace.total("truncated") == 0 and ranking.trace.counts["documents_split"] == 2
        assert "truncated" not in ranking[0].explanation

    @pytest.mark.parametrize("query", [QUERY, "file " * 300, "file " * 700])
    def test_windows_fit_beside_the_query(self, query: str) -> None:
        """Nothing of a document is cut beside a query of any length, which alone may be too long."""
        reranker = CrossEncoderReranker(max_length=512)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (scores,) = PassageReranker(reranker).score_many([Request(query, [LONG])])
        assert scores.trace.total("truncated") == 0 and scores.trace.counts["documents_split"] == 1

    def test_more_tokens_than_fit_are_not_asked_of_it(self, cross_encoder: CrossEncoderReranker) -> None:
        """A ``max_tokens`` beyond the model's room means its room; a smaller one holds."""
        default = PassageReranker(cross_encoder).score_many([Request(QUERY, [LONG])])[0].trace.counts
        more = PassageReranker(cross_encoder, max_tokens=9_000).score_many([Request(QUERY, [LONG])])[0].trace.counts
        less = PassageReranker(cross_encoder, max_tokens=128).score_many([Request(QUERY, [LONG])])[0].trace.counts
        assert default == more and less["passages"] > 3 * default["passages"]


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"pool": "min"}, "pool must be 'max', 'first', 'mean', 'top_mean' or 'decayed_sum', not 'min'"),
            ({"borders": "word"}, "borders must be 'sentence' or 'token'"),
            ({"max_tokens": 0}, "max_tokens must be a whole number of at least 1"),
            ({"max_tokens": 2.5}, "max_tokens must be a whole number"),
            ({"overlap": -1}, "overlap must be a whole number of at least 0"),
            ({"max_tokens": 10, "overlap": 6}, r"overlap must be at most half of max_tokens, which is 10, not 6"),
            ({"n_best": True}, "n_best must be a whole number"),
            ({"decay": 1.5}, "decay must be a number between 0 and 1"),
            ({"decay": float("nan")}, "decay must be a number between 0 and 1"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """Each gets an error that names it."""
        with pytest.raises(ConfigError, match=message):
            PassageReranker(FakeReranker(), **settings)

    def test_compositions_that_make_no_sense_are_refused(self) -> None:
        """Scores that depend on the other documents, and means of ordinal scores."""
        with pytest.raises(CompositionError, match=r"PassageReranker needs scores that don't depend.*FakeReranker"):
            PassageReranker(FakeReranker(pointwise=False))
        with pytest.raises(CompositionError, match="needs logit or probability scores, but FakeReranker gives ordinal"):
            PassageReranker(FakeReranker(scale="ordinal"), pool="mean")
        assert PassageReranker(FakeReranker(scale="ordinal")).scale is Scale.ORDINAL

    def test_it_round_trips_with_what_it_wraps(self) -> None:
        """Every setting stands in the configuration, the wrapped one nested."""
        reranker = PassageReranker(FakeReranker(), max_tokens=9, overlap=3, borders="token", pool="mean")
        config = reranker.to_config()
        assert config == {
            "type": "passage",
            "wrapped": {"type": "fake", "scale": "probability", "pointwise": True},
            "max_tokens": 9,
            "overlap": 3,
            "borders": "token",
            "pool": "mean",
            "n_best": 3,
            "decay": 0.5,
        }
        assert sp.from_config(config).fingerprint == reranker.fingerprint
        assert repr(reranker) == "PassageReranker(FakeReranker())"


class TestPortions:
    def test_portions_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Scores, explanations and trace are those of one call, however small the portions are."""
        texts = [" ".join(f"{at}.{part}" for part in range(at)) for at in range(1, 9)]
        requests = [("q", texts), ("longer query", texts[:2]), ("q", [])]
        whole = PassageReranker(Numbers(), max_tokens=6).rerank_many(requests)
        monkeypatch.setattr("secondpass.windowed._PORTION_CHARACTERS", 20)
        wrapped = Numbers()
        for one, other in zip(PassageReranker(wrapped, max_tokens=6).rerank_many(requests), whole, strict=True):
            assert one.documents == other.documents
            assert one.trace.counts == other.trace.counts
            assert [(stage.name, stage.counts) for stage in one.trace.stages] == [
                (stage.name, stage.counts) for stage in other.trace.stages
            ]
        assert len(wrapped.calls) > 4

    def test_no_call_gets_more_than_a_portion(self) -> None:
        """Of two million characters, a bit more than one (windows overlap) is with the wrapped reranker at a time."""
        wrapped = Numbers()
        documents = [f"{at:04} " * 2_000 for at in range(220)]
        ranking = PassageReranker(wrapped).rerank("q", documents)
        assert [document.index for document in ranking[:3]] == [219, 218, 217]
        sizes = [sum(len(text) for request in call for text in request.texts) for call in wrapped.calls]
        assert len(sizes) == 3 and max(sizes) < 1.3 * 2**20
