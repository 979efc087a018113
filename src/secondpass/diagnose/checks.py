"""What follows from the scores of the probes."""

from collections.abc import Iterator

from secondpass.base import Reranker
from secondpass.diagnose.finding import Finding
from secondpass.diagnose.probes import Probes
from secondpass.types import Scale

__all__ = ["probe_findings"]

_SIGMOID_OF_1 = 0.7310586  # what a sigmoid makes of the highest probability; of the lowest it makes a half
_EDGE = 1e-3
_MOST = 0.8  # of the questions
_HARDLY = 0.05  # of the separation: a model that reads both texts in one sequence is not symmetric by chance
_ENTAILS = 0.35  # below it, a denial scores like something else; measured: relevance .9, similarity .7, entailment .0


def probe_findings(reranker: Reranker, probes: Probes) -> Iterator[Finding]:
    """Yield what is odd about a reranker's scores."""
    if probes.distinct <= 1:
        yield Finding(
            "constant",
            "fault",
            f"all {probes.n} probes get the same score, {probes.lowest:g}",
            "the model reads another language, or does not see the texts; try on_foreign='score'",
        )
        return
    yield from _range(reranker, probes)
    if probes.answers_first < _MOST:
        yield Finding(
            "not-relevance",
            "fault",
            f"the answer scores above an unrelated sentence for {probes.answers_first:.0%} of the probes only",
            "the labels of the model are swapped, its head was never trained, or it does not read English",
        )
        return
    if probes.reversed_better is not None and probes.reversed_better >= _MOST:
        yield Finding(
            "swapped-order",
            "fault",
            f"the answer scores higher as the query, and the question as the document, for "
            f"{probes.reversed_better:.0%} of the probes: the two change places on their way to the model",
            "give the query first, as the model was trained",
        )
    elif probes.denial is not None and probes.denial < _ENTAILS:
        yield Finding(
            "nli-as-ranker",
            "fault",
            f"a sentence that denies the query scores like an unrelated one ({probes.denial:.2f} of the way to one "
            "that follows from it): this is a model of entailment, which can't rank by relevance",
            "use a reranker, such as 'cross-encoder:ms-marco-MiniLM-L12-v2', and this one in a FactVerifier",
        )
    elif _is_similarity(probes):
        yield Finding(
            "similarity-as-ranker",
            "warning",
            f"the question in other words scores above its answer for {probes.paraphrases_first:.0%} of the probes, "
            "and nothing changes when the two change places: this is a model of similarity (STS)",
            "use a reranker; a bi-encoder is for the first stage",
        )


def _is_similarity(probes: Probes) -> bool:
    if probes.order_sensitivity is None:
        return False
    return probes.paraphrases_first >= _MOST and abs(probes.order_sensitivity) < _HARDLY


def _range(reranker: Reranker, probes: Probes) -> Iterator[Finding]:
    low, high = probes.lowest, probes.highest
    between = f"all {probes.n} probes, related or not, score between {low:.3f} and {high:.3f}"
    if reranker.scale is Scale.ORDINAL:
        return
    if 0.5 - _EDGE <= low <= 0.55 and high <= _SIGMOID_OF_1 + _EDGE:
        yield Finding(
            "double-sigmoid",
            "fault",
            f"{between}, which is what a sigmoid makes of probabilities",
            "the model gives probabilities already: take activation='identity', or its logits",
        )
    elif reranker.scale is Scale.LOGIT and low >= 0 and high <= 1:
        yield Finding(
            "squashed-logits",
            "warning",
            f"{between}, so these are no logits: a threshold or a calibration for logits will not fit",
            "take the model's logits, or declare the scale as probabilities",
        )
    elif reranker.scale is Scale.PROBABILITY and low > 0.2:
        yield Finding(
            "high-probabilities",
            "warning",
            f"{between}: even unrelated texts get a probability of {low:.2f} at least",
            "calibrate them: CalibratedReranker(...).fit(examples)",
        )
    elif reranker.scale is Scale.PROBABILITY and probes.distinct < probes.n / 2:
        yield Finding(
            "saturated",
            "warning",
            f"{probes.n} probes have {probes.distinct} different probabilities: what is sure can't be put in order",
            "rank by logits, and calibrate them for thresholds",
        )
