"""What the adapters for the frameworks share."""

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from secondpass.base import Reranker
from secondpass.passages import find_tokenization
from secondpass.registry import load

__all__ = ["known_scores", "load_uncut"]


def load_uncut(reranker: str | Mapping[str, Any] | Reranker) -> Reranker:
    """Load a reranker as `load` does; one that was only named does not cut long documents.

    With a name alone nobody has decided what is to become of documents that are longer than the model reads,
    so the reranker is wrapped into a `PassageReranker`, which scores them window by window and leaves short
    ones as they are. That is done where the model's limit is known. A configuration or a `Reranker` is the
    caller's own decision, and comes as it is.

    Raises:
        SecondPassError: what `load` raises.
    """
    loaded = load(reranker)
    if not isinstance(reranker, str) or not loaded.pointwise or find_tokenization(loaded) is None:
        return loaded
    from secondpass.rerankers.passage import PassageReranker

    return loaded if isinstance(loaded, PassageReranker) else PassageReranker(loaded)


def known_scores(scores: Iterable[object]) -> list[float] | None:
    """Return the first stage's scores, or None unless there is a finite number for every document."""
    known: list[float] = []
    for score in scores:
        if not isinstance(score, Real) or isinstance(score, bool) or not math.isfinite(score):
            return None
        known.append(float(score))
    return known
