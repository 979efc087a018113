"""For tests: a deterministic reranker, and the contract that every reranker has to keep.

```python
from secondpass.testing import RerankerContract


class TestMyReranker(RerankerContract):
    def make(self):
        return MyReranker()
```

Run by pytest, this puts a reranker (of secondpass or of anyone else) through the whole suite. Nothing
here needs a network, and pytest only to collect the class.
"""

import asyncio
import json
import pickle
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from secondpass.base import Reranker
from secondpass.errors import InputError, TruncationWarning
from secondpass.loading import from_config
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import Flag, OneOf

__all__ = ["FakeReranker", "RerankerContract"]


class FakeReranker(Reranker):
    """Scores by the words that the query and a document share; without any model, and always the same.

    A score is the share of the query's words in the document, plus less than a thousandth that depends on
    the document's text, so that different texts hardly ever tie.

    Args:
        scale: the scale of its scores. Logits are spread over -10 to 10.
        pointwise: whether it claims to be pointwise.
    """

    registry_name: ClassVar[str] = "fake"

    def __init__(self, *, scale: str = "probability", pointwise: bool = True) -> None:
        self.scale = OneOf(*Scale).checked(scale, "FakeReranker: scale")
        self.pointwise = Flag().checked(pointwise, "FakeReranker: pointwise")

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [self._scores(request) for request in requests]

    def _scores(self, request: Request) -> Scores:
        words = set(request.query.lower().split())
        shared = [len(words & set(text.lower().split())) / len(words) for text in request.texts]
        jitter = [crc32(text.encode()) / 2**32 / 1000 for text in request.texts]
        values = np.array([0.999 * share + part for share, part in zip(shared, jitter, strict=True)])
        if self.scale is Scale.LOGIT:
            values = 20 * values - 10
        return Scores(values, trace=Trace(counts={"pairs": len(request), "pairs_scored": len(request)}))


class RerankerContract(ABC):
    """What every reranker keeps, as a suite of tests: subclass it and write `make`.

    Attributes:
        tolerance: how much a score may differ when only the rest of the batch does. 1e-4 suits
            float models; a dynamically quantised one in shared batches needs more.
        query: a question that one of ``documents`` answers.
        documents: texts in the language that the reranker reads.
    """

    tolerance: ClassVar[float] = 1e-4
    query: ClassVar[str] = "how do I copy a file in python"
    documents: ClassVar[tuple[str, ...]] = (
        "The weather will be sunny all week.",
        "To copy a file in python, call shutil.copy with the source and the destination.",
        "os.remove deletes a file.",
        "Knead the dough and let it rest for an hour.",
        "A file can be opened in python with open.",
    )

    @abstractmethod
    def make(self) -> Reranker:
        """Return a reranker to test; called once for each test."""

    def test_no_documents_give_an_empty_ranking(self) -> None:
        """A request without documents gives a ranking without documents."""
        assert len(self.make().rerank(self.query, [])) == 0
        assert self.make().score(self.query, []).shape == (0,)

    def test_one_document_comes_back(self) -> None:
        """A single document is ranked first, with a Python float as its score."""
        (only,) = self.make().rerank(self.query, [self.documents[0]])
        assert (only.index, only.rank, only.text) == (0, 1, self.documents[0])
        assert type(only.score) is float

    def test_every_document_comes_back_once_in_order_of_score(self) -> None:
        """Indices are a permutation, ranks count from 1, scores never rise."""
        ranking = self.make().rerank(self.query, self.documents)
        assert sorted(document.index for document in ranking) == list(range(len(self.documents)))
        assert [document.rank for document in ranking] == list(range(1, len(ranking) + 1))
        scores = [document.score for document in ranking]
        assert scores == sorted(scores, reverse=True)

    def test_scores_are_finite_and_on_their_scale(self) -> None:
        """Scores are finite float64, one for each document, and probabilities lie in [0, 1]."""
        reranker = self.make()
        scores = reranker.score(self.query, self.documents)
        assert scores.shape == (len(self.documents),) and scores.dtype == np.float64
        assert np.isfinite(scores).all()
        if reranker.scale is Scale.PROBABILITY:
            assert scores.min() >= 0 and scores.max() <= 1

    def test_rank_agrees_with_score(self) -> None:
        """`rerank` and `score` say the same of each document."""
        reranker = self.make()
        scores = reranker.score(self.query, self.documents)
        for document in reranker.rerank(self.query, self.documents):
            assert abs(document.score - scores[document.index]) <= self.tolerance

    def test_duplicates_all_come_back_and_ties_keep_their_order(self) -> None:
        """Equal documents get equal scores where they are scored one by one, and stay in order."""
        reranker = self.make()
        documents = [self.documents[1], self.documents[0], self.documents[1], self.documents[0]]
        ranking = reranker.rerank(self.query, documents)
        assert sorted(document.index for document in ranking) == [0, 1, 2, 3]
        if reranker.pointwise:
            places = {document.index: document.rank for document in ranking}
            assert places[0] < places[2] and places[1] < places[3]
            assert len({document.score for document in ranking}) == 2

    def test_k_takes_the_best(self) -> None:
        """`k` gives the beginning of the whole ranking, and more than there are gives all."""
        reranker = self.make()
        whole = [document.index for document in reranker.rerank(self.query, self.documents)]
        assert [document.index for document in reranker.rerank(self.query, self.documents, k=2)] == whole[:2]
        assert len(reranker.rerank(self.query, self.documents, k=1000)) == len(self.documents)

    def test_mappings_come_back_untouched(self) -> None:
        """Documents with an id and metadata come back as the very objects, unchanged."""
        documents = [{"text": text, "id": at, "metadata": {"score": "mine"}} for at, text in enumerate(self.documents)]
        before = json.dumps(documents)
        ranking = self.make().rerank(self.query, documents)
        assert all(document.document is documents[document.index] for document in ranking)
        assert json.dumps(documents) == before

    def test_many_requests_are_answered_as_one_by_one(self) -> None:
        """`rerank_many` gives, in order, what `rerank` gives, with requests without documents in between."""
        reranker = self.make()
        requests = [(self.query, self.documents), ("what is the weather", self.documents[:2]), (self.query, ())]
        together = reranker.rerank_many(requests)
        assert [len(ranking) for ranking in together] == [len(self.documents), 2, 0]
        for ranking, (query, documents) in zip(together, requests, strict=True):
            alone = {document.index: document.score for document in reranker.rerank(query, documents)}
            assert {document.index for document in ranking} == set(alone)
            for document in ranking:
                assert abs(document.score - alone[document.index]) <= self.tolerance

    def test_bad_input_is_an_input_error(self) -> None:
        """What can't be used is refused with `InputError`, before any scoring."""
        reranker = self.make()
        bad_calls: list[tuple[Any, Any, Any]] = [
            (None, ["a"], 1),
            (" ", ["a"], 1),
            ("q", "a text", 1),
            ("q", ["a", None], 1),
            ("q", [3], 1),
        ]
        bad_calls += [("q", [{"no": "text"}], 1), ("q", ["a"], 0), ("q", ["a"], -1), ("q", ["a"], 1.5)]
        for query, documents, k in bad_calls:
            try:
                reranker.rerank(query, documents, k=k)
            except InputError:
                continue
            else:
                raise AssertionError(f"accepted query={query!r}, documents={documents!r}, k={k!r}")

    def test_odd_texts_are_scored(self) -> None:
        """Empty, blank, very long, foreign and broken texts get finite scores and come back as they were."""
        texts = ["", " \n", "\ud800 lone", "\x00\x01", "日本語のテキスト", "🙂" * 50, "word " * 2_000]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)
            ranking = self.make().rerank(self.query + " \udfff", texts)
        assert sorted(document.text for document in ranking) == sorted(texts)

    def test_threads_get_what_one_thread_gets(self) -> None:
        """Eight threads that share a reranker get the scores that one gets."""
        reranker = self.make()
        expected = reranker.score(self.query, self.documents)
        with ThreadPoolExecutor(8) as pool:
            for scores in pool.map(lambda _: reranker.score(self.query, self.documents), range(16)):
                np.testing.assert_allclose(scores, expected, atol=self.tolerance, rtol=0)

    def test_it_survives_pickling(self) -> None:
        """A pickled and restored reranker gives the same scores."""
        reranker = self.make()
        restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301  # our own bytes
        expected = reranker.score(self.query, self.documents)
        np.testing.assert_allclose(restored.score(self.query, self.documents), expected, atol=self.tolerance, rtol=0)

    def test_its_configuration_builds_it_again(self) -> None:
        """`to_config`, through JSON and `from_config`, gives the same scores and the same fingerprint."""
        reranker = self.make()
        config = json.loads(json.dumps(reranker.to_config()))
        restored = from_config(config)
        assert type(restored) is type(reranker)
        assert restored.fingerprint == reranker.fingerprint == type(reranker).from_config(config).fingerprint
        expected = reranker.score(self.query, self.documents)
        np.testing.assert_allclose(restored.score(self.query, self.documents), expected, atol=self.tolerance, rtol=0)

    def test_async_works_inside_a_running_loop(self) -> None:
        """`arerank` gives what `rerank` gives, in several tasks of one loop, and in a second loop."""
        reranker = self.make()
        expected = [document.index for document in reranker.rerank(self.query, self.documents)]

        async def several() -> list[list[int]]:
            rankings = await asyncio.gather(*(reranker.arerank(self.query, self.documents) for _ in range(4)))
            return [[document.index for document in ranking] for ranking in rankings]

        for _ in range(2):
            assert asyncio.run(several()) == [expected] * 4

    def test_the_ranking_can_be_printed_and_saved(self) -> None:
        """A ranking has a text, an HTML table and plain data that JSON can hold; markup in texts is escaped."""
        ranking = self.make().rerank(self.query, [*self.documents, "<script>alert(1)</script>"])
        assert self.query in repr(ranking)
        assert "<script>" not in ranking._repr_html_()
        assert len(json.loads(json.dumps(ranking.to_dict()))["documents"]) == len(self.documents) + 1
