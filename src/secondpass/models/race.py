"""The documents of a request on their way through a model's layers: who goes on, who leaves, and what they score."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.batching import Rows, portions
from secondpass.models.exits import Exits
from secondpass.models.pair import PairOutput, relevance_logits
from secondpass.models.tokens import KeptTokens

__all__ = ["Heat", "Race", "heats", "run_heat"]

Indices = npt.NDArray[np.intp]

_STEP = 1e-3  # logits between documents whose estimates had to make room


class Race:
    """The documents of one request; equal ones run once.

    Args:
        query: what was asked.
        texts: of the documents, at least one.
        k: how many of the best have to be right.

    Attributes:
        pairs: the distinct pairs, in the order in which they came first.
        logits: what is known of each so far: estimates, and of those that reached the end their own; else NaN.
        left_after: how many layers read each that left; 0 for the others.
    """

    def __init__(self, query: str, texts: Sequence[str], k: int) -> None:
        positions: dict[str, int] = {}
        self._scatter = np.array([positions.setdefault(text, len(positions)) for text in texts], dtype=np.intp)
        self.pairs, self.k = [(query, text) for text in positions], k
        self.logits = np.full(len(positions), np.nan)
        self.left_after = np.zeros(len(positions), np.int64)
        self.n_tokens, self.truncated = np.zeros(len(positions), np.int64), np.zeros((len(positions), 2), np.bool_)

    def staying(self, runners: Indices, margin: float) -> npt.NDArray[np.bool_]:
        """Return which of those that run now can still be among the first k of these and of those that finished.

        Args:
            runners: positions in `pairs` of those whose logits were just estimated.
            margin: how far below the k-th one may lie.
        """
        known = np.sort(self.logits[~np.isnan(self.logits) & (self.left_after == 0)])[::-1]
        return np.asarray(self.logits[runners] >= known[min(self.k, len(known)) - 1] - margin)

    def output(self) -> tuple[PairOutput, npt.NDArray[np.int64]]:
        """Return what came out for each document, once all have run, and how many layers read it if it left, else 0.

        Estimates of those that left are lowered as far as it takes to lie below all logits of those that did not.
        """
        values, left = self.logits.copy(), np.flatnonzero(self.left_after)
        lowest = values[self.left_after == 0].min()
        for index in left[np.argsort(-values[left], kind="stable")]:
            lowest = values[index] = min(values[index], lowest - _STEP)
        repeated = np.ones(len(self._scatter), np.bool_)
        repeated[np.unique(self._scatter, return_index=True)[1]] = False
        at = self._scatter
        output = PairOutput(values[at, None], self.n_tokens[at], self.truncated[at], repeated)
        return output, self.left_after[at]


Heat = list[tuple[Race, Indices]]
"""What runs at once: some documents of each of some races."""


def heats(races: Sequence[Race], max_length: int, most: int) -> Iterator[Heat]:
    """Cut races into what runs at once, so that the vectors of the documents under way never fill the memory.

    Where a race is cut follows from its own documents alone, as what ran before decides about those that run later.

    Args:
        races: in their order.
        max_length: the most tokens of a pair.
        most: tokens that may be under way; estimated, as a character each, before there are any.
    """
    heat: Heat = []
    filled = 0
    for race in races:
        sizes = [min(max_length, len(query) + len(text)) for query, text in race.pairs]
        for part in portions(sizes, most):
            size = sum(sizes[part])
            if heat and filled + size > most:
                yield heat
                heat, filled = [], 0
            heat.append((race, np.arange(part.start, part.stop)))
            filled += size
    if heat:
        yield heat


def run_heat(
    model: OnnxPairModel, exits: Exits, heat: Heat, *, caution: float = 1.0, kept_tokens: KeptTokens | None = None
) -> None:
    """Run documents through a model, and note in their races what came out.

    Args:
        model: opened with the layers of the exits.
        exits: which decide who leaves.
        heat: what runs.
        caution: what the margins are multiplied by.
        kept_tokens: as in `PairModel.run`.
    """
    pairs = [race.pairs[index] for race, indices in heat for index in indices]
    tokens, n_tokens, truncated = model.tokenized(pairs, kept_tokens)
    start = 0
    running: list[tuple[Race, Indices, Indices]] = []  # with where each stands among the pairs
    for race, indices in heat:
        end = start + len(indices)
        race.n_tokens[indices], race.truncated[indices] = n_tokens[start:end], truncated[start:end]
        running.append((race, indices, np.arange(start, end)))
        start = end
    states: list[Rows | None] = [None] * len(pairs)
    for at, exit_ in enumerate((*exits.exits, None)):
        if not running:
            break
        places = np.concatenate([where for _, _, where in running])
        rows, reached = model.run_piece(at, [tokens[place] for place in places], [states[place] for place in places])
        values = relevance_logits(rows, model.labels) if exit_ is None else exit_.estimate(rows)
        start, going = 0, []
        for place, state in zip(places, reached, strict=True):
            states[place] = state
        for race, indices, where in running:
            race.logits[indices] = values[start : start + len(indices)]
            start += len(indices)
            if exit_ is not None:
                stays = race.staying(indices, caution * exit_.margin)
                race.left_after[indices[~stays]] = exit_.layer
                for place in where[~stays]:
                    states[place] = None
                indices, where = indices[stays], where[stays]
            if len(indices):
                going.append((race, indices, where))
        running = going
