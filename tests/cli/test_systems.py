"""The systems of the command line: what they need and is not installed."""

import sys

import pytest

from secondpass.cli.systems import all_of, systems_of
from secondpass.errors import MissingExtraError
from secondpass.evaluate.metrics import cutoff


@pytest.mark.parametrize(
    ("systems", "message"),
    [
        (["bm25", "dense"], r'BM25Retriever and DenseRetriever need .* pip install "secondpass\[bm25,faiss\]"$'),
        (["bm25", "bm25+dense", "x=bm25"], r'BM25Retriever and DenseRetriever need .* "secondpass\[bm25,faiss\]"$'),
        (["bm25", "bm25+fake"], r'^BM25Retriever needs .* pip install "secondpass\[bm25\]"$'),
    ],
)
def test_what_is_missing_is_named_at_once(systems: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever system needs it, also as a part of another; each extra once."""
    for name in ("bm25s", "faiss"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=message):
        systems_of(systems, 10)


def test_what_measures_is_named_with_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence with one command; what is there is made."""
    for name in ("bm25s", "faiss", "ir_measures"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError) as caught:
        all_of(lambda: systems_of(["bm25", "dense"], 10), lambda: cutoff("MAP"))
    assert str(caught.value) == (
        "BM25Retriever, DenseRetriever and secondpass.evaluate need packages that are not installed: "
        'pip install "secondpass[bm25,faiss,eval]"'
    )
    assert all_of(lambda: 1, lambda: 2) == [1, 2]
