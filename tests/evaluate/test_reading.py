"""Judgements, runs and texts from every source that they may come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.errors import InputError
from secondpass.evaluate.metrics import per_query
from secondpass.evaluate.reading import read_qrels, read_run, read_texts


class Frame:
    """What DataFrames of pandas and polars have in common, as far as it is used."""

    def __init__(self, **columns: Sequence[Any]) -> None:
        self._columns = {name.replace("__", "-"): column for name, column in columns.items()}
        self.columns = list(self._columns)

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self._columns[name]


class TestQrels:
    @pytest.mark.parametrize(
        "source",
        [
            {"q": {"a": 2, "b": 0}},
            {"q": {"a": 2, 7: 0}},
            Frame(query_id=["q", "q"], doc_id=["a", "b"], relevance=[2, 0], iteration=["0", "0"]),
            Frame(qid=["q", "q"], docno=["a", "b"], label=[2, 0]),
            Frame(query__id=["q", "q"], corpus__id=["a", "b"], score=[2, 0]),
        ],
    )
    def test_mappings_and_frames_give_the_same(self, source: object) -> None:
        """Under the columns' names of ir-measures, PyTerrier and BEIR; whole numbers become ids."""
        assert read_qrels(source) in ({"q": {"a": 2, "b": 0}}, {"q": {"a": 2, "7": 0}})

    @pytest.mark.parametrize("text", ["q 0 a 2\nq 0 b 0\n", "query-id\tcorpus-id\tscore\r\nq\ta\t2\r\nq\tb\t0\r\n"])
    def test_files(self, tmp_path: Path, text: str) -> None:
        """TREC's and BEIR's form, with either line end."""
        (tmp_path / "qrels").write_bytes(text.encode())
        assert read_qrels(tmp_path / "qrels") == read_qrels(str(tmp_path / "qrels")) == {"q": {"a": 2, "b": 0}}

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ({}, "the qrels are empty"),
            ({"q": {"a": "high"}}, "grade of document 'a' for query 'q' must be a whole number, not 'high'"),
            ({"q": {"a": 1.5}}, "must be a whole number, not 1.5"),
            ({"q": {"a": True}}, r"not True \(a bool\)"),
            (Frame(qid=["q", "q"], docno=["a", "a"], label=[2, 0]), "document 'a' has two grades for query 'q'"),
            ({"q": ["a"]}, "query 'q' must have a mapping to grades"),
            ({"": {"a": 1}}, "the id of a query must be a str that is not empty"),
            ({"q": {None: 1}}, "the id of a document must be"),
            (Frame(query_id=["q"], doc_id=["a"]), "needs a column 'relevance' or 'label'"),
            (7, "pass a file, a mapping by query id, or a DataFrame, not 7"),
            ("no-such-file", "no-such-file can't be read"),
        ],
    )
    def test_what_is_wrong_is_said(self, source: object, message: str) -> None:
        """An error of ours names query and document."""
        with pytest.raises(InputError, match=message):
            read_qrels(source)


class TestRun:
    def test_lists_scores_frames_and_files_give_the_same_order(self, tmp_path: Path) -> None:
        """Best first, whatever the order in which it was written."""
        (tmp_path / "run").write_text("q Q0 b 2 1.5 me\nq Q0 a 1 2.5 me\n")
        frame = Frame(query_id=["q", "q"], doc_id=["b", "a"], score=[1.5, 2.5])
        for source in ({"q": ["a", "b"]}, {"q": {"b": 1.5, "a": 2.5}}, frame, tmp_path / "run"):
            assert list(read_run(source)["q"]) == ["a", "b"]
        assert read_run(tmp_path / "run") == read_run(frame) == {"q": {"a": 2.5, "b": 1.5}}

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ({}, "the run is empty"),
            ({"q": ["a", "a"]}, "query 'q' contains document 'a' twice"),
            ({"q": {"a": float("nan")}}, "must be a finite number, not nan"),
            ({"q": "a"}, "a list of document ids or a mapping of them to scores, not 'a'"),
        ],
    )
    def test_what_is_wrong_is_said(self, source: object, message: str) -> None:
        """An error of ours names the query."""
        with pytest.raises(InputError, match=message):
            read_run(source)

    def test_a_broken_line_is_named(self, tmp_path: Path) -> None:
        """With its number."""
        (tmp_path / "run").write_text("q Q0 a 1 2.5 me\n\nq Q0 a 1\n")
        with pytest.raises(InputError, match="run, line 3: not 'query Q0 document rank score name'"):
            read_run(tmp_path / "run")

    @settings(max_examples=100)
    @given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3).map(float), min_size=1))
    def test_ties_are_ordered_as_trec_eval_orders_them(self, scores: dict[str, float]) -> None:
        """The order without the scores has the values that ir-measures gives to the scores."""
        qrels = {"q": {"a": 1, "d": 2, "g": 3}}
        (ordered,) = read_run({"q": scores}).values()
        for name in ("nDCG@3", "AP", "P@2", "R@2", "Success@1"):
            (row,) = ir_measures.iter_calc([ir_measures.parse_measure(name)], qrels, {"q": scores})
            assert per_query(qrels, {"q": list(ordered)}, name)["q"] == pytest.approx(row.value)


class TestTexts:
    def test_each_source(self, tmp_path: Path) -> None:
        """Mappings of ids, mappings with ids, frames, BEIR's lines and a table with tabs."""
        (tmp_path / "corpus.jsonl").write_text('{"_id": 1, "title": "T", "text": "x"}\n')
        (tmp_path / "queries.tsv").write_text("1\tT\tx\n")
        assert read_texts({1: "x"}, "query") == read_texts([{"id": "1", "text": "x"}], "query")
        assert read_texts(Frame(docno=[1], text=["x"]), "document") == [{"id": "1", "text": "x"}]
        assert read_texts(Frame(qid=[1], query=["x"]), "query") == [{"id": "1", "text": "x"}]
        assert read_texts(tmp_path / "corpus.jsonl", "document") == [{"id": "1", "text": "T\nx", "metadata": {}}]
        assert read_texts(tmp_path / "queries.tsv", "query") == [{"id": "1", "text": "T\tx"}]

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (["x"], "document 0 has no id"),
            ({"a": None}, "the text of document 'a' must be a str, not None"),
            (3, "document texts come from a file, a mapping or a DataFrame, not 3"),
        ],
    )
    def test_what_is_wrong_is_said(self, source: object, message: str) -> None:
        """An error of ours names the document."""
        with pytest.raises(InputError, match=message):
            read_texts(source, "document")
