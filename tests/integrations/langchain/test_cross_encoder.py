"""`SecondPassCrossEncoder`, alone and in LangChain's own compressor."""

import pickle
from typing import Any

import pytest
from langchain_classic.retrievers.document_compressors import CrossEncoderReranker

from langchain_secondpass import SecondPassCrossEncoder
from secondpass import InputError, RegistryError
from secondpass.testing import FakeReranker
from tests.integrations.langchain.candidates import QUERY, CountingReranker, candidates, ids


class TestCrossEncoder:
    """`SecondPassCrossEncoder`."""

    def test_scores_in_input_order_in_one_call(self) -> None:
        """Pairs of several queries, mixed and repeated, get the scores that each would get alone."""
        reranker = CountingReranker()
        pairs = [
            (QUERY, "copy a file"),
            ("the weather", "copy the weather"),
            (QUERY, "the weather"),
            (QUERY, "copy a file"),
        ]
        scores = SecondPassCrossEncoder(reranker).score(pairs)
        assert reranker.calls == [[3, 1]]
        assert scores == [float(FakeReranker().score(query, [text])[0]) for query, text in pairs]
        assert [type(score) for score in scores] == [float] * 4

    def test_no_pairs(self) -> None:
        """No pairs give no scores."""
        assert SecondPassCrossEncoder("fake").score([]) == []

    def test_wrong_settings_and_pairs(self) -> None:
        """Errors are ours, and come as early as they can."""
        with pytest.raises(RegistryError, match="'nope' is neither"):
            SecondPassCrossEncoder("nope")
        with pytest.raises(InputError, match="the query is empty"):
            SecondPassCrossEncoder("fake").score([("", "text")])

    @pytest.mark.parametrize(
        "pair", [("copy", None), (None, "text"), (["copy"], "text"), ("copy",), "ab", ("a", "b", "c")]
    )
    def test_a_wrong_pair_is_named_by_its_place(self, pair: Any) -> None:
        """Among all pairs, not among those of its query."""
        with pytest.raises(InputError, match=r"text_pairs\[2\] must be a pair of a query and a text, each a str, not"):
            SecondPassCrossEncoder("fake").score([("copy", "text"), ("move", "text"), pair])

    def test_in_langchains_own_compressor(self) -> None:
        """LangChain's `CrossEncoderReranker` orders by it, and takes nothing for nothing."""
        compressor = CrossEncoderReranker(model=SecondPassCrossEncoder("fake"), top_n=2)
        assert ids(compressor.compress_documents(candidates(), QUERY)) == ["copy", "again"]
        assert list(compressor.compress_documents([], QUERY)) == []

    def test_pickle_and_repr(self) -> None:
        """It survives pickling, and says what it wraps."""
        encoder = pickle.loads(pickle.dumps(SecondPassCrossEncoder("fake")))
        assert repr(encoder) == "SecondPassCrossEncoder(FakeReranker())"
        assert encoder.score([(QUERY, "copy a file")])[0] > 0.99
