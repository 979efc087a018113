"""How good scores of two classes are: an area under a curve, what a threshold makes of them, and their calibration."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.evaluate.classification import Resampling, balanced_accuracy, calibration, f1, rate, roc_auc
from secondpass.evaluate.statistics import Estimate
from secondpass.evaluate.tables import aligned
from secondpass.logistic import FloatArray
from secondpass.validation import OPEN_SHARE, Number, Whole, shown

__all__ = ["ScoreFigures", "evaluate_scores"]


@dataclass(frozen=True, slots=True, repr=False)
class ScoreFigures:
    """The figures of scores of two classes, each with its interval.

    Attributes:
        n: how many examples.
        n_positive: how many of them are positive.
        threshold: from which score on an example is called positive.
        auc: the area under the ROC curve: how often a positive example scores higher than a negative one.
        accuracy: the share of the examples that the threshold puts into the right class.
        balanced_accuracy: the mean of that share in both classes.
        precision: the share of the examples called positive that are; None if none is called so.
        recall: the share of the positive examples that are called so.
        f1: the harmonic mean of precision and recall.
        ece: the expected calibration error, see `secondpass.calibration.probability_quality`; None if the scores are
            not all in [0, 1].
        brier: the mean squared error, likewise.
    """

    n: int
    n_positive: int
    threshold: float
    auc: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate
    precision: Estimate | None
    recall: Estimate
    f1: Estimate
    ece: Estimate | None
    brier: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def __repr__(self) -> str:
        found = {name: value for name, value in asdict(self).items() if isinstance(value, dict)}
        rows = [
            (name.replace("_", " "), f"{of['value']:.3f}", f"{of['low']:.3f} to {of['high']:.3f}")
            for name, of in found.items()
        ]
        head = f"Scores: {counted(self.n, 'example')}, {self.n_positive} positive; positive from {self.threshold:g} on"
        return "\n".join([head, "", *aligned(rows)])


def evaluate_scores(
    labels: Iterable[Any],
    scores: Iterable[float],
    *,
    threshold: float = 0.5,
    confidence: float = 0.95,
    n_samples: int = 1000,
    seed: int = 0,
) -> ScoreFigures:
    """Measure scores of two classes, such as a reranker's of relevant and other documents.

    Args:
        labels: 1 or True for a positive example, 0 or False for a negative one; some of both.
        scores: one for each, higher for positive ones; of any scale, but only probabilities have a calibration.
        threshold: from which score on an example is called positive.
        confidence: of the intervals, in (0, 1).
        n_samples: how often the examples are resampled for them.
        seed: of the resampling.

    Raises:
        InputError: labels and scores don't fit, are something else, or are all of one class.
        ConfigError: a setting is out of range.
    """
    OPEN_SHARE.checked(confidence, "confidence")
    at = Number().checked(threshold, "threshold")
    resampling = Resampling(confidence, Whole(at_least=100).checked(n_samples, "n_samples"), seed)
    of, values = _labels(labels), _scores(scores)
    if len(of) != len(values):
        raise InputError(f"there must be as many scores as labels, and there are {len(values)} and {len(of)}")
    if of.all() or not of.any():
        raise InputError(f"all {len(of)} labels are {int(of.all()) if len(of) else 'missing'}: both classes are needed")
    said = values >= at
    probable = bool(((values >= 0) & (values <= 1)).all())
    ece, brier = calibration(of, values, resampling) if probable else (None, None)
    return ScoreFigures(
        n=len(of),
        n_positive=int(of.sum()),
        threshold=at,
        auc=roc_auc(of, values, resampling),
        accuracy=rate(said == of, np.ones(len(of), dtype=np.bool_), resampling),
        balanced_accuracy=balanced_accuracy(of, said, resampling),
        precision=rate(of, said, resampling) if said.any() else None,
        recall=rate(said, of, resampling),
        f1=f1(of, said, resampling),
        ece=ece,
        brier=brier,
    )


def _labels(given: Iterable[Any]) -> npt.NDArray[np.bool_]:
    found = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]
    strange = next((each for each in found if isinstance(each, str) or each not in (0, 1)), None)
    if strange is not None:
        raise InputError(f"each label must be 1 (positive) or 0, not {shown(strange)}")
    return np.array(found, dtype=np.bool_)


def _scores(given: Iterable[float]) -> FloatArray:
    try:
        found = np.array([float(each) for each in given], dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise InputError(f"scores must be numbers, one for each label: {exc}") from exc
    if not np.isfinite(found).all():
        raise InputError("scores must be finite numbers")
    return found
