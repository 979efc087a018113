"""Hard negatives: documents that a retriever finds for a query and that do not answer it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from secondpass.base import Reranker
from secondpass.counts import counted
from secondpass.errors import CompositionError, InputError
from secondpass.learn.data.example import TrainingExample, checked_examples
from secondpass.learn.data.normalised import normalised
from secondpass.learn.data.scoring import as_reranker, log_odds_of
from secondpass.logistic import FloatArray, sigmoid
from secondpass.retrieve.base import Retriever
from secondpass.types import Document, Request, is_blank
from secondpass.validation import NOT_NEGATIVE, SHARE, Number, OneOf, Whole

__all__ = ["Mined", "Rejected", "mine_negatives"]

_CEILING = 0.95  # NV-Retriever's share of the positive's score (Moreira et al. 2024, arXiv:2407.15831)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that may well be relevant, and so is not a negative.

    Attributes:
        example: the position of the example.
        document: the text.
        score: what it scored: a probability of the reranker's, or the retriever's score.
        limit: what it would have had to stay below.
    """

    example: int
    document: str
    score: float
    limit: float


@dataclass(frozen=True, slots=True, repr=False)
class Mined:
    """What `mine_negatives` found.

    Attributes:
        examples: those that came in, in their order, with negatives behind the documents that they had.
        n_negatives: how many negatives were added in all.
        short: the positions of examples that got fewer than were wanted.
        rejected: candidates that may be relevant, the closest to a relevant one first: often labels that are missing.
    """

    examples: tuple[TrainingExample, ...]
    n_negatives: int
    short: tuple[int, ...]
    rejected: tuple[Rejected, ...]

    def __repr__(self) -> str:
        return (
            f"Mined({counted(self.n_negatives, 'negative')} for {counted(len(self.examples), 'example')}, "
            f"{counted(len(self.rejected), 'candidate')} "
            f"rejected as perhaps relevant, {counted(len(self.short), 'example')} got too few)"
        )


def mine_negatives(
    examples: Iterable[TrainingExample],
    documents: Iterable[Document],
    *,
    retriever: Retriever,
    reranker: str | Mapping[str, Any] | Reranker | None = None,
    n: int = 4,
    depth: int = 50,
    skip: int = 0,
    ceiling: float | None = _CEILING,
    floor: float = 0.05,
    margin: float = 0.0,
    pick: Literal["hardest", "random"] = "hardest",
    progress: bool = False,
    seed: int = 0,
) -> Mined:
    """Add hard negatives to examples: what is near to an answer, and is none.

    The retriever finds candidates: `BM25Retriever` those with the query's words, `DenseRetriever` those that a
    bi-encoder confuses with it, a `HybridRetriever` both. A cross-encoder then tells which of them may be relevant
    without having been labelled so (false negatives), and which are hardest. Without one, the retriever's own scores
    have to do.

    A candidate is rejected if it scores above ``ceiling`` times what the query's best relevant document scores, or less
    than ``margin`` below it.

    Args:
        examples: each with a relevant document, or it stays as it is.
        documents: the corpus; the retriever indexes it if it has no documents yet.
        retriever: what finds the candidates.
        reranker: what judges them, or its name. Its scores count as probabilities (logits by the logistic function).
        n: how many negatives each example gets at most.
        depth: how many candidates are looked at.
        skip: how many of the first ones are passed over, as they are most likely relevant.
        ceiling: above 0, at most 1; None for no such limit.
        floor: a candidate that the reranker gives a lower probability is no relevant document, whatever those that are
            labelled score: they do badly where the reranker does not know the field. In [0, 1]; without a reranker it
            plays no part.
        margin: on probabilities, or on the retriever's scores where there is no reranker; at least 0.
        pick: the ``hardest``, or ``random`` ones among those that remain.
        progress: show a bar while the corpus is indexed.
        seed: of the drawing.

    Raises:
        InputError: there are no examples or documents, or one can't be used.
        ConfigError: a setting is out of range.
        CompositionError: the reranker's scores are ordinal, or ``retriever`` is not a Retriever.
    """
    if not isinstance(retriever, Retriever):
        raise CompositionError(f"mine_negatives takes a Retriever, not a {type(retriever).__name__}")
    for name, number in (("n", n), ("depth", depth)):
        Whole(at_least=1).checked(number, name, error=InputError)
    Whole(at_least=0).checked(skip, "skip")
    (_SHARE | None).checked(ceiling, "ceiling")
    SHARE.checked(floor, "floor")
    NOT_NEGATIVE.checked(margin, "margin")
    OneOf("hardest", "random").checked(pick, "pick")
    random = np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    found = checked_examples(examples)
    if not isinstance(found[0], TrainingExample):
        raise InputError(f"only a TrainingExample has a query to search with, not a {type(found[0]).__name__}")
    judge = None if reranker is None else as_reranker(reranker, "mine_negatives")
    corpus = Request("corpus", documents)  # type: ignore[arg-type]  # any iterable will do, and is checked
    if not len(corpus):
        raise InputError("there are no documents to find negatives in")
    if not len(retriever):
        retriever.index(corpus.documents, progress=progress)
    asked = [at for at, each in enumerate(found) if any(each.positives) and not is_blank(each.query)]
    candidates = _candidates(found, asked, retriever, depth, skip)
    scores = _scores(found, asked, candidates, retriever, judge)
    mined: list[TrainingExample] = list(found)
    rejected: list[Rejected] = []
    for at in asked:
        own, others = scores[at]
        limit = _limit(own, ceiling, margin)
        if judge is not None:
            limit = max(limit, floor)
        below = others < limit
        rejected += [
            Rejected(at, candidates[at][each], float(others[each]), limit) for each in np.flatnonzero(~below).tolist()
        ]
        free = np.flatnonzero(below)
        order = free[np.argsort(-others[free], kind="stable")] if pick == "hardest" else random.permutation(free)
        texts = tuple(candidates[at][each] for each in order[:n].tolist())
        mined[at] = _with_negatives(found[at], texts)

    n_added = [len(new.documents) - len(old.documents) for new, old in zip(mined, found, strict=True)]
    short = tuple(at for at, number in enumerate(n_added) if number < n)
    closest = sorted(rejected, key=lambda each: each.limit - each.score)
    return Mined(tuple(mined), sum(n_added), short, tuple(closest))


def _candidates(
    examples: Sequence[TrainingExample], asked: Sequence[int], retriever: Retriever, depth: int, skip: int
) -> dict[int, list[str]]:
    """Return, of each example, the texts that were found and that it does not have yet."""
    rankings = retriever.search([examples[at].query for at in asked], depth + skip)
    found: dict[int, list[str]] = {}
    for at, ranking in zip(asked, rankings, strict=True):
        known = set(map(normalised, examples[at].documents))
        fresh: dict[str, str] = {}
        for text in ranking.texts[skip:]:
            plain = normalised(text)
            if plain not in known and not is_blank(text):
                fresh.setdefault(plain, text)
        found[at] = list(fresh.values())
    return found


def _scores(
    examples: Sequence[TrainingExample],
    asked: Sequence[int],
    candidates: Mapping[int, Sequence[str]],
    retriever: Retriever,
    judge: Reranker | None,
) -> dict[int, tuple[FloatArray, FloatArray]]:
    """Return, of each example, the scores of its relevant documents and those of the candidates."""
    queries = [examples[at].query for at in asked]
    if judge is None:
        return _own_scores(examples, asked, candidates, retriever, queries)
    texts = [[*examples[at].positives, *candidates[at]] for at in asked]
    scored = {}
    for at, values in zip(asked, log_odds_of(judge, queries, texts), strict=True):
        chances, n_own = sigmoid(values), len(examples[at].positives)
        scored[at] = chances[:n_own], chances[n_own:]
    return scored


def _own_scores(
    examples: Sequence[TrainingExample],
    asked: Sequence[int],
    candidates: Mapping[int, Sequence[str]],
    retriever: Retriever,
    queries: Sequence[str],
) -> dict[int, tuple[FloatArray, FloatArray]]:
    """Return the retriever's scores; a relevant document that it does not find at all says nothing, and is left out."""
    scored = {}
    for at, query in zip(asked, queries, strict=True):
        all_of = {document.text: document.score for document in retriever.search(query, None)}
        own = [all_of[text] for text in examples[at].positives if text in all_of]
        scored[at] = np.array(own), np.array([all_of[text] for text in candidates[at]])
    return scored


def _limit(own: FloatArray, ceiling: float | None, margin: float) -> float:
    """Return what a candidate has to stay below; anything does where no relevant document has a score."""
    if not len(own):
        return np.inf
    best = float(own.max())
    return best - margin if ceiling is None else min(best - margin, ceiling * best)


def _with_negatives(example: TrainingExample, texts: tuple[str, ...]) -> TrainingExample:
    if not texts:
        return example
    labels = example.labels + (0.0,) * len(texts)
    return replace(example, documents=example.documents + texts, labels=labels, scores=None)


_SHARE = Number(above=0, at_most=1)
