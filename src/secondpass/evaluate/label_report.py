"""Zero-shot or trained: what a learning curve found, frozen, and without any model."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.counts import counted
from secondpass.evaluate.statistics import Difference, Estimate
from secondpass.evaluate.tables import COLOURS, aligned, escaped
from secondpass.evaluate.wording import against, interval, p_value
from secondpass.types import printable

__all__ = ["LearningCurve", "LearningPoint"]

_HEADS = ("labelled texts", "a label", "trained", "interval", "against zero-shot", "p")


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """A classifier that was trained on so many texts.

    Attributes:
        n_examples: how many.
        accuracy: on texts that it was not trained on.
        gain: how far that lies above the zero-shot classifier's on the same texts; p is adjusted for the number of
            sizes.
        step: how far it lies above the size before; None for the smallest.
    """

    n_examples: int
    accuracy: Estimate
    gain: Difference
    step: Difference | None


@dataclass(frozen=True, slots=True, repr=False)
class LearningCurve:
    """A zero-shot classifier, and one that is trained on ever more labelled texts.

    Attributes:
        zero_shot: the accuracy of the classifier that was trained on none.
        points: from the fewest texts to the most.
        n_texts: how many texts there are.
        labels: what they are labelled with.
        balanced: whether each label counts alike (balanced accuracy), or each text.
        confidence: of intervals and verdicts.
    """

    zero_shot: Estimate
    points: tuple[LearningPoint, ...]
    n_texts: int
    labels: tuple[str, ...]
    balanced: bool
    confidence: float

    @property
    def enough(self) -> int | None:
        """The lowest number of texts from which on training is better; None if it is not even with the most."""
        found = None
        for point in reversed(self.points):
            if point.gain.verdict != "better":
                break
            found = point.n_examples
        return found

    @property
    def rising(self) -> bool:
        """Whether the last step still made it better, so that more labels would probably help."""
        last = self.points[-1].step
        return last is not None and last.verdict == "better"

    @property
    def advice(self) -> tuple[str, ...]:
        """Whether to train, from how many labels on, and whether more would help, in plain sentences."""
        return tuple(self._sentences())

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {**asdict(self), "enough": self.enough, "rising": self.rising, "advice": list(self.advice)}

    def _sentences(self) -> Iterator[str]:
        last, enough, what = self.points[-1], self.enough, self._what
        if enough is not None:
            first = next(point for point in self.points if point.n_examples == enough)
            yield (
                f"Train a classifier from about {counted(enough, 'labelled text')} on "
                f"({enough / len(self.labels):.0f} a label): "
                f"{what} is {first.accuracy.value:.3f} then, {against(first.gain)} against zero-shot, and "
                f"{last.accuracy.value:.3f} with {last.n_examples}."
            )
        elif last.gain.verdict == "worse":
            yield (
                f"Stay with zero-shot: with {counted(last.n_examples, 'labelled text')}, training is worse "
                f"({what} {against(last.gain)})."
            )
        else:
            yield (
                f"Stay with zero-shot: with {counted(last.n_examples, 'labelled text')}, training is not better, as "
                "far as "
                f"{counted(self.n_texts, 'text')} can tell ({what} {against(last.gain)})."
            )
        if self.rising:
            yield "The curve still rises at its end: more labelled texts would probably help."
        else:
            yield "The last step brought nothing that could be told from chance."

    @property
    def _what(self) -> str:
        return "balanced accuracy" if self.balanced else "accuracy"

    def _headline(self) -> str:
        return (
            f"Zero-shot or trained: {counted(self.n_texts, 'text')}, {counted(len(self.labels), 'label')}; "
            f"{self._what} of zero-shot "
            f"{self.zero_shot.value:.3f} ({interval(self.zero_shot)})"
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for point in self.points:
            share = f"{point.n_examples / len(self.labels):.1f}"
            of = (f"{point.accuracy.value:.3f}", interval(point.accuracy), against(point.gain), p_value(point.gain))
            yield str(point.n_examples), share, *of

    def __repr__(self) -> str:
        lines = [self._headline(), "", *aligned([_HEADS, *self._rows()]), "", *self.advice]
        return "\n".join(printable(line) for line in lines)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{name}" for name in _HEADS)
        rows = []
        for point, cells in zip(self.points, self._rows(), strict=True):
            coloured = f"<span style='background:rgba({COLOURS[point.gain.verdict]},.25)'>{cells[4]}</span>"
            rows.append(f"<tr><td>{'<td>'.join((*cells[:4], coloured, cells[5]))}")
        advice = "".join(f"<li>{escaped(sentence)}" for sentence in self.advice)
        return (
            f"<div style='color:inherit;line-height:1.5'><p><b>{escaped(self._headline())}</b></p>"
            f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table><ul>{advice}</ul></div>"
        )
