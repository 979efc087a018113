"""Training examples from an unlabelled corpus: a strong reranker labels what a retriever finds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from secondpass.base import Reranker
from secondpass.errors import CompositionError, InputError
from secondpass.learn.data.example import TrainingExample
from secondpass.loading import load
from secondpass.retrieve.base import Retriever
from secondpass.types import HOW_TO_CALIBRATE, Document, RankedDocument, Request, Scale
from secondpass.validation import Flag, Number, Whole, shown

__all__ = ["asked_queries", "from_pseudo_labels"]


def from_pseudo_labels(
    documents: Iterable[Document],
    queries: Iterable[str] | Callable[[str], Iterable[str]],
    *,
    retriever: Retriever,
    teacher: str | Mapping[str, Any] | Reranker = "cross-encoder",
    confidence: float = 0.9,
    depth: int = 30,
    n_negatives: int = 8,
    progress: bool = False,
) -> list[TrainingExample]:
    """Return an example for each query for which the teacher is sure of a relevant document.

    A document is relevant if the teacher gives that at least the probability ``confidence``, and not relevant if it
    gives at most ``1 - confidence``; what lies between is left out. The teacher's scores, as they are, become
    ``scores``.

    Args:
        documents: the corpus; the retriever indexes it if it has no documents yet.
        queries: questions, as users ask them; or a function from a document's text to questions that it answers, such
            as a language model's.
        retriever: what finds the candidates.
        teacher: a strong reranker with calibrated probabilities, or its name.
        confidence: above 0.5, below 1.
        depth: how many candidates of a query the teacher labels.
        n_negatives: how many documents that are not relevant each example gets at most: those that the retriever ranks
            highest.
        progress: show a bar while the corpus is indexed.

    Raises:
        InputError: there are no documents or queries, one can't be used, or the teacher is sure of nothing.
        CompositionError: the teacher has no calibrated probabilities.
        ConfigError: a setting is out of range.
    """
    sure = Number(above=0.5, below=1).checked(confidence, "confidence")
    Whole(at_least=1).checked(depth, "depth")
    Whole(at_least=0).checked(n_negatives, "n_negatives")
    Flag().checked(progress, "progress")
    reranker = load(teacher)
    if reranker.calibration is None and reranker.scale is not Scale.PROBABILITY:
        raise CompositionError(f"{reranker!r} has no calibrated probabilities to be sure by: {HOW_TO_CALIBRATE}")
    corpus = Request("corpus", documents)  # type: ignore[arg-type]  # any iterable will do, and is checked
    if not len(corpus):
        raise InputError("there are no documents")
    if not len(retriever):
        retriever.index(corpus.documents, progress=progress)
    asked = asked_queries(queries, corpus.texts)
    found = retriever.search(asked, depth)
    rankings = reranker.rerank_many([Request(each.query, each.texts) for each in found if len(each)])
    examples = []
    for ranking in rankings:
        chances = {document.index: _probability(document, reranker.scale) for document in ranking}
        scores = {document.index: document.score for document in ranking}
        texts = {document.index: document.text for document in ranking}
        positives = [at for at in sorted(chances) if chances[at] >= sure]
        # In the retriever's order: its first ones are the hardest.
        negatives = [at for at in sorted(chances) if chances[at] <= 1 - sure][:n_negatives]
        if positives:
            kept = positives + negatives
            examples.append(
                TrainingExample(
                    ranking.query,
                    tuple(texts[at] for at in kept),
                    (1.0,) * len(positives) + (0.0,) * len(negatives),
                    tuple(scores[at] for at in kept),
                )
            )
    if not examples:
        raise InputError(
            f"for none of {len(asked)} queries the teacher is {sure:.0%} sure of a relevant document: take a lower "
            f"confidence, other queries, or a stronger teacher"
        )
    return examples


def _probability(document: RankedDocument, scale: Scale) -> float:
    if document.probability is not None:
        return document.probability
    return document.score if scale is Scale.PROBABILITY else 0.5  # a text that the model does not read: unsure


def asked_queries(queries: object, texts: Sequence[str]) -> list[str]:
    """Return queries, each once: those of a list, or those that a function makes of each of the corpus's texts.

    Raises:
        InputError: there are none, or one can't be used.
    """
    if callable(queries):
        made = [query for text in texts for query in _made(queries(text))]
    elif isinstance(queries, Iterable) and not isinstance(queries, str | bytes | Mapping):
        made = list(queries)
    else:
        raise InputError(f"queries must be a list of texts, or a function that makes them, not {shown(queries)}")
    asked = list(dict.fromkeys(Request(query, ()).query for query in made))
    if not asked:
        raise InputError("there are no queries")
    return asked


def _made(queries: object) -> Iterable[Any]:
    if isinstance(queries, str):
        return [queries]
    if not isinstance(queries, Iterable):
        raise InputError(f"the function that makes queries must return a list of texts, not {shown(queries)}")
    return queries
