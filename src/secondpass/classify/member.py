"""How much a text speaks for a label: what members have in common, NLI models, and rerankers in their place."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError
from secondpass.logistic import FloatArray, log_odds
from secondpass.models.nli import LABELS, NliModel
from secondpass.types import Request, Scale
from secondpass.windows import ApproximateTokenization, ModelTokenization, Span, Tokenization, cut, find_tokenization

__all__ = ["Item", "ItemScores", "Member", "NliMember", "RerankerMember", "refuse_cut_hypothesis"]

Item = tuple[str, tuple[str, ...]]
"""A text, and the hypotheses that together stand for a label."""

_OVERLAP = 8  # one token in so many is shared by neighbouring windows
_LEAST = -745.0  # the logarithm of the smallest number above 0: what a probability of 0 is taken for
_ENTAILMENT, _NEUTRAL, _CONTRADICTION = range(len(LABELS))


@dataclass(frozen=True, slots=True)
class ItemScores:
    """What a member says of items, one entry for each.

    Attributes:
        logits: shape (n_items,): the mean over the hypotheses, of the window that has the highest.
        windows: that window, in characters of the text; None if the text went in whole.
        counts: ``pairs``, ``pairs_scored`` and ``tokens`` of each item, as far as they are known.
    """

    logits: FloatArray
    windows: tuple[Span | None, ...]
    counts: tuple[dict[str, int], ...]


class Member(ABC):
    """One model of a classifier."""

    tokenization: Tokenization

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """The identity of the model."""

    @abstractmethod
    def _logits(self, pairs: Sequence[tuple[str, str]], odds: bool) -> tuple[FloatArray, list[int] | None]:
        """Return the logits of distinct pairs of a text and a hypothesis, and each pair's tokens if known."""

    def log_odds(self, logits: FloatArray) -> FloatArray:
        """Return the log odds of each label of one text, from their logits with ``odds``: shape (n_labels,)."""
        return logits

    def clauses(self, text: str) -> Sequence[str]:
        """Return the parts of a text that are read by themselves, too, where several labels may be true; here none."""
        return ()

    def score(self, items: Sequence[Item], *, odds: bool) -> ItemScores:
        """Score texts against labels, all in one run of the model.

        A text that does not fit beside the hypothesis is cut into windows, and the best one counts.

        Args:
            items: texts with the hypotheses of a label.
            odds: whether the logits must mean something for themselves, and can be made log odds of a label against
                its not being so (`log_odds`); else they need only be comparable between the labels of a text.

        Raises:
            ConfigError: a hypothesis is too long for the model.
            ScoringError: the model failed.
        """
        spans = self._windows(items)
        pairs: dict[tuple[str, str], int] = {}
        places = [
            [[pairs.setdefault((text[start:end], one), len(pairs)) for one in hypotheses] for start, end in windows]
            for (text, hypotheses), windows in zip(items, spans, strict=True)
        ]
        logits, tokens = self._logits(list(pairs), odds) if pairs else (np.empty(0), None)
        logits = np.maximum(logits, _LEAST)
        means = [[float(logits[row].mean()) for row in rows] for rows in places]
        best = [int(np.argmax(each)) for each in means]
        seen: set[int] = set()
        counts = []
        for rows in places:
            used = [at for row in rows for at in row]
            count = {"pairs": len(used), "pairs_scored": len(set(used) - seen)}
            if tokens is not None:
                count["tokens"] = sum(tokens[at] for at in used)
            seen.update(used)
            counts.append(count)
        return ItemScores(
            np.array([each[at] for each, at in zip(means, best, strict=True)], dtype=np.float64),
            tuple(cuts[at] if len(cuts) > 1 else None for cuts, at in zip(spans, best, strict=True)),
            tuple(counts),
        )

    def _windows(self, items: Sequence[Item]) -> list[list[Span]]:
        texts = list(dict.fromkeys(text for text, _ in items))
        hypotheses = list(dict.fromkeys(hypothesis for _, several in items for hypothesis in several))
        lengths = dict(zip(texts, self.tokenization.lengths(texts), strict=True))
        sizes = dict(zip(hypotheses, self._hypothesis_lengths(hypotheses), strict=True))
        # By a text's own longest hypothesis: all its labels are compared on the same windows, whatever other texts
        # are in the run.
        longest: dict[str, int] = {}
        for text, several in items:
            longest[text] = max(longest.get(text, 0), *(sizes[hypothesis] for hypothesis in several))
        done = {text: self._cut(text, length, longest[text]) for text, length in lengths.items()}
        return [done[text] for text, _ in items]

    def _hypothesis_lengths(self, hypotheses: Sequence[str]) -> list[int]:
        """Return how many tokens of the room beside a text each hypothesis takes."""
        return self.tokenization.lengths(hypotheses)

    def _cut(self, text: str, length: int, hypothesis_length: int) -> list[Span]:
        size = self.tokenization.document_room(hypothesis_length)
        if length <= size:
            return [(0, len(text))]
        return cut(text, size, size // _OVERLAP, "sentence", self.tokenization)


class NliMember(Member):
    """An NLI model: the text is the premise (Yin et al. 2019, arXiv:1909.00161)."""

    def __init__(self, model: NliModel) -> None:
        self.model = model
        pair_model = getattr(model, "pair_model", None)
        self.tokenization = (
            ApproximateTokenization()
            if pair_model is None
            else ModelTokenization(pair_model.tokenizer, pair_model.tokenizer.pair_room)
        )

    @property
    def fingerprint(self) -> str:
        """The model's own."""
        return self.model.fingerprint

    def _logits(self, pairs: Sequence[tuple[str, str]], odds: bool) -> tuple[FloatArray, list[int] | None]:
        output = self.model.run(pairs)
        refuse_cut_hypothesis(output.truncated[:, 1].tolist(), [hypothesis for _, hypothesis in pairs])
        logits = np.maximum(output.logits, _LEAST)
        against = _CONTRADICTION if self.model.has_contradiction else _NEUTRAL
        entailment = logits[:, _ENTAILMENT]
        return entailment - logits[:, against] if odds else entailment, output.n_tokens.tolist()


class RerankerMember(Member):
    """A reranker in place of an NLI model: the hypothesis is the query, the text the document."""

    def __init__(self, reranker: Reranker) -> None:
        if reranker.scale is Scale.ORDINAL or not reranker.pointwise:
            what = "are ordinal" if reranker.scale is Scale.ORDINAL else "depend on the other documents"
            raise CompositionError(
                f"ZeroShotClassifier compares a text's scores for several labels, but those of {reranker!r} {what}: "
                f"they only mean something within one request; use a reranker that gives logits or probabilities"
            )
        self.reranker = reranker
        self.tokenization = find_tokenization(reranker) or ApproximateTokenization()

    @property
    def fingerprint(self) -> str:
        """The reranker's own."""
        return self.reranker.fingerprint

    def _logits(self, pairs: Sequence[tuple[str, str]], odds: bool) -> tuple[FloatArray, list[int] | None]:
        places: dict[str, list[int]] = {}
        for at, (_, hypothesis) in enumerate(pairs):
            places.setdefault(hypothesis, []).append(at)
        scores = self.reranker.score_many(
            [Request(hypothesis, [pairs[at][0] for at in where]) for hypothesis, where in places.items()]
        )
        refuse_cut_hypothesis([each.trace.total("query_truncated") > 0 for each in scores], list(places))
        values = np.empty(len(pairs))
        for where, each in zip(places.values(), scores, strict=True):
            values[where] = each.values
        return log_odds(values) if self.reranker.scale is Scale.PROBABILITY else values, None


def refuse_cut_hypothesis(cut_off: Sequence[bool], hypotheses: Sequence[str]) -> None:
    """Raise a `ConfigError` if one of the hypotheses was cut, or would be."""
    for was_cut, hypothesis in zip(cut_off, hypotheses, strict=True):
        if was_cut:
            raise ConfigError(
                f"the hypothesis {hypothesis[:60]!r}… is too long for the model beside a text; shorten it"
            )
