"""Calibrations that come with secondpass: probabilities of a known model's scores, without labels of one's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from secondpass.calibration.base import Calibrator
from secondpass.calibration.calibrators import calibrator_from_config
from secondpass.errors import SecondPassWarning, warn
from secondpass.logistic import FloatArray, log_odds
from secondpass.types import Scale, Scores

__all__ = ["ReadyCalibration", "ready_calibration"]

# What is watched: of so many requests, each with so many documents at least, the first so many documents.
_REQUESTS, _FEWEST, _FIRST = 20, 10, 20

# What `PriorReranker` adds, by default, to the first of 50 documents.
_FIRST_OF_50 = 6.0052

_ADVICE = (
    "so the ready probabilities may be far off; fit a calibration on some 50 judged documents of your own with "
    "CalibratedReranker(...).fit(examples) (shown once)"
)


@dataclass(slots=True)
class _Watch:
    """Compares what a reranker sees with what its calibration was fitted on; warns once.

    Threads may share it: what they lose to each other is a request in the mean.

    Args:
        ranges: of the sets that it was fitted on, the lowest and the highest mean of ``spread``, the standard deviation
            of a request's logits, and of ``mean``, their mean; both with a margin.
    """

    ranges: Mapping[str, tuple[float, float]]
    seen: list[tuple[float, float]] = field(default_factory=list)
    warned: bool = False

    def see(self, logits: FloatArray) -> None:
        if self.warned or len(logits) < _FEWEST:
            return
        some = logits[:_FIRST]
        self.seen.append((float(some.std()), float(some.mean())))
        if len(self.seen) < _REQUESTS:
            return
        spread, mean = np.mean(self.seen, axis=0).tolist()
        self.seen = []
        told = [
            f"{what} of {value:.1f}, and not of {low:.1f} to {high:.1f}"
            for what, value, (low, high) in (
                ("a standard deviation within a query", spread, self.ranges["spread"]),
                ("a mean", mean, self.ranges["mean"]),
            )
            if not low <= value <= high
        ]
        if told:
            self.warned = True
            found = f"the first {_FIRST} candidates of {_REQUESTS} queries have logits with {' and '.join(told)}"
            warn(f"{found}, as where the ready calibration was fitted, {_ADVICE}", SecondPassWarning)


@dataclass(frozen=True, kw_only=True)
class ReadyCalibration:
    """What turns a reranker's scores into calibrated probabilities, see `Reranker.calibration`.

    Attributes:
        documents: from a logit to the probability that the document is relevant; None if the scores are such
            probabilities.
        answerable: from a request's best logit to the probability that one of its documents is relevant; None if that
            is not known.
        with_prior: ``documents`` for logits to which the retriever's prior was added, as among 50 documents; None if
            that is not known.
        has_prior: whether the scores are of a `PriorReranker`.
        evidence: which explanation holds the cross-encoder's own scores, and on what scale; None if these are the
            reranker's.
    """

    documents: Calibrator | None = None
    answerable: Calibrator | None = None
    with_prior: Calibrator | None = None
    has_prior: bool = False
    evidence: tuple[str, Scale] | None = None
    _watch: _Watch | None = field(default=None, repr=False, compare=False)

    def of(self, scores: Scores, scale: Scale) -> tuple[FloatArray, float | None]:
        """Return the probability that each document is relevant, and that one of them is; None if that is not known.

        Args:
            scores: of one request with a document that is not blank, as the reranker returned them.
            scale: what they mean.
        """
        probabilities = self.of_documents(scores, scale)
        if self.answerable is None:
            return probabilities, None
        logits = _logits(self._evidence(scores), scale if self.evidence is None else self.evidence[1])
        if self._watch is not None:
            self._watch.see(logits)
        return probabilities, float(self.answerable.apply(logits.max()))

    def after_prior(self, scale: Scale) -> "ReadyCalibration | None":
        """Return that of these scores, on a scale, with the retriever's prior; None if there is none."""
        if self.with_prior is None or self.has_prior:
            return None
        return replace(self, has_prior=True, evidence=("reranker_score", scale))

    def after_calibration(self, scale: Scale) -> "ReadyCalibration":
        """Return that of the probabilities that a `CalibratedReranker` makes of these scores, on a scale."""
        if self.documents is None:  # a second one: where the logits were, the first one's probabilities will be
            return ReadyCalibration()
        return ReadyCalibration(
            answerable=self.answerable, evidence=self.evidence or ("uncalibrated", scale), _watch=self._watch
        )

    def of_documents(self, scores: Scores, scale: Scale) -> FloatArray:
        """Return the probability that each document is relevant; arguments as in `of`."""
        if self.documents is None:
            return scores.values
        logits = _logits(scores.values, scale)
        first = max(_known(scores.explanations["prior"])) if self.has_prior else 0.0
        if not first or self.with_prior is None:  # without an order there is no prior
            return self.documents.apply(logits)
        # The prior has mean 0 among however many documents there are. The first one is not likelier among few.
        return self.with_prior.apply(logits + (_FIRST_OF_50 - first))

    def _evidence(self, scores: Scores) -> FloatArray:
        if self.evidence is None:
            return scores.values
        return np.array(_known(scores.explanations[self.evidence[0]]), dtype=np.float64)


def ready_calibration(model: str, sha256: str) -> ReadyCalibration | None:
    """Return the calibration that comes with secondpass for a model; None if there is none.

    Args:
        model: its name in the catalogue.
        sha256: that of the weights that the catalogue promises: the calibration is of these.
    """
    found = _parameters().get(model)
    if found is None or found["sha256"] != sha256:
        return None
    return ReadyCalibration(
        documents=calibrator_from_config(found["documents"]),
        with_prior=calibrator_from_config(found["with_prior"]),
        answerable=calibrator_from_config(found["answerable"]),
        _watch=_Watch(found["ranges"]),
    )


@cache
def _parameters() -> Mapping[str, Any]:
    """Return what ``python -m training.ready`` fitted, by the model's name."""
    text = resources.files(__package__).joinpath("ready.json").read_text(encoding="utf-8")
    parameters: Mapping[str, Any] = json.loads(text)
    return parameters


def _logits(values: FloatArray, scale: Scale) -> FloatArray:
    return log_odds(values) if scale is Scale.PROBABILITY else values


def _known(column: Sequence[Any]) -> list[Any]:
    """Return what explains the documents that are not blank."""
    return [each for each in column if each is not None]
