"""Examples hold what they say they hold, come back from files as they were, and are known by their hash."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError
from secondpass.learn import (
    LabelledPair,
    LabelledText,
    TrainingExample,
    as_lists,
    as_pairs,
    as_triplets,
    as_tuples,
    data_hash,
    read_examples,
    write_examples,
)

_EXAMPLE = TrainingExample("q", ("good", "bad", "worse"), (2.0, 0.0, 0.0), scores=(3.0, -1.0, -2.0))
_TEXT = st.text(max_size=8)


def test_an_example_knows_what_is_relevant() -> None:
    """Labels above 0 are relevant; numpy's numbers and other lists become plain tuples."""
    example = TrainingExample("q", ["a", "b"], np.array([1, 0]), group="g")  # type: ignore[arg-type]  # as users do
    assert (example.documents, example.labels, example.positives, example.negatives) == (
        ("a", "b"),
        (1.0, 0.0),
        ("a",),
        ("b",),
    )
    assert TrainingExample.of("q", ["a"], ["b"], group="g") == example and example.key == "q"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, ["a"], [1]), "query must be a str, not 3"),
        (("q", "a", [1]), "documents must be a list of texts, not 'a'"),
        (("q", [None], [1]), "documents must be texts, not None"),
        (("q", [], []), "has no documents"),
        (("q", ["a"], ["1"]), "labels must be a number of at least 0 for each of the 1 documents"),
        (("q", ["a"], [-1]), "labels must be a number of at least 0"),
        (("q", ["a"], [float("nan")]), "labels must be a number"),
        (("q", ["a"], [1, 0]), "for each of the 1 documents"),
        (("q", ["a"], [1], [None]), "scores must be a finite number"),
        (("q", ["a"], [{}]), "labels must be a number"),
    ],
)
def test_what_is_no_example_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    """Other types, and lists that don't fit together."""
    with pytest.raises(InputError, match=message):
        TrainingExample(*arguments)


def test_labels_of_other_types_are_refused() -> None:
    """Labels of pairs and texts are texts."""
    with pytest.raises(InputError, match="LabelledPair: label must be a str, not 0"):
        LabelledPair("a", "b", 0)  # type: ignore[arg-type]  # that is what is tested
    with pytest.raises(InputError, match="LabelledText: label must be a str, not None"):
        LabelledText("a", None)  # type: ignore[arg-type]  # that is what is tested


class TestShapes:
    def test_pairs(self) -> None:
        """Each document is a row, with its label as it was."""
        assert as_pairs([_EXAMPLE]) == {
            "query": ["q"] * 3,
            "document": ["good", "bad", "worse"],
            "label": [2.0, 0.0, 0.0],
        }

    def test_triplets_and_margins(self) -> None:
        """Each relevant document with each other one; a margin is the difference of the teacher's scores."""
        assert as_triplets([_EXAMPLE]) == {
            "query": ["q", "q"],
            "positive": ["good", "good"],
            "negative": ["bad", "worse"],
        }
        assert as_triplets([_EXAMPLE], margins=True)["label"] == [4.0, 5.0]
        with pytest.raises(InputError, match=r"examples\[0\] has no teacher's scores"):
            as_triplets([TrainingExample.of("q", ["a"], ["b"])], margins=True)

    def test_tuples(self) -> None:
        """All rows have as many negatives; an example with fewer is left out."""
        few = TrainingExample.of("p", ["x"], ["y"])
        assert as_tuples([_EXAMPLE, few], 2) == {
            "query": ["q"],
            "positive": ["good"],
            "negative_1": ["bad"],
            "negative_2": ["worse"],
        }
        assert as_tuples([_EXAMPLE, few], 0) == {"query": ["q", "p"], "positive": ["good", "x"]}
        with pytest.raises(InputError, match="no example has a relevant document and 3 that are not"):
            as_tuples([_EXAMPLE, few], 3)

    def test_lists(self) -> None:
        """Documents with their labels, or the teacher's scores; what can't be ordered is left out."""
        single = TrainingExample.of("p", ["x"])
        assert as_lists([_EXAMPLE, single]) == {
            "query": ["q"],
            "documents": [["good", "bad", "worse"]],
            "labels": [[2.0, 0.0, 0.0]],
        }
        assert as_lists([_EXAMPLE], scores=True)["labels"] == [[3.0, -1.0, -2.0]]
        with pytest.raises(InputError, match="no example has documents with different labels"):
            as_lists([single])

    @pytest.mark.parametrize("shape", [as_pairs, as_triplets, as_tuples, as_lists])
    def test_nothing_is_no_data(self, shape: Any) -> None:
        """No examples, and such that have no documents, are refused."""
        with pytest.raises(InputError, match="there are no examples"):
            shape([])
        with pytest.raises(InputError, match="only a TrainingExample has a query and documents"):
            shape([LabelledText("a", "b")])


class TestFiles:
    def test_all_kinds_come_back(self, tmp_path: Path) -> None:
        """What was written is read, whatever kind it is."""
        for examples in (
            [_EXAMPLE, TrainingExample.of("\ud800 lone", ["b\n"], group="g")],
            [LabelledPair("premise", "hypothesis", "entailment")],
            [LabelledText("text", "label", group="g")],
        ):
            write_examples(tmp_path / "examples.jsonl", examples)  # type: ignore[arg-type]  # of one kind each
            assert read_examples(tmp_path / "examples.jsonl") == examples

    def test_files_of_other_programs_are_read(self, tmp_path: Path) -> None:
        """Premise and hypothesis are the names that NLI data has."""
        path = tmp_path / "nli.jsonl"
        path.write_text('{"premise": "a", "hypothesis": "b", "label": "neutral", "uid": 3}\n')
        assert read_examples(path) == [LabelledPair("a", "b", "neutral")]

    @pytest.mark.parametrize(
        ("contents", "message"),
        [
            ("", "there are no examples"),
            ("[]\n", "line 1: not a JSON object"),
            ("{}\n", "example 0: needs query, documents, labels"),
            ('{"query": "q", "documents": ["a"], "labels": ["x"]}\n', "example 0: TrainingExample: labels must be"),
            ('{"text": "a", "label": 3}\n', "example 0: LabelledText: label must be a str"),
            ('{"text": "a", "label": "x"}\n{"first": "a", "second": "b", "label": "x"}\n', r"examples\[1\] must be a"),
        ],
    )
    def test_what_is_wrong_in_a_file_is_named(self, tmp_path: Path, contents: str, message: str) -> None:
        """The message has the file and the line or the example."""
        path = tmp_path / "examples.jsonl"
        path.write_text(contents)
        with pytest.raises(InputError, match=message):
            read_examples(path)

    def test_what_can_not_be_written_or_read_is_said(self, tmp_path: Path) -> None:
        """No such folder, no such file."""
        with pytest.raises(InputError, match="can't be written"):
            write_examples(tmp_path / "none" / "examples.jsonl", [_EXAMPLE])
        with pytest.raises(InputError, match="can't be read"):
            read_examples(tmp_path / "none.jsonl")


@given(st.lists(st.tuples(_TEXT, st.lists(st.tuples(_TEXT, st.integers(0, 3)), min_size=1, max_size=3)), max_size=5))
def test_the_hash_is_of_the_set_and_not_of_its_order(rows: list[tuple[str, list[tuple[str, int]]]]) -> None:
    """The same examples in another order have the same hash, others another one."""
    examples = [
        TrainingExample(query, tuple(text for text, _ in of), tuple(label for _, label in of)) for query, of in rows
    ]
    assert data_hash(examples) == data_hash(examples[::-1])
    assert data_hash(examples) != data_hash([*examples, TrainingExample.of("one more", ["d"])])
    assert len(data_hash(examples)) == 64
