"""Each thing that is wrong with data is found under its name, and nothing where nothing is wrong."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.learn import (
    DataReport,
    Finding,
    LabelledPair,
    LabelledText,
    TrainingExample,
    check_data,
)
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.nli import NliModel
from secondpass.testing import FakeReranker

_NOUNS = ("lamp", "pump", "door", "road", "tree", "fish", "salt", "iron", "moon", "rope", "glue", "milk")
_VERBS = ("clean", "paint", "store", "carry", "count", "weigh")


def _good() -> list[TrainingExample]:
    """Return 72 examples with which nothing is wrong."""
    others = "Whoever wants to {} any {} may do so for nothing{}."  # as often shorter than the answer as longer
    return [
        TrainingExample.of(
            f"how do I {verb} a {noun}",
            [f"To {verb} a {noun} you take your time and read what stands on the {noun}."],
            [others.format(_VERBS[at - 1], noun, ", at once and all day long" * (at % 2))],
        )
        for noun in _NOUNS
        for at, verb in enumerate(_VERBS)
    ]


def _found(report: DataReport, name: str) -> Finding:
    (finding,) = (finding for finding in report if finding.name == name)
    return finding


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """Examples of all three kinds pass."""
    report = check_data(_good())
    assert report.names == () and report.ok and repr(report) == "72 examples, 0 findings"
    report.raise_if_severe()
    texts = [LabelledText(example.query, example.query.split()[3]) for example in _good()]
    pairs = [
        LabelledPair(example.positives[0], f"it is about {at}", label)
        for example in _good()
        for at, label in enumerate(("entailment", "neutral", "contradiction"))
    ]
    assert check_data(texts).names == () and check_data(pairs).names == ()


def test_empty_texts() -> None:
    """A document that says nothing is named by the position of its example; training makes no sense with it."""
    examples = [*_good(), TrainingExample.of("a query", [" \n", "an answer"])]
    finding = _found(check_data(examples), "empty")
    assert finding.examples == (72,) and finding.severe
    with pytest.raises(InputError, match=r"empty: 1 of 73 examples .*, the first at position 72"):
        check_data(examples).raise_if_severe()
    assert check_data(examples).without(examples, "empty") == _good()


def test_duplicates_and_contradictions() -> None:
    """The same but for case is the same; one text with two labels is one too many."""
    first = _good()[0]
    again = TrainingExample(first.query.upper(), first.documents[::-1], first.labels[::-1])
    other = TrainingExample.of(first.query, ["Another answer."], [first.positives[0]])
    report = check_data([*_good(), again, other])
    assert _found(report, "duplicate").examples == (72,)
    assert set(_found(report, "contradiction").examples) == {0, 72, 73}
    assert "which is not relevant and relevant" in _found(report, "contradiction").message
    texts = [LabelledText(f"text {at}", "ab"[at % 2]) for at in range(60)]
    report = check_data([*texts, LabelledText("Text 3!", "a")])
    assert _found(report, "contradiction").examples == (3, 60)


def test_one_class() -> None:
    """A single label, or no relevant document at all, is nothing to learn from."""
    for examples in (
        [LabelledText(f"text {at}", "a") for at in range(60)],
        [TrainingExample.of(f"query {at}", [], [f"document {at}"]) for at in range(60)],
    ):
        report: DataReport = check_data(examples)  # type: ignore[type-var]  # of one kind each
        assert _found(report, "one_class").severe and not report.ok


def test_queries_without_labels_of_a_kind() -> None:
    """Some without a relevant document are named, but for a teacher's; without another one, negatives can be mined."""
    taught = TrainingExample("of a teacher", ("document 1", "document 2"), (0, 0), scores=(2.0, 1.0))
    report = check_data([*_good(), TrainingExample.of("query", [], ["document"]), taught])
    assert _found(report, "no_positive").examples == (72,)
    report = check_data([TrainingExample.of(each.query, each.positives) for each in _good()])
    assert "mine_negatives" in _found(report, "no_negatives").advice and report.ok


def test_imbalance_and_too_few() -> None:
    """Eleven times as many, or fewer than five, are out of balance."""
    examples = [LabelledText(f"text {at}", "common") for at in range(66)]
    examples += [LabelledText(f"other {at}", "rare") for at in range(6)]
    assert "66 examples have the label 'common', and 6 have 'rare'" in _found(check_data(examples), "imbalance").message
    assert check_data(examples[7:]).names == ()
    assert check_data(examples[60:]).names == ("few",)


def test_lengths() -> None:
    """Texts that a model would cut, and lengths that give the label away."""
    long = [TrainingExample.of(each.query, [each.positives[0] + " word" * 400], each.negatives) for each in _good()]
    report = check_data(long)
    assert len(_found(report, "length").examples) == 72
    assert "longer than the others for 72 of 72" in _found(report, "length_shortcut").message
    assert "length" not in check_data([*_good(), long[0]]).names


class TestSwappedColumns:
    def test_questions_behind_answers(self) -> None:
        """Answers in front of their questions are found by the questions, for sure where they are longer too."""
        swapped = [TrainingExample.of(each.positives[0], [each.query]) for each in _good()]
        finding = _found(check_data(swapped), "swapped_columns")
        assert "100% of the relevant documents are questions, and 0% of the queries" in finding.message
        assert not finding.severe and "pass the question first" in finding.advice
        longer = [TrainingExample.of(each.positives[0] * 3, [each.query]) for each in _good()]
        assert _found(check_data(longer), "swapped_columns").severe

    def test_claims_behind_abstracts(self) -> None:
        """Where there are no questions, lengths show it."""
        swapped = [TrainingExample.of(f"{each.positives[0]} " * 6, [each.query[9:]]) for each in _good()]
        assert "swapped_columns" in check_data(swapped).names
        right = [TrainingExample.of(each.query[9:], [f"{each.positives[0]} " * 6]) for each in _good()]
        assert "swapped_columns" not in check_data(right).names

    def test_duplicate_questions_are_no_swap(self) -> None:
        """Questions on both sides, as in data of duplicates, are as they should be."""
        both = [TrainingExample.of(each.query, [f"please, {each.query}"]) for each in _good()]
        assert "swapped_columns" not in check_data(both).names

    def test_labels_in_front_of_texts(self) -> None:
        """Many labels and few texts are the wrong way round."""
        texts = [LabelledText(("bill", "mail", "door")[at % 3], f"ticket number {at}") for at in range(60)]
        finding = _found(check_data(texts), "swapped_columns")
        assert finding.severe and "60 different labels and 3 different texts" in finding.message


def test_a_leak_is_found_with_the_test_data() -> None:
    """The positions are those of the examples that are to be trained on."""
    report = check_data(_good(), test=[TrainingExample.of("How do I CLEAN a lamp", ["x"])])
    assert _found(report, "leak").examples == (0,) and not report.ok


_SCENES = (
    ("The shop opens at nine and closes at six on weekdays.", "The shop opens at nine.", "The shop opens at eight."),
    ("Anna bought three red apples at the market on Friday.", "Anna bought apples.", "Anna bought no apples."),
    ("The train to Rome was two hours late because of snow.", "The train was late.", "The train was on time."),
    ("The old bridge was closed in 1998 for repairs.", "The bridge was closed.", "The bridge was never closed."),
    ("Our director, Mr Brown, signed the contract in Paris.", "Mr Brown signed.", "Nobody signed the contract."),
    ("The library lends up to ten books for four weeks.", "The library lends books.", "The library lends no books."),
)


class _Vectors(EmbeddingModel):
    """Turns a text into counts of its words, which is enough to tell tickets apart."""

    max_length = 100

    def _encode(self, texts: Sequence[str], progress: bool) -> Any:
        words = ("invoice", "password", "parcel")
        return np.array([[text.count(word) + 0.01 for word in words] for text in texts], dtype=np.float32)


class TestMislabelled:
    def test_a_strong_reranker_disagrees(self) -> None:
        """An answer of another query, where the query's own one is among the documents, is named with it."""
        examples = _good()
        wrong = [7, 29, 54]
        answers = [examples[at].positives for at in wrong]
        for at, others in zip(wrong, answers[1:] + answers[:1], strict=True):
            examples[at] = TrainingExample.of(examples[at].query, others, examples[at].negatives)
        finding = _found(check_data(examples, reranker=FakeReranker(scale="logit")), "mislabelled")
        assert finding.examples == tuple(wrong) and not finding.severe
        assert "disagrees with the labels of 3 of 72 examples, such as 'how do I paint a pump'" in finding.message
        assert "mislabelled" not in check_data(_good(), reranker=FakeReranker(scale="logit")).names

    def test_a_classifier_disagrees(self) -> None:
        """A ticket about a parcel among those about passwords is named."""
        kinds = ("invoice", "password", "parcel")
        texts = [LabelledText(f"my {kind} {at}", kind) for at in range(20) for kind in kinds]
        texts[17] = LabelledText(texts[17].text, "password")
        finding = _found(check_data(texts, embedding_model=_Vectors("words")), "mislabelled")
        assert finding.examples == (17,) and "rather 'parcel' than 'password'" in finding.message

    def test_an_nli_model_disagrees(self) -> None:
        """Pairs that are sure to relate otherwise are named, and premises that stand behind hypotheses."""
        pairs = [
            LabelledPair(premise, hypothesis, label)
            for premise, entailed, contradicted in _SCENES
            for hypothesis, label in ((entailed, "entailment"), (contradicted, "contradiction"))
        ]
        model = NliModel()
        assert check_data(pairs, nli_model=model).names == ("few",)
        turned = [LabelledPair(pair.second, pair.first, pair.label) for pair in pairs]
        finding = _found(check_data(turned, nli_model=model), "swapped_columns")
        assert finding.severe and "of 6 pairs with the label entailment are entailed the other way" in finding.message
        wrong = [*pairs[:5], LabelledPair(*pairs[5].texts, "entailment"), *pairs[6:]]
        finding = _found(check_data(wrong, nli_model=model), "mislabelled")
        assert finding.examples == (5,) and "rather contradiction than entailment" in finding.message

    def test_models_are_for_their_kind(self) -> None:
        """A reranker needs queries, a classifier texts, and both scores that can be compared."""
        texts = [LabelledText("a", "b")]
        with pytest.raises(ConfigError, match="reranker is for examples of the kind TrainingExample"):
            check_data(texts, reranker=FakeReranker())
        with pytest.raises(ConfigError, match="embedding_model is for examples of the kind LabelledText"):
            check_data(_good(), embedding_model=_Vectors("words"))
        with pytest.raises(ConfigError, match="nli_model is for examples of the kind LabelledPair"):
            check_data(texts, nli_model="secondpass-nli-minilm")
        with pytest.raises(ConfigError, match="embedding_model must be an EmbeddingModel or a name"):
            check_data(texts, embedding_model=3)  # type: ignore[arg-type]  # that is what is tested
        with pytest.raises(CompositionError, match="needs logits or probabilities"):
            check_data(_good(), reranker=FakeReranker(scale="ordinal"))


def test_a_report_is_plain_data_and_has_the_severe_ones_first() -> None:
    """JSON can hold it; it is only used with the examples that it is about."""
    examples = [*_good(), _good()[0], TrainingExample.of(" ", ["a"])]
    report = check_data(examples)
    assert [finding.name for finding in report] == ["empty", "duplicate"]
    assert json.loads(json.dumps(report.to_dict()))["findings"][0]["severe"] is True
    assert repr(report).splitlines()[1].startswith("! empty: ")
    assert report.without(examples) == _good() and len(report) == 2 and report[0].severe
    with pytest.raises(InputError, match="the report is about 74 examples, and these are 72"):
        report.without(_good())
    with pytest.raises(InputError, match="there are no examples"):
        check_data([])


@pytest.mark.slow
def test_a_real_reranker_finds_planted_labels() -> None:
    """Of answers that were moved to other questions, the embedded cross-encoder names most, and few others."""
    import secondpass as sp

    facts = {
        "what is the capital of France?": "Paris is the capital of France, on the river Seine.",
        "who wrote Hamlet?": "Hamlet was written by William Shakespeare around 1600.",
        "how do I copy a file in Python?": "shutil.copy copies a file to another place.",
        "at what temperature does water boil?": "At sea level water boils at 100 degrees Celsius.",
        "how long is a marathon?": "A marathon is a race of 42.195 kilometres.",
        "which planet is the largest?": "Jupiter is the largest planet of the solar system.",
        "what do bees make?": "Bees make honey from the nectar of flowers.",
        "how many legs does a spider have?": "Spiders have eight legs.",
    }
    answers = list(facts.values())
    answers[1], answers[4] = answers[4], answers[1]
    examples = [TrainingExample.of(question, [answer]) for question, answer in zip(facts, answers, strict=True)]
    finding = _found(check_data(examples, reranker=sp.CrossEncoderReranker()), "mislabelled")
    assert finding.examples == (1, 4)
