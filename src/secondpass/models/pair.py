"""Models that read two texts together: relevance and, later, entailment."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.errors import ModelFormatError
from secondpass.models.batching import BatchRunner, Rows
from secondpass.models.tokens import Batch, EncoderTokenizer, KeptTokens, Tokens

__all__ = ["PairModel", "PairOutput", "relevance_logits"]

# What checkpoints with two labels call the one that means relevant.
_RELEVANT = frozenset({"relevant", "relevance", "yes", "true", "positive"})


@dataclass(frozen=True, slots=True)
class PairOutput:
    """What a `PairModel` says of pairs, one row or entry for each, in their order.

    Attributes:
        logits: shape (n_pairs, n_labels), float32.
        n_tokens: tokens that the model read for the pair, shape (n_pairs,), int64.
        truncated: whether the first and the second text were cut to fit, shape (n_pairs, 2), bool.
        repeated: whether the same pair stood before it, and so was not scored again, shape (n_pairs,), bool.
    """

    logits: Rows
    n_tokens: npt.NDArray[np.int64]
    truncated: npt.NDArray[np.bool_]
    repeated: npt.NDArray[np.bool_]


class PairModel(ABC):
    """An encoder with a head for labels, that reads two texts as one sequence.

    A backend writes `_forward` and sets `fingerprint` once the model is open; the tokens, the batches and their order
    are the same for all of them.
    Safe to share between threads, and to pickle: the weights are then loaded again.

    Args:
        name: what it is called in messages and configurations.
        labels: the checkpoint's own label names, in the order of the logits.
        tokenizer: the checkpoint's.
        batch_tokens: the most tokens in a batch, padding included; None for each pair alone.
        runner: the threads that batches run on.

    Attributes:
        fingerprint: the identity of all that can change a logit: weights, tokenizer and settings, as they were loaded.
    """

    fingerprint: str

    def __init__(
        self,
        name: str,
        labels: Sequence[str],
        tokenizer: EncoderTokenizer,
        batch_tokens: int | None,
        runner: BatchRunner,
    ) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens
        self._runner = runner

    @abstractmethod
    def _forward(self, batch: Batch) -> Rows:
        """Return the logits of a batch, shape (n_pairs, n_labels), float32."""

    def _forward_pairs(self, pairs: list[tuple[str, str]], tokens: list[tuple[Tokens, Tokens]]) -> Rows:
        """Return the logits of pairs that make one batch; a backend that writes its own prompt overrides it."""
        return self._forward(self.tokenizer.pair_batch(tokens))

    def logits(self, pairs: Sequence[tuple[str, str]]) -> Rows:
        """Return the logits of pairs of texts.

        Returns:
            Shape (n_pairs, n_labels), float32, whatever activation the checkpoint was saved with.
        """
        return self.run(pairs).logits

    def run(
        self, pairs: Sequence[tuple[str, str]], *, progress: bool = False, kept_tokens: KeptTokens | None = None
    ) -> PairOutput:
        """Score pairs of texts: identical ones once, in batches of similar length.

        Args:
            pairs: any number of them.
            progress: show a bar when it takes longer than a second.
            kept_tokens: those of texts that this model scored before.

        Raises:
            OutOfMemoryError: a single pair does not fit into memory.
            ScoringError: the backend failed; its own error is the cause.
        """
        positions: dict[tuple[str, str], int] = {}
        scatter = np.array([positions.setdefault(pair, len(positions)) for pair in pairs], dtype=np.intp)
        if not positions:
            nothing = np.empty((0, 2), np.bool_)
            return PairOutput(
                np.empty((0, len(self.labels)), np.float32), np.empty(0, np.int64), nothing, nothing[:, 0]
            )
        texts = list(dict.fromkeys(text for pair in positions for text in pair))
        made = self.tokenizer.tokenize(texts) if kept_tokens is None else kept_tokens.tokenize(self.tokenizer, texts)
        tokens = dict(zip(texts, made, strict=True))
        texts_of = list(positions)
        unique = [(tokens[first], tokens[second]) for first, second in texts_of]
        n_tokens = np.array([self.tokenizer.pair_length(*pair) for pair in unique], dtype=np.int64)
        kept = np.array([self.tokenizer.pair_lengths(*pair) for pair in unique])
        truncated = kept < np.array([(first.length, second.length) for first, second in unique])
        rows = self._runner.run(
            n_tokens.tolist(),
            self.batch_tokens,
            lambda indices: self._forward_pairs([texts_of[i] for i in indices], [unique[i] for i in indices]),
            progress,
        )
        repeated = np.ones(len(pairs), dtype=np.bool_)
        repeated[np.unique(scatter, return_index=True)[1]] = False
        return PairOutput(rows[scatter], n_tokens[scatter], truncated[scatter], repeated)


def relevance_logits(logits: Rows, labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return one logit for each pair, from a head with one label, or with one of two that means relevant.

    For two labels it is the difference of their logits: the log odds of the relevant one.

    Args:
        logits: shape (n_pairs, n_labels).
        labels: the checkpoint's label names.

    Raises:
        ModelFormatError: the names don't say which label means relevant.
    """
    if len(labels) == 1:
        return logits[:, 0].astype(np.float64)
    relevant = [at for at, label in enumerate(labels) if label.lower() in _RELEVANT]
    if len(labels) != 2 or len(relevant) != 1:
        raise ModelFormatError(
            f"the model's labels are {', '.join(labels)}: a reranker needs one label, or two of which one is called "
            f"{', '.join(sorted(_RELEVANT))}; correct id2label in its config.json if it is a reranker"
        )
    return (logits[:, relevant[0]].astype(np.float64)) - logits[:, 1 - relevant[0]]
