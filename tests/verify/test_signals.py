"""The signals of a claim: what is measured, on which premise, within which bounds."""

import numpy as np
import pytest

from secondpass.logistic import log_odds
from secondpass.verify.facts.check import FactCheck, Facts
from secondpass.verify.signals import FEATURES, Premise, Reader, Signals, measure_premises
from secondpass.verify.types import Mismatch

CLAIM = "The tower was built in 1889."
RIGHT = "The tower was built in 1889 by a company."
WRONG = "The tower was built in 1887 by a company."
OTHER = "Bread is baked from flour."


def measured(*rows: tuple[str, float, float], joined: tuple[str, float, float] | None = None) -> Signals:
    """Return the signals of windows given as (text, entailment, contradiction)."""
    reader = Reader(CLAIM, {})
    premises = [reader.premise(text, np.array([e, 1 - e - c, c])) for text, e, c in rows]
    together = None
    if joined is not None:
        text, e, c = joined
        together = reader.premise(text, np.array([e, 1 - e - c, c]))
    return measure_premises(CLAIM, premises, together)


def named(signals: Signals) -> dict[str, float]:
    """Return the signals by name."""
    return dict(zip(FEATURES, signals.features.tolist(), strict=True))


def test_each_signal_has_its_place() -> None:
    """Log-odds of the best window, of the largest ones, of the joined premise; overlap and facts of the best."""
    signals = measured((OTHER, 0.1, 0.6), (RIGHT, 0.9, 0.05), joined=(f"{OTHER}\n{RIGHT}", 0.8, 0.1))
    values = named(signals)
    assert values["entailment"] == pytest.approx(log_odds(0.9))
    assert values["contradiction"] == pytest.approx(log_odds(0.05))
    assert values["max_contradiction"] == pytest.approx(log_odds(0.05))
    assert values["joined_entailment"] == pytest.approx(log_odds(0.8))
    assert values["overlap"] == 1.0 and values["pair_overlap"] == 1.0
    assert values["date_mismatch"] == 0.0 and values["facts_found"] == 1.0
    assert signals.order == (1, 0) and signals.best.text == RIGHT and not signals.by_joined


def test_what_speaks_of_something_else_contradicts_nothing() -> None:
    """Where no window entails the claim, only the contradiction of those about its subject counts."""
    other = "The Brown Bridge was built in 1887."
    claim = "The Green Bridge was built in 1889."
    same = "The Green Bridge was built by a company."
    reader = Reader(claim, {})
    far = reader.premise(other, np.array([0.0, 0.1, 0.9]))
    near = reader.premise(same, np.array([0.1, 0.7, 0.2]))
    assert not far.about_subject and near.about_subject
    values = named(measure_premises(claim, [far, near]))
    assert values["max_contradiction"] == pytest.approx(log_odds(0.2))
    alone = named(measure_premises(claim, [far, reader.premise(OTHER, np.array([0.0, 0.9, 0.1]))]))
    assert alone["max_contradiction"] == pytest.approx(log_odds(0.1))


def test_siblings_do_not_speak_against_a_claim_that_is_there() -> None:
    """Of two pumps with a window each, the signals are those of the one that the claim is about."""
    claim = "The pump P-7 delivers 107 litres per minute."
    reader = Reader(claim, {})
    own = reader.premise(f"{claim[:-1]} at a pressure of 5 bar.", np.array([0.9, 0.05, 0.05]))
    sibling = reader.premise("The pump P-6 delivers 106 litres per minute.", np.array([0.01, 0.04, 0.95]))
    both, alone = measure_premises(claim, [sibling, own]), measure_premises(claim, [own])
    assert both.best is own and both.features.tolist() == alone.features.tolist()


def test_two_windows_dont_say_together_what_one_of_them_denies() -> None:
    """The room of one with the seats of another do not support a claim, however sure the model is of both together."""
    claim = "Room 204 seats 60 people."
    reader = Reader(claim, {})
    texts = ("Room 204 seats 35 people.", "Room 205 seats 60 people.")
    premises = [reader.premise(text, np.array([e, 0.0, 1 - e])) for text, e in zip(texts, (0.1, 0.4), strict=True)]
    together = reader.premise("\n".join(texts), np.array([0.97, 0.02, 0.01]))
    assert not measure_premises(claim, premises, together).by_joined
    assert measure_premises(claim, premises[1:], together).by_joined


def test_without_a_joined_premise_the_best_stands_for_it() -> None:
    """A single window is both."""
    values = named(measured((RIGHT, 0.9, 0.05)))
    assert values["joined_entailment"] == values["entailment"] == values["max_entailment"]


def test_a_premise_with_another_number_is_not_the_best() -> None:
    """Where the model takes both for proof, the one that agrees on the year is the evidence."""
    signals = measured((WRONG, 0.99, 0.0), (RIGHT, 0.7, 0.1))
    assert signals.best.text == RIGHT and not signals.best.hard
    alone = measured((WRONG, 0.99, 0.0))
    assert [m.evidence for m in alone.best.hard] == ["1887"]
    assert named(alone)["date_mismatch"] == 1.0


def test_the_window_about_the_same_is_the_best_where_none_entails() -> None:
    """Facts are compared with what speaks of the same, not with noise that is a hair more entailing."""
    assert measured((OTHER, 0.06, 0.01), (WRONG, 0.02, 0.9)).best.text == WRONG


def test_the_joined_premise_must_be_clearly_better() -> None:
    """One window that says it all is the evidence; two are where neither does."""
    both = f"{OTHER}\n{RIGHT}"
    assert not measured((RIGHT, 0.9, 0.0), joined=(both, 0.92, 0.0)).by_joined
    assert measured((RIGHT, 0.2, 0.0), joined=(both, 0.92, 0.0)).by_joined


def test_signals_are_bounded() -> None:
    """Certain probabilities and many mismatches give numbers that no weight blows up."""
    signals = measured((RIGHT, 1.0, 0.0), (OTHER, 0.0, 1.0))
    assert np.isfinite(signals.features).all() and np.abs(signals.features).max() == 10.0


def test_facts_of_a_window_are_read_once() -> None:
    """Claims that share a window share what was read of it; what was read of a claim is kept as well."""
    read: dict[str, Facts] = {}
    Reader(CLAIM, read).premise(RIGHT, np.array([1.0, 0.0, 0.0]))
    first = read[RIGHT]
    Reader("Another claim.", read).premise(RIGHT, np.array([1.0, 0.0, 0.0]))
    assert read[RIGHT] is first and list(read) == [CLAIM, RIGHT, "Another claim."]


def test_words_that_a_tokenizer_cant_tell_apart_must_be_there() -> None:
    """A long digest is one unknown token to a model: another one in the premise is no support."""
    first, second = "a1" * 64, "b2" * 64
    reader = Reader(f"The digest is {first}.", {})
    assert reader.premise(f"The digest is {first}.", np.array([1.0, 0.0, 0.0])).hard == ()
    (mismatch,) = reader.premise(f"The digest is {second}.", np.array([1.0, 0.0, 0.0])).hard
    assert (mismatch.kind, mismatch.claim, mismatch.evidence) == ("name", first[:80], "")


def test_what_the_author_says_of_themselves_is_in_no_source() -> None:
    """The signal is 1 where the claim has a first person and the best premise none."""
    reader = Reader("I like the tower.", {})
    about, told = (
        reader.premise(text, np.array([0.2, 0.7, 0.1]))
        for text in ("The tower is tall.", "I like the tower, she said.")
    )
    assert named(measure_premises("I like the tower.", [about]))["first_person"] == 1.0
    assert named(measure_premises("I like the tower.", [told]))["first_person"] == 0.0
    assert named(measure_premises("The tower is tall.", [about]))["first_person"] == 0.0


@pytest.mark.parametrize(
    ("claim", "entailment", "recombined"),
    [
        ("After the bus the ferry leaves the harbour.", 0.5, True),
        ("After the bus the ferry leaves the harbour.", 0.7, False),
        ("The ferry leaves the harbour after the bus.", 0.9, True),  # two in each other's place
        ("The ferry reaches the harbour after the bus.", 0.5, False),  # one word is another
        ("The bus leaves the harbour after the ferry.", 0.5, False),  # word for word
        ("The ferry leaves.", 0.5, False),  # too few words
    ],
)
def test_words_of_the_premise_in_another_order_need_more_than_doubt(
    claim: str, entailment: float, recombined: bool
) -> None:
    """A claim of the premise's own words that the model doubts is recombined; in other words, it is only doubted."""
    premise = Reader(claim, {}).premise(
        "The bus leaves the harbour after the ferry.", np.array([entailment, 1 - entailment, 0.0])
    )
    assert measure_premises(claim, [premise]).recombined is recombined


def plain(
    entailment: float, contradiction: float = 0.0, overlap: float = 0.0, *, about: bool = True, n_wrong: int = 0
) -> Premise:
    """Return a premise with these measurements, and so many numbers that it states otherwise."""
    facts = FactCheck((Mismatch("number", "7", "9"),) * n_wrong, n_facts=8)
    return Premise(OTHER, (entailment, 1 - entailment - contradiction, contradiction), facts, overlap, about)


@pytest.mark.parametrize(
    ("premise", "merit"),
    [
        (plain(0.6, overlap=0.4), 0.8),
        (plain(0.6, overlap=0.4, about=False), 0.06 + 0.1),
        (plain(0.6, overlap=0.4, n_wrong=1), 0.06 + 0.2),
    ],
)
def test_how_good_a_premise_is(premise: Premise, merit: float) -> None:
    """Entailment and half of the shared words; a tenth and, of another subject, half of these, if it is doubtful."""
    assert premise.merit == pytest.approx(merit)


@pytest.mark.parametrize(
    ("alone", "joined", "is_joined"),
    [
        (plain(0.4), plain(0.46), True),
        (plain(0.4), plain(0.44), False),
        (plain(0.4, 0.49), plain(0.9), True),
        (plain(0.4, 0.5), plain(0.9), False),
        (plain(0.4, 0.5, about=False), plain(0.9), True),
        (plain(0.4, n_wrong=1), plain(0.9), False),
    ],
)
def test_two_windows_together_must_be_better(alone: Premise, joined: Premise, is_joined: bool) -> None:
    """By a twentieth, and no window about the subject may deny it."""
    signals = measure_premises(CLAIM, [alone], joined)
    assert signals.by_joined is is_joined and signals.best is (joined if is_joined else alone)


@pytest.mark.parametrize(
    ("best", "joined", "contradictions"),
    [  # of the best premise, the largest one, and of the two together
        (plain(0.5, 0.01), plain(0.1, 0.4), (0.01, 0.01, 0.01)),
        (plain(0.49, 0.01), plain(0.1, 0.4), (0.01, 0.3, 0.4)),
        (plain(0.49, 0.01), plain(0.1, 0.4, about=False), (0.01, 0.3, 0.01)),
        (plain(0.9, 0.01, about=False), plain(0.1, 0.4), (0.01, 0.3, 0.4)),
    ],
)
def test_whose_contradiction_counts(best: Premise, joined: Premise, contradictions: tuple[float, float, float]) -> None:
    """Where the best premise entails the claim, its own; else the largest one of those about the subject."""
    premises = [plain(0.01, 0.3), best, plain(0.01, 0.45, about=False)]
    signals = measure_premises(CLAIM, premises, joined)
    values = named(signals)
    assert signals.best is best or not best.about_subject
    found = [values[name] for name in ("contradiction", "max_contradiction", "joined_contradiction")]
    if best.about_subject:
        assert found == pytest.approx(log_odds(contradictions))
    else:
        assert found[1:] == pytest.approx(log_odds(contradictions[1:]))


def test_no_kind_of_mismatch_counts_more_than_three() -> None:
    """Log-odds within ten, and three of a kind of mismatch at most."""
    values = named(measure_premises(CLAIM, [plain(1.0, n_wrong=5)]))
    assert (values["entailment"], values["contradiction"]) == (10.0, -10.0)
    assert values["number_mismatch"] == 3.0 and values["facts_found"] == pytest.approx(3 / 8)
    assert named(measure_premises(CLAIM, [plain(1.0, n_wrong=2)]))["number_mismatch"] == 2.0


def test_a_sentence_that_says_the_same_is_the_best() -> None:
    """Whatever the model makes of it; the others follow by their merit, the first of equals first."""
    premises = [plain(0.1), plain(0.3), plain(0.9), plain(0.3)]
    signals = measure_premises(CLAIM, premises, verbatim=True)
    assert signals.order == (0, 2, 1, 3) and signals.best is premises[0] and signals.verbatim
    assert named(signals)["contained"] == 1.0
    assert measure_premises(CLAIM, premises).order == (2, 1, 3, 0)
    assert named(measure_premises(CLAIM, premises))["contained"] == 0.0


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Ulm has a bridge.", True),
        ("Ulm is there.", False),
        ("The long old bridge.", False),
    ],
)
def test_what_a_premise_is_about(text: str, about: bool) -> None:
    """Half of the words of the subject, and all that can't be replaced in it."""
    premise = Reader("The long old bridge in Ulm was built in 1889.", {}).premise(text, np.array([0.1, 0.8, 0.1]))
    assert premise.about_subject is about


def test_words_that_a_model_cannot_tell_apart() -> None:
    """Of sixty-four letters and more; they must stand there as they are."""
    long, longer = "a" * 63, "b" * 64
    reader = Reader(f"The digest is {long} or {longer}.", {})
    assert [item.claim for item in reader.premise("The digest.", np.array([0.9, 0.1, 0.0])).unread] == [longer]
    assert reader.premise(f"It is {longer}.", np.array([0.9, 0.1, 0.0])).unread == ()
    (unread,) = Reader(f"It is {'c' * 99}.", {}).premise("It is.", np.array([0.9, 0.1, 0.0])).hard
    assert unread == Mismatch("name", "c" * 80)


@pytest.mark.parametrize(
    ("claim", "entailment", "recombined"),
    [
        ("The bank sued the broker in March.", 0.3, False),
        ("The broker sued the bank in March.", 0.95, True),
        ("The bank closed at 9.", 0.95, True),
        ("The bank closed at 6.", 0.95, False),
    ],
)
def test_the_other_voice_and_the_other_number(claim: str, entailment: float, recombined: bool) -> None:
    """Who did it stands elsewhere in the other voice, which is no reason to doubt; a number keeps its verb."""
    text = "The broker was sued by the bank in March. The bank opened at 9 and closed at 6."
    premise = Reader(claim, {}).premise(text, np.array([entailment, 1 - entailment, 0.0]))
    assert measure_premises(claim, [premise]).recombined is recombined
