"""Verdicts: thresholds, facts that overrule, conflicts, and the windows that are shown."""

from collections.abc import Sequence

import numpy as np
import pytest

from secondpass.errors import SecondPassWarning
from secondpass.verify.decision import Decision, decide, escalate, overruled
from secondpass.verify.evidence import Window
from secondpass.verify.facts.check import FactCheck
from secondpass.verify.judge import Judgement
from secondpass.verify.signals import Premise, Reader, Signals, measure_premises
from secondpass.verify.types import Mismatch, Verdict

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


def test_what_is_turned_round_in_other_words_is_told_to_be() -> None:
    """The source need not have all of the claim's words."""
    claim, text = "The ferry line belongs to the harbour.", "The harbour is a subsidiary of the ferry line."
    signals = measure_premises(claim, [Reader(claim, {}).premise(text, np.array([0.9, 0.1, 0.0]))])
    decision = decide(signals, np.array([0.9, 0.0, 0.1]), [Window(0, 0, len(text), text)], 0.3, 0.5)
    assert decision.verdict is Verdict.NOT_ENOUGH_INFO
    assert decision.reason == "the source seems to have it the other way round"


@pytest.mark.parametrize(("entailment", "supported"), [(0.9, False), (0.95, True)])
def test_a_denial_needs_a_model_that_is_sure(entailment: float, supported: bool) -> None:
    """Where the source says what the claim denies, the model's word for it has to be a strong one."""
    claim, text = "Hana Kovac does not lead the laboratory.", "Hana Kovac leads the laboratory in Brno."
    signals = measure_premises(claim, [Reader(claim, {}).premise(text, np.array([entailment, 1 - entailment, 0.0]))])
    decision = decide(signals, np.array([0.8, 0.1, 0.1]), [Window(0, 0, len(text), text)], 0.3, 0.5)
    assert (decision.verdict is Verdict.SUPPORTED) == supported
    assert (decision.probability < 0.3) != supported
    assert [mismatch.kind for mismatch in decision.mismatches] == ["negation"]  # which tells the reason


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


def premise(
    entailment: float = 0.1, contradiction: float = 0.1, overlap: float = 0.6, *, about: bool = True, says: str = ""
) -> Premise:
    """Return a premise with these measurements; ``says`` is a number that it has in place of the claim's 7."""
    facts = FactCheck((Mismatch("number", "7", says),) if says else ())
    rest = 1 - entailment - contradiction
    return Premise("a text", (entailment, rest, contradiction), facts, overlap, about)


def of(
    *premises: Premise,
    probabilities: tuple[float, float, float] = (0.2, 0.2, 0.6),
    passages: Sequence[int] = (),
    best: int = 0,
    order: tuple[int, ...] = (),
) -> Decision:
    """Return the decision on premises as they are, each of a passage of its own."""
    windows = [Window(at, 0, 6, "a text") for at in passages or range(len(premises))]
    signals = Signals(np.zeros(1), premises[best], order or tuple(range(len(premises))), False, premises)
    return decide(signals, np.array(probabilities), windows, 0.5, 0.5)


LIKELY = (0.1, 0.6, 0.3)


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (premise(overlap=0.3, about=False), Verdict.CONTRADICTED),
        (premise(overlap=0.29, about=False), Verdict.NOT_ENOUGH_INFO),
        (premise(overlap=0.0), Verdict.CONTRADICTED),
    ],
)
def test_what_is_denied_must_be_spoken_of(each: Premise, verdict: Verdict) -> None:
    """By a premise of the same subject, or with three in ten of the words."""
    assert of(each, probabilities=LIKELY).verdict is verdict


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (premise(overlap=0.5, says="9"), Verdict.CONTRADICTED),
        (premise(overlap=0.49, says="9"), Verdict.NOT_ENOUGH_INFO),
        (premise(overlap=0.9, about=False, says="9"), Verdict.NOT_ENOUGH_INFO),
    ],
)
def test_another_number_is_of_the_same(each: Premise, verdict: Verdict) -> None:
    """Where half of the words are the same, and the subject is; else it forbids support, and denies nothing."""
    decision = of(each, probabilities=(0.9, 0.05, 0.05))
    assert (decision.verdict, decision.settled) == (verdict, True)
    assert decision.probability == pytest.approx(0.1)


def test_the_most_alike_of_several_that_state_it_otherwise() -> None:
    """Its facts are told, be it the best premise or not; the first of equals."""
    decision = of(premise(overlap=0.6, says="8"), premise(overlap=0.7, says="9"), premise(overlap=0.7, says="5"))
    assert [mismatch.evidence for mismatch in decision.mismatches] == ["9"]


@pytest.mark.parametrize(
    ("premises", "passages", "conflict"),
    [
        ((premise(0.5), premise(0.1, 0.5)), (0, 1), True),
        ((premise(0.49), premise(0.1, 0.5)), (0, 1), False),
        ((premise(0.5), premise(0.1, 0.49)), (0, 1), False),
        ((premise(0.5), premise(0.1, 0.5, 0.3)), (0, 1), True),
        ((premise(0.5), premise(0.1, 0.5, 0.29)), (0, 1), False),
        ((premise(0.5), premise(0.1, 0.5, about=False)), (0, 1), False),
        ((premise(0.5), premise(says="9", overlap=0.5)), (0, 1), True),
        ((premise(0.5), premise(says="9", overlap=0.49)), (0, 1), False),
        ((premise(0.5, says="9"), premise(0.1, 0.5)), (0, 1), False),
        ((premise(0.5), premise(0.1, 0.5)), (0, 0), False),
        ((premise(0.5), premise(0.1, 0.5), premise(0.1, 0.5)), (0, 0, 1), False),
        ((premise(0.5), premise(0.5), premise(0.1, 0.5)), (0, 1, 1), False),
        ((premise(0.5), premise(0.5), premise(0.1, 0.5), premise(0.1, 0.5)), (0, 1, 1, 2), True),
    ],
)
def test_when_passages_disagree(premises: tuple[Premise, ...], passages: tuple[int, ...], conflict: bool) -> None:
    """One is for it and one against it, at one half at least; a passage on both sides is on neither."""
    decision = of(*premises, passages=passages)
    assert decision.conflict is conflict
    assert ("one passage supports it and another one contradicts it" in decision.reason) is conflict


def test_what_contradicts_is_shown_by_its_strength() -> None:
    """Contradiction, half of the shared words, and 1 for another number; three at most."""
    weak, middle, strong = premise(0.1, 0.6, 0.6), premise(0.1, 0.7, 0.6), premise(0.1, 0.55, 0.9)
    number, unlike = premise(0.1, 0.0, 0.5, says="9"), premise(0.1, 0.9, about=False)
    decision = of(weak, unlike, middle, strong, number, probabilities=LIKELY)
    assert decision.contradicting == (4, 2, 3) and decision.evidence == (4, 2, 3)
    assert of(unlike, premise(0.1, 0.3), probabilities=LIKELY).contradicting == (
        0,
    )  # the strongest, for want of others
    assert of(unlike, premise(0.1, 0.3)).contradicting == ()


def test_what_supports_is_shown_if_it_does_by_itself() -> None:
    """The best window, and further ones that entail it and state nothing otherwise; three at most."""
    sure = premise(0.5)
    decision = of(premise(0.2), premise(0.49), premise(0.9, says="9"), sure, sure, sure, probabilities=(0.9, 0.0, 0.1))
    assert decision.verdict is Verdict.SUPPORTED and decision.evidence == (0, 3, 4)
    assert of(*[premise()] * 4, order=(3, 1, 0, 2)).evidence == (3, 1, 0)


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [(0.9, 0.5, 0.1), (0.5, 0.5, 0.5 - 2**-54), (0.6, 0.3, 0.3), (0.1, 0.5, 0.1), (1.0, 0.5, 0.0)],
)
def test_what_is_overruled_looks_so(probability: float, threshold: float, expected: float) -> None:
    """What was likely is as unlikely, and below the threshold."""
    found = overruled(probability, threshold)
    assert found == pytest.approx(expected) and found < threshold


def undecided(probability: float, *, settled: bool = False, reason: str = "") -> tuple[Decision, tuple[str, list[str]]]:
    """Return a claim of a probability, with what a judge is asked about it."""
    decision = Decision(Verdict.NOT_ENOUGH_INFO, probability, (0,), (), False, (), settled, reason)
    return decision, (f"claim {probability}", ["a text"])


class Saying:
    """Gives verdicts that were set, and counts its calls."""

    def __init__(self, *verdicts: Verdict | None) -> None:
        self.verdicts, self.asked = verdicts, list[str]()

    def judge(self, claims: Sequence[tuple[str, Sequence[str]]]) -> Judgement:
        """Return the verdicts."""
        self.asked += [text for text, _ in claims]
        return Judgement(self.verdicts, {"calls": 1}, ("said",))


def test_a_judge_is_asked_within_its_band() -> None:
    """Both ends belong to it; what a rule settled is not asked; a verdict moves the probability to the band's end."""
    claims = [undecided(p) for p in (0.19, 0.2, 0.8, 0.81)] + [
        undecided(0.5, settled=True),
        undecided(0.5, reason="so"),
    ]
    judge = Saying(Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO)
    found = escalate(judge, claims, (0.2, 0.8))
    assert judge.asked == ["claim 0.2", "claim 0.8", "claim 0.5"]
    assert [decision.probability for decision in found.decisions] == [0.19, 0.8, 0.2, 0.81, 0.5, 0.2]
    assert [decision.escalated for decision in found.decisions] == [False, True, True, False, False, True]
    assert [decision.reason for decision in found.decisions[1:3]] == [
        "the judge says supported",
        "the judge says contradicted",
    ]
    assert found.decisions[5].reason == "so; the judge says not enough info"
    assert (found.counts, found.notes) == ({"calls": 1, "escalated": 3}, ("said",))
    nobody = escalate(judge, [undecided(0.1)], (0.2, 0.8))
    assert (nobody.counts, nobody.notes) == ({}, ()) and len(judge.asked) == 3


def test_a_judge_without_an_opinion_changes_nothing() -> None:
    """The model's verdict stays, is counted, and a warning tells of it."""
    with pytest.warns(SecondPassWarning, match="no verdict on 1 of 2 claims"):
        found = escalate(Saying(None, Verdict.SUPPORTED), [undecided(0.5), undecided(0.6)], (0.2, 0.8))
    assert found.decisions[0] == undecided(0.5)[0] and found.decisions[1].probability == 0.8
    assert found.counts == {"calls": 1, "escalated": 2, "fallbacks": 1}
    with pytest.warns(SecondPassWarning, match="1 verdicts on 2 claims"):
        assert escalate(Saying(None), [undecided(0.5), undecided(0.6)], (0.2, 0.8)).counts["fallbacks"] == 2
    with pytest.warns(SecondPassWarning, match="neither None nor one of"):
        escalate(Saying(Verdict.ERROR), [undecided(0.5)], (0.2, 0.8))
