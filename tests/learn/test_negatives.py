"""Hard negatives are near to the answer, are none, and what may be one is kept out and named."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.learn import LabelledText, TrainingExample, as_lists, as_tuples, mine_negatives
from secondpass.retrieve import BM25Retriever, DenseRetriever, HybridRetriever
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores

_CORPUS = [
    "copy a file with shutil [p=0.90]",
    "copy a file, as an unlabelled answer has it [p=0.88]",
    "copy a folder [p=0.60]",
    "a file that nobody can copy [p=0.30]",
    "file under copy, on paper [p=0.01]",
    "rain will fall in the north [p=0.00]",
]
_EXAMPLE = TrainingExample.of("copy a file", [_CORPUS[0]])


class _Judge(Reranker):
    """Scores a document by the probability in its text."""

    registry_name: ClassVar[str] = "judge"
    scale = Scale.PROBABILITY
    pointwise = True

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array([float(text[-5:-1]) for text in request.texts])) for request in requests]


def _mined(**settings: object) -> list[str]:
    arguments = {"retriever": BM25Retriever(), "reranker": _Judge(), "n": 10, **settings}
    (example,) = mine_negatives([_EXAMPLE], _CORPUS, **arguments).examples  # type: ignore[arg-type]  # any setting
    assert example.positives == _EXAMPLE.positives
    return [text[-5:-1] for text in example.negatives]


class TestWithAJudge:
    def test_the_hardest_come_first_and_false_ones_stay_out(self) -> None:
        """What scores above 95 % of the answer is rejected; what no word leads to is not a candidate."""
        assert _mined() == ["0.60", "0.30", "0.01"]
        assert _mined(n=2) == ["0.60", "0.30"]

    def test_ceiling_margin_and_floor(self) -> None:
        """A lower ceiling and a wider margin keep more out; below the floor nothing is kept out; None has no limit."""
        assert _mined(ceiling=0.5) == ["0.30", "0.01"]
        assert _mined(margin=0.5) == ["0.30", "0.01"]
        assert _mined(ceiling=None) == ["0.88", "0.60", "0.30", "0.01"]
        assert _mined(ceiling=0.01) == ["0.01"] and _mined(ceiling=0.01, floor=0.4) == ["0.30", "0.01"]
        assert _mined(ceiling=0.01, floor=0) == []

    def test_rejected_candidates_are_named(self) -> None:
        """With what they scored, and what they would have had to stay below: often a label is missing there."""
        mined = mine_negatives([_EXAMPLE], _CORPUS, retriever=BM25Retriever(), reranker=_Judge(), n=4)
        (rejected,) = mined.rejected
        assert (rejected.example, rejected.document) == (0, _CORPUS[1])
        assert rejected.score == pytest.approx(0.88) and rejected.limit == pytest.approx(0.95 * 0.9)
        assert mined.short == (0,) and mined.n_negatives == 3
        assert repr(mined) == (
            "Mined(3 negatives for 1 example, 1 candidate rejected as perhaps relevant, 1 example got too few)"
        )

    def test_logits_count_as_probabilities(self) -> None:
        """A margin on logits means what it means on probabilities."""

        class Logits(_Judge):
            scale = Scale.LOGIT

            def _score(self, requests: Sequence[Request]) -> list[Scores]:
                inside = [scores.values.clip(0.001, 0.999) for scores in super()._score(requests)]
                return [Scores(np.log(values / (1 - values))) for values in inside]

        assert _mined(reranker=Logits()) == _mined() and _mined(reranker=Logits(), margin=0.5) == _mined(margin=0.5)

    def test_depth_skip_and_chance(self) -> None:
        """Fewer candidates, without the first ones, and drawn: the same ones with the same seed."""
        first = [text[-5:-1] for text in BM25Retriever().index(_CORPUS).search("copy a file", 10).texts]
        kept = [text for text in first[2:4] if text not in ("0.90", "0.88")]
        assert sorted(_mined(depth=2, skip=2)) == sorted(kept)
        drawn = {tuple(_mined(n=1, pick="random", seed=seed)) for seed in range(12)}
        assert drawn == {("0.60",), ("0.30",), ("0.01",)}
        assert _mined(n=1, pick="random", seed=5) == _mined(n=1, pick="random", seed=5)


class TestWithoutAJudge:
    def test_the_retrievers_own_scores_decide(self) -> None:
        """What BM25 ranks above the answer, or as high, may be an answer."""
        scores = {
            document.text: document.score for document in BM25Retriever().index(_CORPUS).search("copy a file", 10)
        }
        (example,) = mine_negatives([_EXAMPLE], _CORPUS, retriever=BM25Retriever(), n=10).examples
        expected = [text for text in scores if scores[text] < 0.95 * scores[_CORPUS[0]]]
        assert list(example.negatives) == expected and expected

    def test_a_bi_encoder_and_both(self) -> None:
        """A dense retriever finds without common words; a hybrid of both finds the candidates of both."""
        corpus = ["duplicate a document", "copy a file with shutil", "copy that, over", "the weather is fine"]
        example = TrainingExample.of("copy a file", ["copy a file with shutil"])
        dense = DenseRetriever().index(corpus)
        by_vectors = mine_negatives([example], corpus, retriever=dense, n=2).examples[0]
        assert "duplicate a document" in by_vectors.negatives
        both = HybridRetriever([BM25Retriever(), dense]).index(corpus)
        assert len(mine_negatives([example], corpus, retriever=both, ceiling=None, n=3).examples[0].negatives) >= 1

    def test_an_answer_that_is_not_in_the_corpus_sets_no_limit(self) -> None:
        """Nothing is known of its score."""
        example = TrainingExample.of("copy a file", ["something else"])
        (mined,) = mine_negatives([example], _CORPUS, retriever=BM25Retriever(), n=2).examples
        assert len(mined.negatives) == 2


def test_what_is_known_is_no_candidate() -> None:
    """Documents that the example has, however they are written, do not come again; duplicates come once."""
    example = TrainingExample.of("copy a file", [_CORPUS[0].upper()], [_CORPUS[2]])
    (mined,) = mine_negatives([example], [*_CORPUS, *_CORPUS], retriever=BM25Retriever(), ceiling=None, n=10).examples
    assert sorted(mined.negatives) == sorted([*_CORPUS[1:5]]) and mined.scores is None


def test_examples_stay_in_order_and_as_they_are_where_nothing_is_found() -> None:
    """One without an answer or without candidates comes back untouched, and shapes can be made of the rest."""
    lone = TrainingExample.of("zzz", ["document [p=0.50]"])
    without = TrainingExample.of("copy a file", [], ["document"])
    mined = mine_negatives([lone, _EXAMPLE, without], _CORPUS, retriever=BM25Retriever(), reranker=_Judge(), n=2)
    assert mined.examples[0] == lone and mined.examples[2] == without and mined.short == (0, 2)
    assert as_tuples(mined.examples, 2)["negative_2"] == [_CORPUS[3]]
    assert as_lists(mined.examples)["labels"] == [[1.0, 0.0, 0.0]]


def test_what_can_not_be_used_is_refused() -> None:
    """Nothing to search, nothing to search for, scores that can't be compared, settings out of range."""
    bm25 = BM25Retriever()
    with pytest.raises(InputError, match="there are no examples"):
        mine_negatives([], _CORPUS, retriever=bm25)
    with pytest.raises(InputError, match="there are no documents to find negatives in"):
        mine_negatives([_EXAMPLE], [], retriever=bm25)
    with pytest.raises(InputError, match="only a TrainingExample has a query to search with"):
        mine_negatives([LabelledText("a", "b")], _CORPUS, retriever=bm25)  # type: ignore[list-item]  # as tested
    with pytest.raises(CompositionError, match="needs logits or probabilities"):
        mine_negatives([_EXAMPLE], _CORPUS, retriever=bm25, reranker=FakeReranker(scale="ordinal"))
    for name in ("n", "depth"):
        with pytest.raises(InputError, match=f"{name} must be a whole number of at least 1, not None"):
            mine_negatives([_EXAMPLE], _CORPUS, retriever=bm25, **{name: None})  # type: ignore[arg-type]  # as tested
    with pytest.raises(CompositionError, match="takes a Retriever, not a str"):
        mine_negatives([_EXAMPLE], _CORPUS, retriever="bm25")  # type: ignore[arg-type]  # as tested
    with pytest.raises(ConfigError, match="ceiling must be a number"):
        mine_negatives([_EXAMPLE], _CORPUS, retriever=bm25, ceiling=0)
    with pytest.raises(ConfigError, match="pick must be 'hardest' or 'random'"):
        mine_negatives([_EXAMPLE], _CORPUS, retriever=bm25, pick="easy")  # type: ignore[arg-type]  # as tested
