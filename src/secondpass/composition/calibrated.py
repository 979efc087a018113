"""Calibration: scores become probabilities that can be trusted."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from secondpass.base import Reranker
from secondpass.calibration.base import Calibrator
from secondpass.calibration.calibrators import calibrator_class, calibrator_from_config
from secondpass.calibration.examples import Example, ScoredExamples, examples_from_qrels, score_examples
from secondpass.calibration.folds import held_out_probabilities
from secondpass.calibration.prior import shift_base_rate
from secondpass.calibration.ready import ReadyCalibration
from secondpass.calibration.report import CalibrationReport, compared
from secondpass.calibration.saved import SavedCalibration, read_calibration, write_calibration
from secondpass.calibration.selection import require_same_reranker
from secondpass.composition.members import member_of
from secondpass.errors import CompositionError, ConfigError
from secondpass.loading import RerankerLike
from secondpass.logistic import FloatArray, log_odds
from secondpass.types import HOW_TO_CALIBRATE, Document, Qrels, Request, Run, Scale, Scores
from secondpass.validation import OPEN_SHARE

__all__ = ["CalibratedReranker"]


class CalibratedReranker(Reranker):
    """Gives calibrated probabilities: of the documents with a probability of 0.8, about 80 % are relevant.

    Fit it on judged candidates like those that it will see: from the same retriever, to the same depth. The order of a
    query's documents does not change. The wrapped reranker's score is explained as ``uncalibrated``.

    Args:
        wrapped: a reranker that gives logits or probabilities; the latter are calibrated by their log-odds.
        method: ``platt`` (slope and intercept; the default), ``temperature`` (slope only), ``beta`` (three
            parameters), ``isotonic`` (any rising curve; from 200 examples on).
        calibrator: a fitted `Calibrator` or its configuration; ``ready`` for the one that comes with the model, which
            needs no labels (see "Calibration" in the documentation for how well it fits); None to `fit` one.
        base_rate: the share of relevant documents where it is used, in (0, 1), if it differs from that in the
            fitting data: corrects the intercept (`secondpass.calibration.shift_base_rate`).
        fitted_on: the fingerprint of the reranker that the calibrator was fitted on; `fit` and `load` fill it in.

    Raises:
        CompositionError: the wrapped one's scores are ordinal, the calibrator was fitted on another one, or none comes
            with the model.
        ConfigError: a setting can't be used.
    """

    registry_name: ClassVar[str] = "calibrated"
    plain_settings: ClassVar[frozenset[str]] = frozenset({"calibrator"})
    scale = Scale.PROBABILITY
    log_odds = False  # a prior on top would undo the calibration: put it inside

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        method: Literal["platt", "temperature", "beta", "isotonic"] | None = None,
        calibrator: Calibrator | Mapping[str, Any] | Literal["ready"] | None = None,
        base_rate: float | None = None,
        fitted_on: str | None = None,
    ) -> None:
        wrapped = member_of(self, wrapped, Scale.LOGIT, Scale.PROBABILITY)
        self.wrapped, self.pointwise = wrapped, wrapped.pointwise
        self.calibrator: Calibrator | Literal["ready"] | None
        if calibrator is None or isinstance(calibrator, Calibrator):
            self.calibrator = calibrator
        elif calibrator == "ready":
            self.calibrator = "ready"
        else:
            self.calibrator = calibrator_from_config(calibrator)
        known = _ready(wrapped) if self.calibrator == "ready" else self.calibrator
        self.method = calibrator_class(method or (known.registry_name if known else "platt")).registry_name
        if isinstance(self.calibrator, Calibrator) and self.calibrator.registry_name != self.method:
            raise ConfigError(f"method is {self.method!r}, but the calibrator's is {self.calibrator.registry_name!r}")
        require_same_reranker(fitted_on, wrapped, "the calibration was fitted")
        self.fitted_on = fitted_on
        self.base_rate = (OPEN_SHARE | None).checked(base_rate, "CalibratedReranker: base_rate")
        if self.base_rate and known and known.base_rate is None:
            raise ConfigError("base_rate can't be corrected for: the calibrator does not know the one it was fitted on")
        self._held_out: tuple[ScoredExamples, FloatArray] | None = None

    @property
    def calibration(self) -> ReadyCalibration | None:
        """The scores are the probabilities; whether anything answers is known if it was of the wrapped reranker."""
        own = self.wrapped.calibration
        return ReadyCalibration() if own is None else own.after_calibration(self.wrapped.scale)

    def fit(self, examples: Iterable[Example], *, folds: int = 5, seed: int = 0) -> Self:
        """Fit the calibration on judged examples; returns itself. Don't use it in other threads meanwhile.

        Args:
            examples: triples of a query, a document, and whether it is relevant (a bool, or a grade above 0).
            folds: into how many parts the queries are split for `report`; 0 to go without it. The calibration
                itself is fitted on all examples.
            seed: of the split.

        Raises:
            InputError: an example can't be used, there are too few, or only one kind, or relevant ones don't
                score higher than the others.
            ConfigError: ``folds`` is out of range.
        """
        scored = score_examples(self.wrapped, examples)
        kind = calibrator_class(self.method)
        calibrator = kind.fit(scored.logits, scored.relevant)
        held_out = None if folds == 0 else held_out_probabilities(kind, scored, folds=folds, seed=seed)
        self._held_out = None if held_out is None else (scored, held_out)
        self.calibrator, self.fitted_on = calibrator, self.wrapped.fingerprint
        return self

    def fit_qrels(
        self,
        qrels: Qrels,
        run: Run,
        *,
        queries: Mapping[str, str],
        documents: Mapping[str, Document],
        min_grade: int = 1,
        folds: int = 5,
        seed: int = 0,
    ) -> Self:
        """Fit the calibration on judgements and a first stage's run; arguments as in `fit` and `examples_from_qrels`.

        Every candidate of the run is an example; one without a judgement counts as not relevant.
        """
        examples = examples_from_qrels(qrels, run, queries=queries, documents=documents, min_grade=min_grade)
        return self.fit(examples, folds=folds, seed=seed)

    def report(
        self, *, n_bins: int = 10, confidence: float = 0.95, n_bootstrap: int = 1000, seed: int = 0
    ) -> CalibrationReport:
        """Return how good the probabilities are before and after, each example's by a fit on other queries.

        ``base_rate`` plays no part in it. Arguments as in `secondpass.calibration.probability_quality`.

        Raises:
            ConfigError: it was not fitted in this process, or with ``folds=0``.
        """
        if self._held_out is None:
            raise ConfigError("there is no held-out report: it belongs to fit(..., folds=5), and is not saved")
        scored, after = self._held_out
        settings = {"n_bins": n_bins, "confidence": confidence, "n_bootstrap": n_bootstrap, "seed": seed}
        return compared(self.method, scored.probabilities, after, scored.relevant, scored.queries, settings)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the calibration as JSON, with the fingerprint of what it was fitted on, but not the wrapped one.

        Raises:
            ConfigError: it is not fitted, or the ready one.
        """
        calibrator = self._fitted()
        if not isinstance(calibrator, Calibrator):
            raise ConfigError("the ready calibration comes with the model: there is nothing to save")
        write_calibration(path, SavedCalibration(calibrator, self.fitted_on, self.base_rate))

    @classmethod
    def load(cls, path: str | os.PathLike[str], wrapped: Reranker) -> Self:
        """Read what `save` wrote, for the reranker that it was fitted on.

        Raises:
            CompositionError: it was fitted on another model, or with other settings.
            ModelIntegrityError: the file can't be read, or holds something else.
        """
        saved = read_calibration(path)
        return cls(wrapped, calibrator=saved.calibrator, base_rate=saved.base_rate, fitted_on=saved.fitted_on)

    def _fitted(self) -> Calibrator | Literal["ready"]:
        if self.calibrator is None:
            raise ConfigError(
                "CalibratedReranker is not fitted: call fit(examples) or fit_qrels(...), or read a saved "
                "calibration by CalibratedReranker.load(path, wrapped)"
            )
        return self.calibrator

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        calibrator = self._fitted()
        return [self._calibrated(scores, calibrator) for scores in self.wrapped.score_many(requests)]

    def _calibrated(self, scores: Scores, calibrator: Calibrator | Literal["ready"]) -> Scores:
        if calibrator == "ready":
            ready = self.wrapped.calibration
            assert ready is not None  # the constructor saw to it
            values, fitted = ready.of_documents(scores, self.wrapped.scale), _ready(self.wrapped).base_rate
        else:
            logits = log_odds(scores.values) if self.wrapped.scale is Scale.PROBABILITY else scores.values
            values, fitted = calibrator.apply(logits), calibrator.base_rate
        if self.base_rate is not None and fitted is not None:
            values = shift_base_rate(values, fitted=fitted, actual=self.base_rate)
        return scores.rescored(values, uncalibrated=scores.values.tolist())

    def __repr__(self) -> str:
        return f"CalibratedReranker({self.wrapped!r}, method={self.method!r})"


def _ready(wrapped: Reranker) -> Calibrator:
    ready = wrapped.calibration
    if ready is None or ready.documents is None:
        raise CompositionError(f"{wrapped!r} has no ready calibration: {HOW_TO_CALIBRATE}")
    return ready.documents
