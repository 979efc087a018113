"""An NLI model whose logits are written down, for arithmetic that can be checked by hand."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from secondpass.models.nli import NliOutput


class WrittenNli:
    """What `NliModel` is to a classifier: logits of entailment, neutral and contradiction come from a function."""

    name = fingerprint = "written"

    def __init__(self, logits: Callable[[str, str], Sequence[float]], *, has_contradiction: bool = True) -> None:
        self.logits, self.has_contradiction = logits, has_contradiction
        self.runs: list[list[tuple[str, str]]] = []

    def run(self, pairs: Sequence[tuple[str, str]]) -> NliOutput:
        self.runs.append(list(pairs))
        logits = np.array([self.logits(*pair) for pair in pairs], dtype=np.float64).reshape(-1, 3)
        if not self.has_contradiction:
            logits[:, 2] = -np.inf
        grown = np.exp(logits)
        lengths = np.array([len(f"{premise} {hypothesis}".split()) for premise, hypothesis in pairs], dtype=np.int64)
        no = np.zeros((len(pairs), 2), np.bool_)
        return NliOutput(grown / grown.sum(axis=1, keepdims=True), lengths, no, no[:, 0], logits)


@pytest.fixture(scope="session")
def written() -> type[WrittenNli]:
    """Return the class of the fake."""
    return WrittenNli


@pytest.fixture(scope="session")
def table() -> Callable[..., WrittenNli]:
    """Return a maker of models whose logits of a hypothesis are in a table, whatever the text.

    A table's row is the entailment logit, or the three logits; a text without content has those under ``content_free``.
    """

    def make(rows: dict[str, Any], content_free: dict[str, Any] | None = None, **settings: bool) -> WrittenNli:
        def logits(premise: str, hypothesis: str) -> Sequence[float]:
            chosen = content_free if content_free is not None and premise in ("N/A", "", "[MASK]") else rows
            row = next(row for words, row in chosen.items() if words in hypothesis)
            return row if isinstance(row, tuple) else (float(row), 0.0, 0.0)

        return WrittenNli(logits, **settings)

    return make
