"""What is known of one call: a frozen event, the same for rerankers, verifiers and classifiers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from secondpass.types import Scale, Trace

__all__ = ["Event", "ScoreSummary", "ScoredText", "all_counts", "stage_latencies"]

Kind = Literal["rerank", "verify", "classify"]


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """The scores of one call in a few numbers, on the scale of the event.

    Attributes:
        n: how many scores there are, at least 1.
        top: the highest.
        second: the second highest; that of a single score is itself.
        lowest: the lowest.
        mean: their mean.
        median: their median.
        std: their standard deviation (that of the population); 0 for a single one.
    """

    n: int
    top: float
    second: float
    lowest: float
    mean: float
    median: float
    std: float

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Self | None:
        """Return the summary of scores, shape (n_scores,); None if there are none."""
        n = len(values)
        if not n:
            return None
        rising = np.sort(values)
        mean = float(np.add.reduce(rising)) / n
        apart = rising - mean
        std = math.sqrt(float(apart @ apart) / n)  # in half the time that np.std takes, with every call
        median = float(rising[(n - 1) // 2] + rising[n // 2]) / 2
        return cls(n, float(rising[-1]), float(rising[max(0, n - 2)]), float(rising[0]), mean, median, std)


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text of a call with its score, which an event has only if it was asked for texts.

    Attributes:
        index: its position among what was passed in, from 0.
        text: a document, a claim or a label.
        score: on the scale of the event.
        id: the ``id`` of a document that was passed as a mapping, else None.
    """

    index: int
    text: str
    score: float
    id: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One request that was answered, or failed.

    Requests that were passed in together share one call: each has an event of its own, with the latency of the call,
    which is how long each of them waited.

    Attributes:
        kind: ``rerank``, ``verify`` or ``classify``.
        time_s: when the call began, in seconds since 1970.
        name: of what was called: its class, or what it was named for monitoring.
        fingerprint: the identity of the model and its settings.
        query_hash: 16 hexadecimal digits that are the same for the same query, answer or text.
        latency_s: wall-clock seconds of the call.
        candidates: the documents that were passed in; of a verifier the passages, of a classifier the labels.
        batch: how many requests shared the call.
        k: how many results were asked for; None for all.
        scale: what the scores mean; probabilities for a verifier and a classifier.
        scores: the summary of the scores; None if there are none. A verifier's are those of the checkable claims, the
            lowest of which decides; a classifier's are those of the labels.
        counts: how often each thing happened, over all stages: see `Trace.counts`. Of a verifier also the claims of
            each verdict; of a classifier ``abstained``.
        stages: seconds of each stage, by its path ("CascadeReranker/CrossEncoderReranker"); a second stage of the same
            name is "...#2".
        passed: whether an answer passed its verification; None for rerankers and classifiers.
        error: the class of the error that ended the call; empty if there was none.
        query: the query, answer or text; None unless texts were asked for.
        error_message: what the error says, which may quote texts; likewise.
        texts: the documents, claims or labels with their scores, best first; likewise.
    """

    kind: Kind
    time_s: float
    name: str
    fingerprint: str
    query_hash: str
    latency_s: float
    candidates: int
    batch: int = 1
    k: int | None = None
    scale: Scale = Scale.PROBABILITY
    scores: ScoreSummary | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)
    passed: bool | None = None
    error: str = ""
    query: str | None = None
    error_message: str | None = None
    texts: tuple[ScoredText, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an error ended the call."""
        return bool(self.error)

    @property
    def tokens(self) -> int:
        """Tokens of the pairs that were asked for."""
        return self.counts.get("tokens", 0)

    @property
    def truncated(self) -> int:
        """Documents of which a model saw only the beginning."""
        return self.counts.get("truncated", 0)

    @property
    def cache_hits(self) -> int:
        """Documents whose scores came from a cache."""
        return self.counts.get("cache_hits", 0)

    @property
    def cache_misses(self) -> int:
        """Documents whose scores were looked for in a cache, and not found."""
        return self.counts.get("cache_misses", 0)

    @property
    def fallbacks(self) -> int:
        """How often something failed, and something else answered in its place."""
        return self.counts.get("fallbacks", 0)

    @property
    def escalated(self) -> int:
        """Documents or claims that a stronger judge was asked about."""
        return self.counts.get("escalated", 0)

    def is_confident(self, threshold: float | None = None) -> bool | None:
        """Return whether the best score reaches a threshold, of a verifier the lowest; None if it can't be told.

        Args:
            threshold: on the scale of the scores; by default a probability of 0.5, a logit of 0. Ordinal scores, and
                calls without scores, have no confidence.
        """
        if self.scores is None or self.scale is Scale.ORDINAL:
            return None
        least = (0.5 if self.scale is Scale.PROBABILITY else 0.0) if threshold is None else threshold
        return (self.scores.lowest if self.kind == "verify" else self.scores.top) >= least

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without what it was not asked for; JSON-ready if the documents' own ids are."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain |= {"scale": str(self.scale), "counts": dict(self.counts), "stages": dict(self.stages)}
        plain["scores"] = None if self.scores is None else asdict(self.scores)
        plain["texts"] = [asdict(text) for text in self.texts]
        asked = self.query is not None or bool(self.texts)
        return plain if asked else {name: value for name, value in plain.items() if name not in _TEXTS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the event that `to_dict` wrote; fields of a later version are left out."""
        known = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        known["scale"] = Scale(known.get("scale", Scale.PROBABILITY))
        if known.get("scores") is not None:
            known["scores"] = ScoreSummary(**known["scores"])
        known["texts"] = tuple(ScoredText(**text) for text in known.get("texts", ()))
        return cls(**known)


_TEXTS = frozenset({"query", "error_message", "texts"})


def all_counts(trace: Trace) -> dict[str, int]:
    """Return each count of a trace, summed over all of its stages."""
    counts: dict[str, int] = {}
    for _, stage in _walk(trace, trace.name):
        for name, count in stage.counts.items():
            counts[name] = counts.get(name, 0) + count
    return counts


def stage_latencies(trace: Trace) -> dict[str, float]:
    """Return the seconds of a trace and of every stage within it, by path; nothing if no reranker was asked."""
    return {path: stage.latency_s for path, stage in _walk(trace, trace.name) if path}


def _walk(trace: Trace, path: str) -> Iterator[tuple[str, Trace]]:
    yield path, trace
    seen: dict[str, int] = {}
    for stage in trace.stages:
        at = seen[stage.name] = seen.get(stage.name, 0) + 1
        yield from _walk(stage, f"{path}/{stage.name}" if at == 1 else f"{path}/{stage.name}#{at}")
