"""What comes out of a classifier: frozen, and free of any framework."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from secondpass.types import Trace, printable, shortened
from secondpass.windows import Span

__all__ = ["Classification"]


@dataclass(frozen=True, slots=True, repr=False)
class Classification:
    """The labels found for a text.

    Attributes:
        text: what was classified.
        labels: those that were chosen, best first: at most one unless ``multi_label``; empty if it abstained.
        scores: every label that was looked at, best first, with its probability. For one label of several these sum
            to 1; with ``multi_label`` each stands for itself; in a hierarchy they are those of the whole path.
        multi_label: whether more than one label may be chosen.
        reason: why no label was chosen; empty if one was.
        path: in a hierarchy, the labels from the top down to the chosen one.
        spread: of an ensemble, the standard deviation of each label's probability over the members; else empty.
        windows: of a text that was too long for the model, the window that speaks most for each label: where it
            begins and ends in the text, in characters; else empty.
        trace: what happened while it was made.
    """

    text: str
    labels: tuple[str, ...]
    scores: Mapping[str, float]
    multi_label: bool = False
    reason: str = ""
    path: tuple[str, ...] = ()
    spread: Mapping[str, float] = field(default_factory=dict)
    windows: Mapping[str, Span] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)

    @property
    def label(self) -> str | None:
        """The best of the chosen labels; None if none was chosen."""
        return self.labels[0] if self.labels else None

    @property
    def probability(self) -> float:
        """The probability of `label`, or, if none was chosen, of the best one."""
        return self.scores[self.labels[0]] if self.labels else next(iter(self.scores.values()))

    @property
    def abstained(self) -> bool:
        """Whether no label was chosen."""
        return not self.labels

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "text": self.text,
            "label": self.label,
            "probability": self.probability,
            "labels": list(self.labels),
            "scores": dict(self.scores),
            "multi_label": self.multi_label,
            "reason": self.reason,
            "path": list(self.path),
            "spread": dict(self.spread),
            "windows": {label: list(span) for label, span in self.windows.items()},
            "trace": self.trace.to_dict(),
        }

    def __repr__(self) -> str:
        chosen = " > ".join(self.path) if self.path else ", ".join(self.labels)
        lines = [printable(f"{chosen or 'no label'}: {shortened(self.text, 80)!r}")]
        shown = list(self.scores.items())[:10]
        for label, probability in shown:
            beside = f"  ± {self.spread[label]:.4f}" if label in self.spread else ""
            mark = "*" if label in self.labels else " "
            lines.append(f"  {mark} {probability:.4f}{beside}  {printable(label)}")
        if len(self.scores) > len(shown):
            lines.append(f"    and {len(self.scores) - len(shown)} more")
        return "\n".join([*lines, *([f"  {self.reason}"] if self.reason else [])])

    def _repr_html_(self) -> str:
        head = f"<caption>{html.escape(shortened(self.text, 200))}</caption><tr><th>label<th>probability<th>"
        rows = []
        for label, probability in self.scores.items():
            name = html.escape(printable(label))
            name = f"<b>{name}</b>" if label in self.labels else name
            bar = f"<div style='background:#4c78a8;height:0.8em;width:{100 * probability:.1f}px'></div>"
            rows.append(f"<tr><td style='text-align:left'>{name}<td>{probability:.4f}<td style='width:100px'>{bar}")
        foot = f"<tr><td colspan=3 style='text-align:left'>{html.escape(self.reason)}" if self.reason else ""
        return f"<table>{head}{''.join(rows)}{foot}</table>"
