"""Labels that a model disagrees with: candidates for a second look, not verdicts."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.errors import MissingExtraError
from secondpass.learn.data.example import LabelledPair, LabelledText, TrainingExample
from secondpass.learn.data.findings import Finding
from secondpass.learn.data.normalised import normalised
from secondpass.learn.data.scoring import log_odds_of
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.nli import LABELS, NliModel
from secondpass.retrieve.bm25 import BM25Retriever
from secondpass.types import is_blank, shortened

__all__ = ["mislabelled_documents", "mislabelled_texts", "wrong_pairs"]

_OTHERS = 10  # documents of other queries that are looked at for each query
_MARGIN = 4.0  # log-odds, an odds ratio of 55
_TOO_MANY = 0.3  # from which share on it is rather the model that does not know the field
_FOLDS = 5
_SURE, _DOUBTED = 0.7, 0.1  # probabilities of another label, and of that which was given
_FEWEST_ENTAILED = 5


def mislabelled_documents(examples: Sequence[TrainingExample], reranker: Reranker) -> Iterator[Finding]:
    """Find queries whose relevant documents score far below another one, of the same or of another query.

    What another query's document is compared with is the best of those that share words with the query.
    """
    usable = [at for at, each in enumerate(examples) if not is_blank(each.query) and any(each.positives)]
    pool = list(dict.fromkeys(text for at in usable for text in examples[at].documents if not is_blank(text)))
    if not pool:
        return
    queries = [examples[at].query for at in usable]
    found = BM25Retriever().index(pool).search(queries, _OTHERS)
    candidates = []
    for at, ranking in zip(usable, found, strict=True):
        relevant = set(map(normalised, examples[at].positives))
        others = [text for text in (*examples[at].negatives, *ranking.texts) if normalised(text) not in relevant]
        candidates.append((examples[at].positives, list(dict.fromkeys(others))[: 2 * _OTHERS]))
    scores = log_odds_of(reranker, queries, [[*own, *others] for own, others in candidates])
    wrong: list[int] = []
    shown = ""
    for at, (own, others), values in zip(usable, candidates, scores, strict=True):
        if others and values[len(own) :].max() - values[: len(own)].max() >= _MARGIN:
            wrong.append(at)
            better = others[int(values[len(own) :].argmax())]
            said = [repr(shortened(text, 60)) for text in (examples[at].query, better, own[0])]
            shown = shown or "{}: rather {} than {}".format(*said)
    yield from _found(wrong, len(usable), shown, repr(reranker))


def mislabelled_texts(examples: Sequence[LabelledText], model: EmbeddingModel) -> Iterator[Finding]:
    """Find texts that belong to another label, by confident learning (Northcutt, Jiang and Chuang 2021).

    A classifier on the texts' vectors is trained without each text in turn (in five folds). A text counts as
    mislabelled if its probability of another label is at least as high as that label's own texts have on average, and
    higher than that of its own.
    """
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
    except ImportError as exc:
        raise MissingExtraError.of("learn", "finding mislabelled texts") from exc
    counts: dict[str, int] = {}
    for example in examples:
        counts[example.label] = counts.get(example.label, 0) + 1
    usable = [at for at, each in enumerate(examples) if counts[each.label] >= _FOLDS and not is_blank(each.text)]
    labels = np.array([examples[at].label for at in usable])
    names, given = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        return
    vectors = model.encode_documents([examples[at].text for at in usable])
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    classifier: Any = LogisticRegression(C=10.0, max_iter=1000, class_weight="balanced")
    chances = cross_val_predict(classifier, vectors, given, cv=folds, method="predict_proba")
    usual = np.array([chances[given == label, label].mean() for label in range(len(names))])
    confident = np.where(chances >= usual, chances, 0.0)
    other = confident.argmax(axis=1)
    own = chances[np.arange(len(usable)), given]
    flagged = np.flatnonzero((confident.max(axis=1) > own) & (other != given))
    shown = ""
    if len(flagged):
        first = int(flagged[0])
        text = shortened(examples[usable[first]].text, 60)
        shown = f"{text!r}: rather {str(names[other[first]])!r} than {str(labels[first])!r}"
    yield from _found([usable[at] for at in flagged.tolist()], len(usable), shown, model.name)


def wrong_pairs(examples: Sequence[LabelledPair], model: NliModel) -> Iterator[Finding]:
    """Find pairs of which an NLI model is sure that they relate otherwise, and premises that stand behind hypotheses.

    A premise says more than what follows from it, and so does not follow from it: if, of the pairs that are labelled as
    entailment, most are entailed the other way round only, the columns are swapped, and no label is looked at.
    """
    usable = [at for at, each in enumerate(examples) if each.label in LABELS and not any(map(is_blank, each.texts))]
    if not usable:
        return
    chances = model.run([(examples[at].first, examples[at].second) for at in usable]).probabilities
    given = np.array([LABELS.index(examples[at].label) for at in usable])
    entailed = np.flatnonzero(given == 0)
    if len(entailed) >= _FEWEST_ENTAILED:
        behind = [examples[usable[at]] for at in entailed.tolist()]
        turned = model.run([(each.second, each.first) for each in behind]).probabilities[:, 0]
        n_turned = int((turned > chances[entailed, 0] + 0.5).sum())
        if n_turned > 0.5 * len(entailed):
            yield Finding(
                "swapped_columns",
                f"{n_turned} of {len(entailed)} pairs with the label entailment are entailed the other way round only",
                "the columns look swapped: pass the premise, which is the evidence, first",
                severe=True,
            )
            return
    sure = chances.argmax(axis=1)
    own = chances[np.arange(len(usable)), given]
    flagged = np.flatnonzero((chances.max(axis=1) >= _SURE) & (own <= _DOUBTED)).tolist()
    shown = ""
    if flagged:
        first = examples[usable[flagged[0]]]
        shown = f"{shortened(first.second, 60)!r}: rather {LABELS[sure[flagged[0]]]} than {first.label}"
    yield from _found([usable[at] for at in flagged], len(usable), shown, model.name)


def _found(wrong: Sequence[int], n: int, shown: str, model: str) -> Iterator[Finding]:
    if not wrong:
        return
    message = f"{model} disagrees with the labels of {len(wrong)} of {n} examples, such as {shown}"
    if len(wrong) > _TOO_MANY * n:
        advice = "so many that the model may not know the field: look at some before you trust either"
    else:
        advice = "look at them again, and correct them or leave them out"
    yield Finding("mislabelled", message, advice, tuple(wrong))
