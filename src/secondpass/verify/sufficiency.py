"""Before an answer is generated: whether passages answer the question, and whether they contradict one another."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Literal

from secondpass.base import Reranker, in_thread
from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.loading import RerankerLike, load
from secondpass.types import Document, RankedDocument, Ranking, Scale
from secondpass.validation import SHARE, Whole, check
from secondpass.verify.claims.split import split_claims
from secondpass.verify.load import load_verifier
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.types import Claim, Evidence, Verdict
from secondpass.verify.verifier import FactVerifier

__all__ = ["DECISIONS", "Disagreement", "Sufficiency", "SufficiencyCheck", "sufficiency"]

DECISIONS = ("answer", "search_again", "disagree")
"""What may be done next: answer from the passages, search for others, or say that the sources disagree."""

_MOST_SENTENCES = 40  # of a passage, among which the one about the question is looked for


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A sentence of one passage that another passage contradicts.

    Attributes:
        passage: the index of the passage that says it, from 0.
        text: the sentence.
        start: where it begins in the passage, in characters.
        end: where it ends.
        against: the window of the other passage, which has that one's index.
        probability: that the other passage supports the sentence: a low one.
    """

    passage: int
    text: str
    start: int
    end: int
    against: Evidence
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the passages' own ids are."""
        return {
            "passage": self.passage,
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "against": self.against.to_dict(),
            "probability": self.probability,
        }


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """What passages are good for.

    Attributes:
        question: what was asked.
        probability: that one of the passages, at least, answers it, in [0, 1].
        decision: one of `DECISIONS`.
        disagreements: sentences about the question that another passage contradicts.
        ranking: the passages by how well they answer.
    """

    question: str
    probability: float
    decision: Literal["answer", "search_again", "disagree"]
    disagreements: tuple[Disagreement, ...]
    ranking: Ranking

    @property
    def sufficient(self) -> bool:
        """Whether one of the passages answers the question, whatever the others say."""
        return self.decision != "search_again"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the passages; JSON-ready if their ids are."""
        return {
            "question": self.question,
            "probability": self.probability,
            "decision": self.decision,
            "disagreements": [each.to_dict() for each in self.disagreements],
        }

    def __str__(self) -> str:
        told = f"{self.decision}: probability {self.probability:.2f} that a passage answers {self.question!r}"
        lines = [
            f"  [{each.passage + 1}] {each.text!r}, but [{each.against.passage + 1}] {each.against.text!r}"
            for each in self.disagreements
        ]
        return "\n".join([told, *lines])


class SufficiencyCheck(Configured):
    """Says before an answer is generated whether the passages answer the question, and agree.

    ```python
    found = sp.SufficiencyCheck().check("how long is the guarantee?", passages)
    found.decision  # "answer", "search_again" or "disagree"
    ```

    The reranker gives the probability that one of the passages answers (`Ranking.answerable`). Below ``threshold`` the
    decision is ``search_again``. Otherwise, of each of the best passages, the sentence that is most about the question
    is verified against the other ones: where one contradicts it, the decision is ``disagree``.

    It is safe to share between threads.

    Args:
        reranker: a reranker, its name or its configuration. It must know the probability that something answers, as
            the default model does, or have calibrated probabilities, of which the best one is taken.
        verifier: a verifier, the name of an NLI model, or the settings of a verifier, not with the policy ``raise``;
            None compares nothing.
        threshold: the lowest probability that a passage answers, in [0, 1].
        most: how many of the best passages are compared, at most; those that are less likely than not relevant are not.

    Raises:
        ConfigError: a setting can't be used, or the reranker has no probabilities.
        ModelError: a model can't be loaded.
    """

    registry_name: ClassVar[str] = "sufficiency"

    def __init__(
        self,
        reranker: RerankerLike = "cross-encoder",
        *,
        verifier: FactVerifier
        | MonitoredVerifier
        | str
        | os.PathLike[str]
        | Mapping[str, Any]
        | None = "secondpass-nli-minilm",
        threshold: float = 0.5,
        most: int = 4,
    ) -> None:
        self.reranker: Reranker = load(reranker)
        self.verifier = None if verifier is None else load_verifier(verifier)
        if self.verifier is not None and self.verifier.policy == "raise":
            raise ConfigError(
                "SufficiencyCheck: the policy 'raise' has no meaning here, as passages need not support one another: "
                "take a verifier with another one"
            )
        self.threshold, self.most = threshold, most
        check(self, threshold=SHARE, most=Whole(at_least=2))
        known = self.reranker.calibration
        if self.reranker.scale is not Scale.PROBABILITY and (known is None or known.answerable is None):
            raise ConfigError(
                "SufficiencyCheck needs a reranker that knows the probability that a passage answers: the default "
                'model ("cross-encoder"), or CalibratedReranker(...).fit(examples) around yours'
            )

    def check(self, question: str, passages: Sequence[Document]) -> Sufficiency:
        """Return whether passages answer a question, and whether they disagree.

        Args:
            question: what is asked.
            passages: texts, or mappings with ``text`` and optionally ``id``.

        Raises:
            InputError: one of them is not text.
            ScoringError: the reranker could not score them.
        """
        ranking = self.reranker.rerank(question, passages)
        probability = _probability(ranking)
        if not probability >= self.threshold:
            return Sufficiency(question, probability, "search_again", (), ranking)
        disagreements = self._disagreements(question, ranking)
        return Sufficiency(question, probability, "disagree" if disagreements else "answer", disagreements, ranking)

    async def acheck(self, question: str, passages: Sequence[Document]) -> Sufficiency:
        """Async version of `check`; it runs in a worker thread."""
        return await in_thread(self.check, question, passages)

    def _disagreements(self, question: str, ranking: Ranking) -> tuple[Disagreement, ...]:
        best = [document for at, document in enumerate(ranking.top(self.most)) if not at or _is_relevant(document)]
        if self.verifier is None or len(best) < 2:
            return ()
        said = [(document, claim) for document in best if (claim := self._about(question, document)) is not None]
        items = [(claim.text, [other.text for other in best if other is not document]) for document, claim in said]
        found = []
        for (document, claim), verification in zip(said, self.verifier.verify_many(items), strict=True):
            others = [other for other in best if other is not document]
            for checked in verification.claims:
                if checked.verdict is Verdict.CONTRADICTED and checked.contradicting:
                    window = checked.contradicting[0]
                    other = others[window.passage]
                    against = replace(window, passage=other.index, id=other.id)
                    place = (document.index, claim.text, claim.start, claim.end)
                    found.append(Disagreement(*place, against, checked.probability))
                    break
        return tuple(found)

    def __repr__(self) -> str:
        return f"SufficiencyCheck({self.reranker!r}, verifier={self.verifier!r}, threshold={self.threshold!r})"

    def _about(self, question: str, document: RankedDocument) -> Claim | None:
        """Return the sentence of a passage that is most about a question; None if it has none."""
        claims = [claim for claim in split_claims(document.text) if claim.checkable][:_MOST_SENTENCES]
        if len(claims) < 2:
            return claims[0] if claims else None
        return claims[int(self.reranker.score(question, [claim.text for claim in claims]).argmax())]


def sufficiency(question: str, passages: Sequence[Document]) -> Sufficiency:
    """Return whether passages answer a question and agree, by the models that come with secondpass.

    `SufficiencyCheck` has the settings, the arguments of its method `check` and the errors.
    """
    return _usual().check(question, passages)


@cache
def _usual() -> SufficiencyCheck:
    return SufficiencyCheck()


def _probability(ranking: Ranking) -> float:
    if ranking.answerable is not None:
        return ranking.answerable
    return max((document.probability or 0.0 for document in ranking), default=0.0)


def _is_relevant(document: RankedDocument) -> bool:
    return document.probability is None or document.probability >= 0.5
