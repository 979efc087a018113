"""What a calibration is worth: the probabilities before and after, and the reliability diagram."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from secondpass.calibration.quality import ProbabilityQuality, probability_quality
from secondpass.counts import counted
from secondpass.errors import MissingExtraError
from secondpass.logistic import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CalibrationReport", "compared"]


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Probabilities before and after calibration, on examples that the calibration has not seen.

    Attributes:
        method: the calibration's name.
        n_examples: how many examples there were.
        n_relevant: how many of them are relevant.
        n_queries: how many queries they have.
        confidence: of the interval.
        before: of the model's own scores; logits are taken as log-odds.
        after: of the calibrated ones.
    """

    method: str
    n_examples: int
    n_relevant: int
    n_queries: int
    confidence: float
    before: ProbabilityQuality
    after: ProbabilityQuality

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the reliability diagram: the observed share over the predicted one, before and after.

        Args:
            ax: where to draw; a new figure, which nothing else knows of, by default (``ax.figure``).

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        if ax is None:
            try:
                from matplotlib.figure import Figure
            except ImportError as exc:
                raise MissingExtraError.of("plot", "the reliability diagram") from exc
            ax = Figure(figsize=(5, 5), layout="constrained").add_subplot()
        ax.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
        for name, quality in (("before", self.before), (self.method, self.after)):
            predicted, observed = [b.predicted for b in quality.bins], [b.observed for b in quality.bins]
            ax.plot(predicted, observed, marker="o", label=f"{name} (ECE {quality.ece:.3f})")
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted probability", ylabel="share that is relevant")
        ax.legend()
        return ax

    def _rows(self) -> list[tuple[str, str, str]]:
        def interval(quality: ProbabilityQuality) -> str:
            return "{:.4f} to {:.4f}".format(*quality.ece_interval)

        before, after = self.before, self.after
        return [
            ("negative log-likelihood", f"{before.nll:.4f}", f"{after.nll:.4f}"),
            ("Brier score", f"{before.brier:.4f}", f"{after.brier:.4f}"),
            ("ECE", f"{before.ece:.4f}", f"{after.ece:.4f}"),
            (f"  {self.confidence:.0%} interval", interval(before), interval(after)),
        ]

    def _title(self) -> str:
        return f"{self.n_examples} held-out examples of {counted(self.n_queries, 'query')}, {self.n_relevant} relevant"

    def __str__(self) -> str:
        rows = [("", "before", self.method), *self._rows()]
        return "\n".join([self._title(), *(f"{name:<24}{before:>20}{after:>20}" for name, before, after in rows)])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}<td>{before}<td>{after}" for name, before, after in self._rows())
        return f"<table><caption>{self._title()}</caption><tr><th><th>before<th>{self.method}{rows}</table>"


def compared(
    method: str,
    before: FloatArray,
    after: FloatArray,
    relevant: npt.NDArray[np.bool_],
    queries: npt.NDArray[np.intp],
    settings: Mapping[str, Any],
) -> CalibrationReport:
    """Return the report on two lists of probabilities of the same examples."""
    qualities = [probability_quality(p, relevant, queries, **settings) for p in (before, after)]
    counts = {"n_examples": len(relevant), "n_relevant": int(relevant.sum()), "n_queries": int(queries.max()) + 1}
    confidence = settings.get("confidence", 0.95)
    return CalibrationReport(method, **counts, confidence=confidence, before=qualities[0], after=qualities[1])
