"""Which words of an answer are said not to be supported, and that they are where they are said to be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.language import check_languages
from secondpass.types import well_formed
from secondpass.verify.claims.citations import DEFAULT
from secondpass.verify.claims.split import split_claims
from secondpass.verify.judge import Judge, Judgement
from secondpass.verify.signals import Reader
from secondpass.verify.spans import find_spans
from secondpass.verify.types import Span, Verdict, Verification
from secondpass.verify.verifier import FactVerifier
from secondpass.verify.words import tokenize
from tests.verify.steps import steps
from tests.verify.test_termination import FRAGMENTS, PIECES, SIGNS
from tests.verify.wrong_words import EXAMPLES, Wrong

Make = Callable[..., Any]
TEXTS = st.lists(st.sampled_from(SIGNS) | st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)


@pytest.fixture(autouse=True, scope="module")
def language_model() -> None:
    """Load the detector of languages, which takes many steps, before any are counted."""
    check_languages(None)


def spans_of(claim: str, evidence: str, stretch: str | None = None, start: int = 0) -> tuple[Span, ...]:
    """Return the spans of a claim that is not supported, by its evidence."""
    premise = Reader(claim, {}).premise(evidence, np.array([0.1, 0.8, 0.1]))
    return find_spans(claim, claim if stretch is None else stretch, start, premise, DEFAULT)


def told(spans: tuple[Span, ...]) -> list[tuple[str, str, str]]:
    """Return kinds, words and what the evidence has in their place."""
    return [(span.kind, span.text, span.evidence) for span in spans]


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("The tower is 300 metres tall.", "The tower is 330 metres tall.", [("number", "300", "330")]),
        ("It costs $1.5 billion.", "It costs $1.2 billion.", [("number", "1.5", "1.2")]),
        ("The bag holds 5 kg of rice.", "The bag holds 5 pounds of rice.", [("unit", "kg", "pounds")]),
        ("It was opened on 10 June 1896.", "It was opened on 10 June 1886.", [("date", "1896", "1886")]),
        ("It was opened on 3 May 2021.", "It was opened on 3 March 2021.", [("date", "May", "March")]),
        ("Today the firm is led by Jane Smith.", "Today the firm is led by John Smith.", [("name", "Jane", "John")]),
        ("Jane Smith leads the firm.", "John Smith leads the firm.", [("name", "Jane", "")]),
        ("You cannot return it.", "You can return it.", [("negation", "cannot return", "can return")]),
        ("Opened boxes can be returned.", "Opened boxes can not be returned.",
         [("negation", "can be returned", "can not be returned")]),
        ("The moon is made of green cheese.", "The tower is tall.", [("addition", "moon is made of green cheese", "")]),
        ("The pump has a steel lid.", "The pump has a lid.", [("addition", "steel", "")]),
        ("The pump, i.e. the blue one, has a lid, etc.", "The pump has a lid.", [("addition", "blue one", "")]),
        ("Rome beat Carthage.", "Carthage beat Rome.", [("relation", "Rome beat Carthage", "")]),
        ("In the final Norway beat Denmark.", "In the final Norway beat Sweden.", [("name", "Denmark", "Sweden")]),
        ("The trial of 14 days costs nothing.", "The trial of two weeks costs little.", [("addition", "nothing", "")]),
        ("The eruption was short.", "It erupted for a long time.", [("addition", "short", "")]),
    ],
)  # fmt: skip
def test_the_words_that_differ(claim: str, evidence: str, expected: list[tuple[str, str, str]]) -> None:
    """Of a fact, only what differs is named, with what the passage has there; what it has in other form is right."""
    assert told(spans_of(claim, evidence)) == expected


@pytest.mark.parametrize(
    ("stretch", "claim", "expected"),
    [
        ("and it is **300** metres tall [1].", "The tower is 300 metres tall.", ["300"]),
        ("The tower is *300* metres [2] tall [1].", "The tower is 300 metres tall.", ["300"]),
        ("The [grey tower](http://a.b/grey) is 330 metres tall.", "The grey tower is 330 metres tall.", ["grey"]),
        ("The `old` iron[1] tower is 330 metres tall.", "The old iron tower is 330 metres tall.", ["old` iron"]),
        ("The old[1] iron tower is tall.", "The old iron tower is tall.", ["old", "iron"]),
        ("The **old**\n> iron tower is tall.", "The old iron tower is tall.", ["old**\n> iron"]),
        ("I think the tower is <b>small</b>", "The tower is small.", ["small"]),
        ("| Tower | 300 m |", "name: Tower; height: 300 m", ["300 m"]),
        ("Small it is, the tower.", "The tower is small.", ["Small"]),
        ("Sehr klein.", "The tower is small.", []),
    ],
)
def test_the_words_are_found_in_the_answer(stretch: str, claim: str, expected: list[str]) -> None:
    """Markup, markers and addresses may stand between the words; what is not in the answer is in no span."""
    found = spans_of(claim, "The tower is 330 metres tall.", stretch, start=7)
    assert [span.text for span in found] == expected
    assert all(stretch[span.start - 7 : span.end - 7] == span.text for span in found)


def test_spans_of_a_verification(make: Make) -> None:
    """They are told of each claim that is not supported, in characters of the answer, and of all together."""
    answer = "The *tower* is 300 metres tall [1]. Thanks! The tower is old, and the bridge is long."
    passages = ["The tower is 330 metres tall. The bridge is long."]
    verification: Verification = make().verify(answer, passages)
    assert [claim.verdict for claim in verification] == [
        Verdict.CONTRADICTED, Verdict.NOT_CHECKABLE, Verdict.NOT_ENOUGH_INFO, Verdict.SUPPORTED,
    ]  # fmt: skip
    assert [told(claim.spans) for claim in verification] == [
        [("number", "300", "330")], [], [("addition", "old", "")], [],
    ]  # fmt: skip
    assert verification.spans == (Span(15, 18, "number", "300", "330"), Span(57, 60, "addition", "old"))
    assert all(answer[span.start : span.end] == span.text for span in verification.spans)
    assert verification.to_dict()["spans"][0] == {
        "start": 15, "end": 18, "kind": "number", "text": "300", "evidence": "330",
    }  # fmt: skip
    assert [claim["spans"] for claim in verification.to_dict()["claims"]][1::2] == [[], []]
    streamed = list(make().stream([answer[:40], answer[40:]], passages))
    assert [claim.spans for claim in streamed] == [claim.spans for claim in verification]


@pytest.mark.parametrize("passages", [[], ["El puente es muy largo y la torre es alta."]])
def test_what_was_compared_with_nothing_has_no_spans(make: Make, passages: list[str]) -> None:
    """Without passages, or without one that can be read, it is not known which of the words are not supported."""
    (claim,) = make().verify("The tower is 300 metres tall.", passages)
    assert (claim.verdict, claim.spans) == (Verdict.NOT_ENOUGH_INFO, ())


def test_an_error_has_no_spans(make: Make, fake_nli: Any) -> None:
    """What could not be checked is not called wrong."""
    with pytest.warns(match="could not be checked"):
        (claim,) = make(model=fake_nli(fails_on="tower")).verify("The tower is old.", ["The tower is tall."])
    assert (claim.verdict, claim.spans) == (Verdict.ERROR, ())


def test_the_spans_are_of_the_final_verdict(make: Make) -> None:
    """What a judge says is not supported has spans, and what it says is supported has none."""

    class Says(Judge):
        def __init__(self, verdict: Verdict) -> None:
            self.verdict = verdict

        def judge(self, claims: Any) -> Judgement:
            return Judgement((self.verdict,) * len(claims))

    answer, passages = "The tower is old.", ["The tower is old. It is tall."]
    against = make(judge=Says(Verdict.NOT_ENOUGH_INFO), band=(0.0, 1.0)).verify(answer + " Rome was tall.", passages)
    assert told(against.spans) == [("addition", "Rome", "")]
    for_it = make(judge=Says(Verdict.SUPPORTED), band=(0.0, 1.0)).verify("The tower is grey.", passages)
    assert for_it.spans == ()


def test_parts_of_a_decomposer(make: Make) -> None:
    """Its claims have spans where their words stand in the answer; of those that overlap one is kept for all."""
    parts = ["Acme sells grey pumps.", "Acme was founded in 1990.", "It is a firm."]
    verification = make(decomposer=lambda claim: parts).verify(
        "Founded in 1990, Acme sells grey pumps.", ["Acme sells pumps. Acme was founded in 1980. It is a firm."]
    )
    assert [told(claim.spans) for claim in verification] == [
        [("addition", "grey", "")], [("date", "1990", "1980")], [],
    ]  # fmt: skip
    assert [span.text for span in verification.spans] == ["1990", "grey"]


def words_in(answer: str, marked: tuple[Span, ...] | tuple[Wrong, ...]) -> set[int]:
    """Return where the content words of an answer begin that lie in spans."""
    content = (token.start for token in tokenize(answer) if token.is_content)
    return {start for start in content if any(span.start <= start < span.end for span in marked)}


def precision_and_recall(found: list[Verification]) -> tuple[float, float]:
    """Return the shares of marked words that are wrong, and of wrong words that are marked."""
    pairs = [
        (words_in(example.answer, example.wrong), words_in(example.answer, verification.spans))
        for example, verification in zip(EXAMPLES, found, strict=True)
    ]
    right = sum(len(wrong & marked) for wrong, marked in pairs)
    return right / sum(len(marked) for _, marked in pairs), right / sum(len(wrong) for wrong, _ in pairs)


def test_numbers_dates_and_units_are_found_by_the_shipped_model() -> None:
    """Rules find these, whatever the model says; right answers in the passages' words have no marks."""
    found = FactVerifier().verify_many((example.answer, list(example.passages)) for example in EXAMPLES)
    for example, verification in zip(EXAMPLES, found, strict=True):
        for wrong in example.wrong:
            if wrong.kind in {"number", "date", "unit"}:
                assert any(span.start <= wrong.start and wrong.end <= span.end for span in verification.spans), example
    precision, recall = precision_and_recall(found)
    assert precision > 0.6
    assert recall > 0.6


@given(answer=TEXTS, evidence=TEXTS)
def test_any_spans_lie_in_their_claims(answer: str, evidence: str) -> None:
    """Whatever the texts: in order, none over another, within the claim's place, and with its text."""
    for claim in split_claims(answer):
        spans = spans_of(claim.text, evidence, answer[claim.start : claim.end], claim.start)
        places = [place for span in spans for place in (span.start, span.end)]
        assert places == sorted(places) and all(span.start < span.end for span in spans)
        assert all(claim.start <= span.start and span.end <= claim.end for span in spans)
        assert all(well_formed(answer)[span.start : span.end] == span.text for span in spans)


@settings(max_examples=25, deadline=None)
@given(answer=TEXTS, evidence=TEXTS)
def test_any_answer_is_verified_with_spans(answer: str, evidence: str, fake_nli: Any) -> None:
    """No claim fails for its spans, and only what is not supported has some."""
    verification = FactVerifier(fake_nli()).verify(answer, [evidence])
    for claim in verification:
        assert claim.verdict is not Verdict.ERROR
        assert not claim.spans or claim.verdict in {Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO}
    repr(verification), verification.to_html()


@settings(max_examples=12, deadline=None)
@given(fragment=FRAGMENTS, other=FRAGMENTS)
def test_spans_take_linear_time(fragment: str, other: str) -> None:
    """Twice as long a claim beside twice as long a premise is twice the work."""
    counts = []
    for times in (400 // len(fragment) + 1, 800 // len(fragment) + 2):
        claim, evidence = fragment * times, other * times
        premise = Reader(claim, {}).premise(evidence, np.array([0.1, 0.8, 0.1]))
        counts.append(
            steps(
                lambda claim=claim, premise=premise: find_spans(claim, claim, 0, premise, DEFAULT),  # type: ignore[misc]
                most=20_000 + 3_000 * len(claim + evidence),
            )
        )
    assert counts[1] <= 2.3 * counts[0] + 500, (fragment, other, counts)
