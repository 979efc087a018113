"""The signals of a claim: what is measured of it and its evidence, as one vector that its probability is made from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from secondpass.logistic import FloatArray, log_odds
from secondpass.verify.facts.check import FEATURES as FACT_FEATURES
from secondpass.verify.facts.check import FactCheck, Facts, check_facts, facts_of
from secondpass.verify.facts.kinds import KINDS
from secondpass.verify.relations import reverses
from secondpass.verify.types import Mismatch
from secondpass.verify.word_order import Turned, misplaces, swaps, turns
from secondpass.verify.words import content_words, first_person, holds, overlap, pair_overlap, subject_words

__all__ = ["ALL_WORDS", "DOUBTED", "FEATURES", "Premise", "Reader", "Signals", "measure_premises"]

FEATURES = (
    "entailment",
    "contradiction",
    "max_entailment",
    "max_contradiction",
    "joined_entailment",
    "joined_contradiction",
    "overlap",
    "pair_overlap",
    "contained",
    "first_person",
    *FACT_FEATURES,
)
"""The signals of a claim, in the order of `Signals.features`.

``entailment`` and ``contradiction`` are the log-odds that the model gives the best premise, ``max_`` ones the largest
over all single windows, ``joined_`` ones those of the two best windows read together (of the best premise if there is
no such pair, or if a window denies the claim); all within ±10. Where the best premise entails the claim, all
contradiction is its own; else only windows that are about the claim's subject contradict. ``overlap`` and
``pair_overlap`` are the shares of the claim's words and word pairs that the best premise holds, and ``contained`` is 1
if a premise has all of its words in its order with no other between them. ``first_person`` is 1 if the claim's author
speaks of themselves, as nobody does in the best premise: what "I like it" says is in no source. The others are those of
`FactCheck.features` for the best premise: how many facts it states differently, or not at all, by kind (3 at most
each), and the share of the claim's facts that it has.
"""

# Word-piece tokenizers have one and the same token for all words of more than 100 letters, such as long digests.
_LONG_WORD = re.compile(r"[^\W_]{64,}")
_LIMIT = 10.0  # log-odds
_MOST = 3.0  # of one kind of mismatch
_ENTAILMENT, _CONTRADICTION = 0, 2  # columns of an NliOutput
_DISCOUNT = 0.1  # on the entailment of a premise that states a number otherwise
_OVERLAP_WEIGHT = 0.5  # between two premises, against the probability of entailment
_OTHER_SUBJECT = 0.5  # words shared by what speaks of another thing are worth half
_SURE = 0.5  # of one premise, by the model alone
# A right claim in other words is often doubted. In the premise's own words there is little left to doubt but how they
# are put together: who did it, which of two things has the value, what came first. So doubted, nearly all were wrong
# where words were recombined on purpose, and on real answers as many as were right.
ALL_WORDS, _MIN_WORDS = 0.95, 4  # the share of the claim's content words; of fewer, "not" and "off" make the sense
DOUBTED = 0.6
_JOINED_COST = 0.05  # one window that says it all is the better evidence


@dataclass(frozen=True, slots=True)
class Premise:
    """A window, or two of them joined, against one claim.

    Attributes:
        probabilities: of entailment, neutral and contradiction.
        facts: what its facts say of the claim's.
        overlap: the share of the claim's words that it holds, in [0, 1].
        about_subject: whether it speaks of what the claim is about, and not only of something like it.
        unread: words of the claim that a model can't tell apart, and that the premise does not have.
    """

    text: str
    probabilities: tuple[float, float, float]
    facts: FactCheck
    overlap: float
    about_subject: bool = True
    unread: tuple[Mismatch, ...] = ()

    @property
    def entailment(self) -> float:
        """The model's probability that the claim follows."""
        return self.probabilities[_ENTAILMENT]

    @property
    def contradiction(self) -> float:
        """The model's probability that the premise says otherwise."""
        return self.probabilities[_CONTRADICTION]

    @property
    def hard(self) -> tuple[Mismatch, ...]:
        """Mismatches that no model and no judge can overrule: a claim with one is never supported."""
        return (*(mismatch for mismatch in self.facts.mismatches if mismatch.kind in KINDS.hard), *self.unread)

    @property
    def merit(self) -> float:
        """How good it is as evidence: by entailment, by shared words, by facts that agree and the same subject."""
        doubtful = self.hard or not self.about_subject
        shared = self.overlap * (1.0 if self.about_subject else _OTHER_SUBJECT)
        return self.entailment * (_DISCOUNT if doubtful else 1.0) + _OVERLAP_WEIGHT * shared


@dataclass(frozen=True, slots=True)
class Signals:
    """The measurements of one claim.

    Attributes:
        features: shape (len(FEATURES),), float64.
        best: the premise that speaks most for the claim.
        order: the single windows' positions, by falling merit.
        by_joined: whether the best premise is the joined one.
        premises: the single windows as premises, in the order in which they came.
        verbatim: whether the best premise says the same word for word.
        recombined: whether the best premise has all of the claim's words, in another order, and the model doubts that
            it says this with them; or has some of them in each other's place, see `secondpass.verify.word_order` and
            `secondpass.verify.relations`.
    """

    features: FloatArray
    best: Premise
    order: tuple[int, ...]
    by_joined: bool
    premises: tuple[Premise, ...]
    verbatim: bool = False
    recombined: bool = False


class Reader:
    """Measures one claim against premises: the facts of the claim are read once.

    Args:
        claim: what is claimed, as the model reads it.
        read: facts of premises that were read before, by their text; those that are read are added.
    """

    def __init__(self, claim: str, read: dict[str, Facts]) -> None:
        self._claim, self._facts, self._read = claim, facts_of(claim, read), read
        self._subject, self._fixed = subject_words(claim)
        self._long_words = dict.fromkeys(_LONG_WORD.findall(claim))

    def premise(self, text: str, probabilities: FloatArray, otherwise: Mismatch | None = None) -> Premise:
        """Measure a window, or two joined.

        Args:
            text: what was read.
            probabilities: the model's, shape (3,), as in `NliOutput`.
            otherwise: a mismatch that shows only beside other windows.
        """
        entailment, neutral, contradiction = (float(p) for p in probabilities)
        facts = check_facts(self._facts, facts_of(text, self._read))
        if otherwise is not None and not facts.mismatches:
            facts = replace(facts, mismatches=(otherwise,))
        unread = tuple(Mismatch("name", word[:80]) for word in self._long_words if word not in text)
        shared = overlap(self._claim, text)
        return Premise(text, (entailment, neutral, contradiction), facts, shared, self._is_about_subject(text), unread)

    def _is_about_subject(self, text: str) -> bool:
        words = frozenset(content_words(text))
        return self._fixed <= words and 2 * len(self._subject & words) >= len(self._subject)


def measure_premises(
    claim: str, premises: Sequence[Premise], joined: Premise | None = None, *, verbatim: bool = False
) -> Signals:
    """Measure a claim against its windows, or against those of one passage.

    Args:
        claim: what is claimed.
        premises: the windows, at least one.
        joined: the two best of them as one premise.
        verbatim: whether the first premise says the same word for word: it then is the best one.
    """
    order = sorted(range(len(premises)), key=lambda at: (not (verbatim and at == 0), -premises[at].merit))
    best = premises[order[0]]
    # Two windows don't say together what one of them denies: the room of one with the seats of the other.
    denied = any(premise.about_subject and (premise.hard or premise.contradiction >= _SURE) for premise in premises)
    by_joined = joined is not None and not denied and joined.merit - _JOINED_COST > best.merit
    if joined is not None and by_joined:
        best = joined
    together = best if joined is None or denied else joined
    facts = best.facts.features()
    # Where the best premise says it, the others may say what they like of other things.
    entailed = verbatim or (best.entailment >= _SURE and best.about_subject and not best.hard)
    related = [premise.contradiction for premise in premises if premise.about_subject]
    denial = max(related) if related else min(premise.contradiction for premise in premises)
    every = [*premises, *([] if joined is None else [joined])]
    personal = float(first_person(claim) and not first_person(best.text))
    contained = float(verbatim or any(holds(premise.text, claim) for premise in every))
    log = [
        best.entailment,
        best.contradiction,
        max(premise.entailment for premise in premises),
        best.contradiction if entailed else denial,
        together.entailment,
        together.contradiction if together.about_subject and not entailed else best.contradiction,
    ]
    features = np.concatenate(
        [
            np.clip(log_odds(log), -_LIMIT, _LIMIT),
            [best.overlap, pair_overlap(claim, best.text), contained, personal],
            np.minimum([facts[name] for name in FACT_FEATURES], _MOST),
        ]
    )
    doubted = best.overlap >= ALL_WORDS and best.entailment < DOUBTED and not contained
    turned = None if contained else turns(claim, best.text)
    recombined = doubted and turned is not Turned.RIGHTLY and len(set(content_words(claim))) >= _MIN_WORDS
    recombined = recombined or turned is Turned.WRONGLY
    recombined = recombined or (not contained and any(turn(claim, best.text) for turn in (swaps, misplaces, reverses)))
    return Signals(features, best, tuple(order), by_joined, tuple(premises), verbatim, recombined)
