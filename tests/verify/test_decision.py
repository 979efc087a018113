"""Verdicts: thresholds, facts that overrule, conflicts, and the windows that are shown."""

import numpy as np
import pytest

from secondpass.verify.decision import Decision, decide
from secondpass.verify.evidence import Window
from secondpass.verify.signals import Reader, measure_premises
from secondpass.verify.types import Verdict

CLAIM = "The tower was built in 1889."
RIGHT = "The tower was built in 1889 by a company."
WRONG = "The tower was built in 1887 by a company."
DENIED = "The tower was never built by a company."
OTHER = "Bread is baked from flour."


def decided(
    probabilities: tuple[float, float, float],
    *rows: tuple[int, str, float, float],
    joined: tuple[str, float, float] | None = None,
    threshold: float = 0.5,
    contradiction_threshold: float = 0.5,
    partner: Window | None = None,
) -> Decision:
    """Return the decision on windows given as (passage, text, entailment, contradiction)."""
    reader = Reader(CLAIM, {})
    premises = [reader.premise(text, np.array([e, 1 - e - c, c])) for _, text, e, c in rows]
    together = None
    if joined is not None:
        text, e, c = joined
        together = reader.premise(text, np.array([e, 1 - e - c, c]))
    windows = [Window(passage, 0, len(text), text) for passage, text, _, _ in rows]
    signals = measure_premises(CLAIM, premises, together)
    return decide(signals, np.array(probabilities), windows, threshold, contradiction_threshold, partner)


@pytest.mark.parametrize(
    ("probabilities", "verdict"),
    [
        ((0.9, 0.05, 0.05), Verdict.SUPPORTED),
        ((0.5, 0.3, 0.2), Verdict.SUPPORTED),
        ((0.5, 0.5, 0.0), Verdict.SUPPORTED),
        ((0.49, 0.3, 0.21), Verdict.NOT_ENOUGH_INFO),
        ((0.2, 0.6, 0.2), Verdict.CONTRADICTED),
        ((0.1, 0.45, 0.45), Verdict.NOT_ENOUGH_INFO),
    ],
)
def test_thresholds_decide(probabilities: tuple[float, float, float], verdict: Verdict) -> None:
    """Each verdict needs its threshold; below both there is not enough info."""
    decision = decided(probabilities, (0, RIGHT, 0.5, 0.1))
    assert (decision.verdict, decision.probability) == (verdict, probabilities[0])


def test_where_both_reach_their_thresholds_the_larger_one_decides() -> None:
    """On equal probability a claim is supported; where contradiction is the larger by a hair, it is contradicted."""
    for probabilities, verdict in (
        ((0.45, 0.45, 0.1), Verdict.SUPPORTED),
        ((0.45, 0.45 + 1e-9, 0.1), Verdict.CONTRADICTED),
        ((0.45 + 1e-9, 0.45, 0.1), Verdict.SUPPORTED),
    ):
        decision = decided(probabilities, (0, RIGHT, 0.5, 0.1), threshold=0.4, contradiction_threshold=0.4)
        assert decision.verdict is verdict
        assert (decision.probability < 0.4) == (verdict is Verdict.CONTRADICTED)


def test_a_number_that_differs_overrules_any_probability() -> None:
    """A claim is never supported by evidence with another year; about the same, it is contradicted."""
    decision = decided((0.97, 0.02, 0.01), (0, WRONG, 0.99, 0.0))
    assert decision.verdict is Verdict.CONTRADICTED and decision.settled
    assert decision.probability == pytest.approx(0.03)
    assert "the source says 1887, not 1889" in decision.reason
    assert [mismatch.kind for mismatch in decision.mismatches] == ["date"]


def test_recombined_words_are_not_supported() -> None:
    """Whatever its probability, a claim that puts a source's words together otherwise is open, and told to be."""
    claim, text = "The ferry leaves the harbour after the bus.", "The bus leaves the harbour after the ferry."
    signals = measure_premises(claim, [Reader(claim, {}).premise(text, np.array([0.5, 0.4, 0.1]))])
    decision = decide(signals, np.array([0.6, 0.1, 0.3]), [Window(0, 0, len(text), text)], 0.3, 0.5)
    assert decision.verdict is Verdict.NOT_ENOUGH_INFO and decision.probability < 0.3
    assert decision.reason == "the source has all of its words, but seems to put them together otherwise"


def test_a_number_of_something_else_denies_nothing() -> None:
    """A sibling that shares most words, but not the subject, does not contradict; the claim has not enough info."""
    claim = "The pump P-9 delivers 109 litres per minute."
    text = "The pump P-7 delivers 107 litres per minute."
    signals = measure_premises(claim, [Reader(claim, {}).premise(text, np.array([0.1, 0.1, 0.8]))])
    assert signals.best.hard and signals.best.overlap > 0.5
    decision = decide(signals, np.array([0.6, 0.2, 0.2]), [Window(0, 0, len(text), text)], 0.5, 0.5)
    assert decision.verdict is Verdict.NOT_ENOUGH_INFO and decision.probability < 0.5
    assert decision.contradicting == ()


def test_a_low_threshold_does_not_let_a_wrong_number_look_supported() -> None:
    """Whatever the threshold, the probability of what facts overrule is below it."""
    for threshold in (1e-6, 0.2, 0.4):
        decision = decided((0.4, 0.3, 0.3), (0, WRONG, 0.6, 0.0), threshold=threshold)
        assert decision.verdict is Verdict.CONTRADICTED and 0 < decision.probability < threshold
        assert decision.probability == pytest.approx(threshold)


def test_passages_that_disagree_are_a_conflict() -> None:
    """One passage for it and another one against it: the stronger wins, and it is said."""
    both = ((0, RIGHT, 0.95, 0.0), (1, DENIED, 0.01, 0.9))
    for probabilities, verdict in (
        ((0.7, 0.2, 0.1), Verdict.SUPPORTED),
        ((0.3, 0.4, 0.3), Verdict.CONTRADICTED),
        ((0.4, 0.3, 0.3), Verdict.NOT_ENOUGH_INFO),
    ):
        decision = decided(probabilities, *both)
        assert decision.conflict and decision.verdict is verdict
        assert decision.contradicting == (1,)
        assert "one passage supports it and another one contradicts it" in decision.reason


def test_a_wrong_number_in_another_passage_is_a_conflict_too() -> None:
    """The passage that agrees is the evidence, the one with another year speaks against it."""
    decision = decided((0.8, 0.1, 0.1), (0, WRONG, 0.9, 0.0), (1, RIGHT, 0.9, 0.0))
    assert decision.conflict and decision.verdict is Verdict.SUPPORTED
    assert decision.evidence[0] == 1 and decision.contradicting == (0,)


def test_windows_of_one_passage_are_no_conflict() -> None:
    """Two windows of one passage may be cut badly."""
    decision = decided((0.8, 0.1, 0.1), (0, RIGHT, 0.95, 0.0), (0, DENIED, 0.01, 0.9))
    assert not decision.conflict and decision.contradicting == (1,)


def test_unrelated_windows_contradict_nothing() -> None:
    """A model that calls unrelated text a contradiction makes no conflict."""
    decision = decided((0.8, 0.1, 0.1), (0, RIGHT, 0.95, 0.0), (1, OTHER, 0.01, 0.9))
    assert not decision.conflict and decision.contradicting == ()


def test_what_contradicts_is_shown_first_where_that_is_the_verdict() -> None:
    """Evidence begins with what the verdict rests on."""
    decision = decided((0.1, 0.8, 0.1), (0, OTHER, 0.02, 0.01), (1, DENIED, 0.01, 0.9))
    assert decision.verdict is Verdict.CONTRADICTED
    assert decision.evidence[0] == 1 and decision.contradicting == (1,)


def test_a_window_that_says_it_alone_comes_first() -> None:
    """Another one beside it, which makes the model a little surer, is no evidence."""
    decision = decided(
        (0.8, 0.1, 0.1), (0, OTHER, 0.0, 0.0), (1, RIGHT, 0.8, 0.0), joined=(f"{OTHER}\n{RIGHT}", 0.95, 0.0)
    )
    assert decision.evidence == (1,) and decision.reason == ""


def test_windows_that_support_together_are_shown_in_order() -> None:
    """Evidence of two windows begins with both, in the order of the passages, and says so."""
    decision = decided(
        (0.8, 0.1, 0.1), (1, RIGHT, 0.3, 0.0), (0, OTHER, 0.1, 0.0), joined=(f"{OTHER}\n{RIGHT}", 0.95, 0.0)
    )
    assert decision.evidence == (1, 0) and decision.reason == "two windows support it together"


def test_a_window_that_was_read_only_with_the_first_is_shown_beside_it() -> None:
    """It is numbered after the windows that were read by themselves, and stands where its passage stands."""
    decision = decided(
        *((0.8, 0.1, 0.1), (1, RIGHT, 0.3, 0.0)),
        joined=(f"{OTHER}\n{RIGHT}", 0.95, 0.0),
        partner=Window(0, 0, len(OTHER), OTHER),
    )
    assert decision.evidence == (1, 0) and decision.reason == "two windows support it together"
