"""Models that read two texts together: relevance and entailment."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpass.cancellation import check_cancelled
from secondpass.errors import InputError, ModelFormatError
from secondpass.models.batching import BatchRunner, Rows, portions, progress_bar
from secondpass.models.tokens import Batch, EncoderTokenizer, KeptTokens, Tokens

__all__ = ["PairModel", "PairOutput", "relevance_logits"]

# What checkpoints with two labels call the one that means relevant.
_RELEVANT = frozenset({"relevant", "relevance", "yes", "true", "positive"})


@dataclass(frozen=True, slots=True)
class PairOutput:
    """The output of a `PairModel` for pairs, one row or entry for each, in their order.

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
        takes_instruction: whether it was trained to be told what counts as relevant, and its prompt has a place for it.
    """

    fingerprint: str
    takes_instruction: bool = False

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

    def instructed(self, instruction: str) -> "PairModel":
        """Return a model that is told what counts as relevant; the weights are shared.

        Raises:
            InputError: this one takes no instruction, or this one is too long for it.
        """
        raise InputError(
            f"{self.name} takes no instruction: its prompt has no place for one. Leave it out, or use a model that was "
            f"trained with one, such as Qwen3-Reranker-0.6B"
        )

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

        A few megabytes of text are tokenized and scored at a time, so that memory does not grow with their number.

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
        unique = list(positions)
        sizes = [len(first) + len(second) for first, second in unique]
        logits = np.empty((len(unique), len(self.labels)), np.float32)
        n_tokens, truncated = np.empty(len(unique), np.int64), np.empty((len(unique), 2), np.bool_)
        with progress_bar(sum(sizes), "char", progress) as advance:
            for part in portions(sizes):
                check_cancelled()
                logits[part], n_tokens[part], truncated[part] = self._run(unique[part], kept_tokens, advance)
        repeated = np.ones(len(pairs), dtype=np.bool_)
        repeated[np.unique(scatter, return_index=True)[1]] = False
        return PairOutput(logits[scatter], n_tokens[scatter], truncated[scatter], repeated)

    def _run(
        self, pairs: list[tuple[str, str]], kept_tokens: KeptTokens | None, advance: Callable[[int], object]
    ) -> tuple[Rows, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the logits of a portion of pairs, how many tokens each has, and whether its texts were cut."""
        of_pairs, n_tokens, truncated = self.tokenized(pairs, kept_tokens)
        rows = self._runner.run(
            n_tokens.tolist(),
            self.batch_tokens,
            lambda indices: self._forward_pairs([pairs[i] for i in indices], [of_pairs[i] for i in indices]),
            lambda indices: advance(sum(len(text) for i in indices for text in pairs[i])),
        )
        return rows, n_tokens, truncated

    def tokenized(
        self, pairs: Sequence[tuple[str, str]], kept_tokens: KeptTokens | None = None
    ) -> tuple[list[tuple[Tokens, Tokens]], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the tokens of pairs, each text tokenized once; and ``n_tokens`` and ``truncated`` of `PairOutput`."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        made = self.tokenizer.tokenize(texts) if kept_tokens is None else kept_tokens.tokenize(self.tokenizer, texts)
        tokens = dict(zip(texts, made, strict=True))
        of_pairs = [(tokens[first], tokens[second]) for first, second in pairs]
        kept = np.array([self.tokenizer.pair_lengths(*pair) for pair in of_pairs])
        n_tokens = np.array([self.tokenizer.pair_length(*pair) for pair in of_pairs], dtype=np.int64)
        return of_pairs, n_tokens, kept < np.array([(first.length, second.length) for first, second in of_pairs])


def relevance_logits(logits: Rows, labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return one logit for each pair, from a head with one label, or with two of which one means relevant.

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
