"""Examples from answers, judgements, categories, clicks, feedback and a teacher; what is wrong in a source is named."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate import Dataset
from secondpass.learn import (
    LabelledText,
    TrainingExample,
    from_answers,
    from_clicks,
    from_dataset,
    from_feedback,
    from_labelled_texts,
    from_pseudo_labels,
    labelled_texts,
)
from secondpass.retrieve import BM25Retriever
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores


class TestAnswers:
    def test_answers_of_a_question_are_one_example(self) -> None:
        """Pairs, mappings of a question to an answer, and mappings with names all do."""
        assert from_answers([("q", "a"), ("p", "b"), ("q", "c"), ("q", "a")]) == [
            TrainingExample.of("q", ["a", "c"]),
            TrainingExample.of("p", ["b"]),
        ]
        assert from_answers({"q": "a"}) == [TrainingExample.of("q", ["a"])]
        row = {"question": "q", "answer": "a", "group": "page 3"}
        assert from_answers([row]) == [TrainingExample.of("q", ["a"], group="page 3")]

    @pytest.mark.parametrize(
        ("pairs", "message"),
        [
            ([], "there are no question-answer pairs"),
            ("text", "must be a list of pairs"),
            ([("a",)], "pair 0 must be a question and an answer"),
            ([("a", 3)], "the answer of pair 0 must be a str, not 3"),
            ([{"question": "q"}], "the answer of pair 0 must be a str, not None"),
        ],
    )
    def test_what_is_no_pair_is_named(self, pairs: Any, message: str) -> None:
        """The message has its position."""
        with pytest.raises(InputError, match=message):
            from_answers(pairs)


class TestJudgements:
    def test_judged_documents_with_their_grades(self) -> None:
        """Queries without a relevant document are left out; grades below 0 count as 0."""
        dataset = Dataset.of(
            {"a": "text a", "b": "text b", "c": "text c"},
            {"1": "first", "2": "second"},
            {"1": {"a": 2, "b": -1, "c": 0}, "2": {"a": 0}},
        )
        assert from_dataset(dataset) == [TrainingExample("first", ("text a", "text b", "text c"), (2.0, 0.0, 0.0))]

    def test_a_corpus_with_a_missing_document_is_refused(self) -> None:
        """By the dataset, which names it; what is no dataset is refused as well."""
        with pytest.raises(InputError, match="documents that the corpus does not have, such as 'b' for query '1'"):
            Dataset.of({"a": "text"}, {"1": "first"}, {"1": {"a": 1, "b": 1}})
        with pytest.raises(InputError, match="must be a Dataset"):
            from_dataset({"a": "text"})  # type: ignore[arg-type]  # that is what is tested


class TestLabelledTexts:
    _TEXTS: ClassVar = [
        LabelledText(f"{label} ticket {at}", label) for label in ("bill", "mail", "door") for at in range(4)
    ]

    def test_columns_become_texts(self) -> None:
        """Whole numbers, numpy's too, become texts as labels."""
        assert labelled_texts(["a", "b"], np.array([0, 1])) == [LabelledText("a", "0"), LabelledText("b", "1")]
        assert labelled_texts(["a"], ["x"], groups=["g"]) == [LabelledText("a", "x", "g")]

    @pytest.mark.parametrize(
        ("texts", "labels", "message"),
        [
            ([], [], "there are no texts"),
            (["a"], ["x", "y"], "there are 1 text, 2 labels"),
            (["a", "b"], ["x", 1], r"labels\[1\] must be a str, not 1"),
            (["a", "b"], [1, "x"], r"labels\[1\] must be a whole number, not 'x'"),
            (["a"], [1.5], r"labels\[0\] must be a whole number, not 1\.5"),
            (["a"], [None], r"labels\[0\] must be a whole number, not None"),
            ([3], ["x"], r"texts\[0\] must be a str, not 3"),
            ("text", ["x"], "texts must be a list"),
        ],
    )
    def test_labels_of_other_types_are_named(self, texts: Any, labels: Any, message: str) -> None:
        """With their position."""
        with pytest.raises(InputError, match=message):
            labelled_texts(texts, labels)

    def test_texts_of_one_label_belong_together(self) -> None:
        """Each text has others of its label as relevant ones, and never itself."""
        examples = from_labelled_texts(self._TEXTS, n_positives=2, n_negatives=3)
        assert len(examples) == 12
        for example, text in zip(examples, self._TEXTS, strict=True):
            assert example.query == text.text and example.query not in example.documents
            assert len(example.positives) == 2 and len(example.negatives) == 3
            assert all(document.startswith(text.label) for document in example.positives)
            assert not any(document.startswith(text.label) for document in example.negatives)
        assert examples == from_labelled_texts(self._TEXTS, n_positives=2, n_negatives=3)

    def test_labels_are_ranked_for_a_text(self) -> None:
        """Each label, as its description has it, is a document, and one of them is relevant."""
        said = {"bill": "about invoices", "mail": "about e-mail", "door": "about doors"}
        example = from_labelled_texts(self._TEXTS, against="labels", descriptions=said)[4]
        assert (example.query, example.documents, example.labels) == (
            "mail ticket 0",
            ("about invoices", "about e-mail", "about doors"),
            (0.0, 1.0, 0.0),
        )
        with pytest.raises(InputError, match="descriptions has none of the label 'door'"):
            from_labelled_texts(self._TEXTS, against="labels", descriptions={"bill": "a", "mail": "b"})

    def test_one_class_and_swapped_columns_are_named(self) -> None:
        """There is nothing to tell apart, or each label is another one."""
        with pytest.raises(InputError, match="all 4 texts have the label 'bill'"):
            from_labelled_texts(self._TEXTS[:4])
        with pytest.raises(InputError, match=r"no label has two texts .* swapped"):
            from_labelled_texts([LabelledText(each.label, each.text) for each in self._TEXTS])


class TestUsers:
    def test_what_stands_above_a_click_was_seen(self) -> None:
        """Skipped ones are not relevant, clicked ones are, and what stands below the last click says nothing."""
        rows = [
            {"query": "q", "document": text, "clicked": clicked, "rank": rank, "session": "s"}
            for rank, (text, clicked) in enumerate(
                [("a", 0), ("b", True), ("c", False), ("d", np.bool_(True)), ("e", 0)], 1
            )
        ]
        assert from_clicks(rows) == [TrainingExample("q", ("a", "b", "c", "d"), (0.0, 1.0, 0.0, 1.0))]

    def test_what_lies_between_is_left_out(self) -> None:
        """Clicked by one of ten who saw it, a document is neither."""
        rows = [
            {
                "query": "q",
                "document": text,
                "clicked": text == "b" or (text == "a" and at == 0),
                "rank": rank,
                "session": at,
            }
            for at in range(10)
            for rank, text in enumerate(("a", "b"), 1)
        ]
        assert from_clicks(rows) == [TrainingExample("q", ("b",), (1.0,))]
        assert from_clicks(rows, min_rate=0.1) == [TrainingExample("q", ("a", "b"), (1.0, 1.0))]

    def test_without_ranks_all_that_was_shown_was_seen(self) -> None:
        """In a session with a click; ids are looked up."""
        rows = [{"query": "q", "document": name, "clicked": name == 1} for name in (1, 2)]
        rows.append({"query": "other", "document": 1, "clicked": False})
        assert from_clicks(rows, documents={1: "one", 2: {"text": "two"}}) == [
            TrainingExample.of("q", ["one"], ["two"])
        ]

    def test_a_majority_decides(self) -> None:
        """Two of three users are right, one of two is nobody."""
        votes = [("a", True), ("a", True), ("a", False), ("b", 0), ("c", 1), ("c", 0)]
        rows = [{"query": "q", "document": text, "relevant": vote} for text, vote in votes]
        assert from_feedback(rows) == [TrainingExample.of("q", ["a"], ["b"])]

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([], "no document was clicked often enough"),
            ([{"query": "q", "document": "a", "clicked": 0}], "no document was clicked often enough"),
            ([{"query": "q", "document": "a"}], "row 0 has no 'clicked'"),
            ([{"query": "q", "document": "a", "clicked": "yes"}], "row 0: clicked must be a whole number"),
            ([{"query": "q", "document": "a", "clicked": 2}], "row 0: clicked must be a whole number between 0 and 1"),
            ([{"query": "q", "document": "a", "clicked": 1, "rank": 0}], "row 0: rank must be"),
            ({"query": "q"}, "rows must be a list of mappings"),
        ],
    )
    def test_a_row_that_is_none_is_named(self, rows: Any, message: str) -> None:
        """With its position."""
        with pytest.raises(InputError, match=message):
            from_clicks(rows)

    def test_a_missing_document_is_named(self) -> None:
        """A log may know documents that the corpus has no more."""
        with pytest.raises(InputError, match="row 0: documents has no 'gone'"):
            from_clicks([{"query": "q", "document": "gone", "clicked": 1}], documents={"a": "text"})


class _Sure(Reranker):
    """Gives the probability that a document has in its text."""

    scale = Scale.PROBABILITY
    pointwise = True
    registry_name = "sure"

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array([float(text.split()[-1]) for text in request.texts])) for request in requests]


class TestTeacher:
    _CORPUS: ClassVar = [
        "lamp is 0.95",
        "lamp was 0.5",
        "lamp and 0.05",
        "lamp or 0.08",
        "pump is 0.6",
        "pump was 0.02",
    ]

    def test_only_what_the_teacher_is_sure_of_is_labelled(self) -> None:
        """Above the confidence relevant, below its complement not; the scores stay with them, and unsure queries go."""
        examples = from_pseudo_labels(self._CORPUS, ["lamp", "pump"], retriever=BM25Retriever(), teacher=_Sure())
        (example,) = examples
        assert example.query == "lamp" and example.positives == ("lamp is 0.95",)
        assert sorted(example.negatives) == ["lamp and 0.05", "lamp or 0.08"]
        assert example.scores == tuple(float(text.split()[-1]) for text in example.documents)

    def test_a_function_makes_the_queries(self) -> None:
        """From each document; the same one counts once."""
        made = from_pseudo_labels(
            self._CORPUS, lambda text: [text.split()[0]], retriever=BM25Retriever(), teacher=_Sure(), n_negatives=1
        )
        assert [example.query for example in made] == ["lamp"] and len(made[0].negatives) == 1

    def test_what_can_not_be_labelled_is_said(self) -> None:
        """No probabilities, no documents, no queries, nothing that is sure."""
        bm25 = BM25Retriever()
        with pytest.raises(CompositionError, match="has no calibrated probabilities to be sure by"):
            from_pseudo_labels(self._CORPUS, ["lamp"], retriever=bm25, teacher=FakeReranker(scale="logit"))
        with pytest.raises(InputError, match="there are no documents"):
            from_pseudo_labels([], ["lamp"], retriever=bm25, teacher=_Sure())
        with pytest.raises(InputError, match="there are no queries"):
            from_pseudo_labels(self._CORPUS, [], retriever=bm25, teacher=_Sure())
        with pytest.raises(InputError, match="for none of 1 queries the teacher is 99% sure"):
            from_pseudo_labels(self._CORPUS, ["pump"], retriever=bm25, teacher=_Sure(), confidence=0.99)
        with pytest.raises(ConfigError, match="confidence must be a number"):
            from_pseudo_labels(self._CORPUS, ["pump"], retriever=bm25, teacher=_Sure(), confidence=0.4)
        number: Any = len
        with pytest.raises(InputError, match="must return a list of texts"):
            from_pseudo_labels(self._CORPUS, number, retriever=bm25, teacher=_Sure())
