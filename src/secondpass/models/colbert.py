"""ColBERT on ONNX Runtime: a vector for each token, and the sum of the best matches (MaxSim)."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.forking import product
from secondpass.models.batching import BatchRunner, Rows, progress_bar
from secondpass.models.onnx_session import OnnxSession, read_tokenizer
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch, Tokens

__all__ = ["ColbertModel", "MaxSimOutput"]

# What the reference implementation puts behind [CLS] with vocabularies of BERT, and fills queries up with.
_QUERY_MARKER, _DOCUMENT_MARKER, _MASK = "[unused0]", "[unused1]", "[MASK]"
_N_SPECIALS = 3


@dataclass(frozen=True, slots=True)
class MaxSimOutput:
    """The scores of a `ColbertModel` for pairs, one entry for each, in their order.

    Attributes:
        values: the sum, over the query's vectors, of the highest cosine with any of the document's, float64.
        n_tokens: tokens of the document that the model read, special ones included.
        truncated: whether the document was cut.
        query_truncated: whether the query was.
    """

    values: npt.NDArray[np.float64]
    n_tokens: npt.NDArray[np.int64]
    truncated: npt.NDArray[np.bool_]
    query_truncated: npt.NDArray[np.bool_]


class ColbertModel:
    """A late-interaction encoder whose first output is a vector for each token.

    Safe to share between threads, and to pickle: the weights are then loaded again.

    Args:
        files: where it is.
        query_length: tokens that a query is cut to, or filled up to with ``[MASK]``, whose vectors count too.
        device: ``cpu`` (the default), ``cuda`` or ``cuda:N``.
        max_length: tokens that a document is cut to, special ones included.
        batch_tokens: tokens in a batch of documents; by default each document alone on a CPU.

    Raises:
        ModelIntegrityError: the file can't be read.
        ModelFormatError: it has no ONNX file, gives no vector for each token, or its vocabulary lacks the markers.
        ConfigError: a setting is out of range.

    Attributes:
        fingerprint: the identity of all that can change a score: weights, tokenizer and settings, as they were loaded.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        query_length: int,
        device: str | None = None,
        max_length: int | None = None,
        batch_tokens: int | None = None,
    ) -> None:
        self.files = files
        if files.weights.suffix != ".onnx":
            raise ModelFormatError(
                f"{files.name} was found as {files.weights.name}; late interaction runs from an ONNX file alone, "
                f"such as optimum-cli export onnx --task feature-extraction makes"
            )
        self.session = OnnxSession(files.weights, device)
        if len(self.session.output_shape) != 3:
            shape = self.session.output_shape
            raise ModelFormatError(
                f"{files.name} gives an output of shape {shape}, not (batch, tokens, dimensions), so it has no late "
                f"interaction"
            )
        # The model's own limit, which is the query's; documents may be given a lower one.
        self.tokenizer = read_tokenizer(files, None)
        self.session.check_vocabulary(self.tokenizer, files.name)
        self.max_length = files.max_length(max_length)
        if not _N_SPECIALS < query_length <= self.tokenizer.max_length:
            limit = self.tokenizer.max_length
            raise ConfigError(f"query_length must lie between {_N_SPECIALS + 1} and {limit}, not {query_length}")
        self.query_length = query_length
        self.batch_tokens = self.session.batch_tokens(batch_tokens)
        self._runner: BatchRunner = self.session.runner()
        markers = (_QUERY_MARKER, _DOCUMENT_MARKER, _MASK)
        self._query_id, self._document_id, self._mask_id = map(self.tokenizer.token_id, markers)
        punctuation = self.tokenizer.tokenize(list(string.punctuation))
        self._punctuation = np.unique([int(one.ids[0]) for one in punctuation if one.length == 1])
        # Last: it is the identity of what was opened.
        self.fingerprint = f"{files.identity()}-maxsim-{self.max_length}-{query_length}-{self.batch_tokens}"

    @property
    def document_tokens(self) -> int:
        """How many tokens of a document fit, without the special ones."""
        return self.max_length - _N_SPECIALS

    @property
    def query_tokens(self) -> int:
        """How many tokens of a query fit, without the special ones."""
        return self.query_length - _N_SPECIALS

    def query_vectors(self, query: str) -> Rows:
        """Return a query's vectors: shape (query_length, n_dimensions), float32, of length 1."""
        (tokens,) = self.tokenizer.tokenize([query])
        batch = self.tokenizer.single_batch([_marked(self._query_id, tokens.ids[: self.query_tokens])])
        filled = self.query_length - batch.input_ids.shape[1]
        ids = np.pad(batch.input_ids, ((0, 0), (0, filled)), constant_values=self._mask_id)
        # Nothing attends to the masks, but they attend to the query: each becomes a weighted term of it.
        mask = np.pad(batch.attention_mask, ((0, 0), (0, filled)))
        return _unit(self.session.run(Batch(ids, mask, np.zeros_like(ids)))[0])

    def document_vectors(self, texts: Sequence[str]) -> list[Rows]:
        """Return the vectors of each document: shape (n_tokens, n_dimensions), without those of punctuation."""
        return self._encode([self._document(tokens) for tokens in self.tokenizer.tokenize(texts)])

    def max_sim(self, pairs: Sequence[tuple[str, str]], *, progress: bool = False) -> MaxSimOutput:
        """Score (query, document) pairs; each distinct query and document is encoded once.

        Raises:
            OutOfMemoryError: a single document does not fit into memory.
            ScoringError: the backend failed; its own error is the cause.
        """
        vectors = {query: self.query_vectors(query) for query in dict.fromkeys(query for query, _ in pairs)}
        queries: dict[str, set[str]] = {}
        for query, text in pairs:
            queries.setdefault(text, set()).add(query)
        texts = list(queries)
        whole = self.tokenizer.tokenize(texts)
        documents = [self._document(tokens) for tokens in whole]
        lengths = [self.tokenizer.single_length(document) for document in documents]
        scores: dict[tuple[str, str], float] = {}

        def forward(indices: Any) -> Rows:
            # Scored here and then dropped: the vectors of many documents are gigabytes.
            for index, encoded in zip(indices, self._encode([documents[i] for i in indices]), strict=True):
                for query in queries[texts[index]]:
                    best = product(vectors[query], encoded.T).max(axis=1)
                    scores[query, texts[index]] = float(best.sum(dtype=np.float64))
            return np.zeros((len(indices), 1), dtype=np.float32)

        with progress_bar(sum(lengths), "tok", progress) as advance:
            self._runner.run(
                lengths, self.batch_tokens, forward, lambda indices: advance(sum(lengths[index] for index in indices))
            )
        at = {text: position for position, text in enumerate(texts)}
        rows = [at[text] for _, text in pairs]
        cut = np.array([tokens.length > self.document_tokens for tokens in whole])
        values = np.array([scores[pair] for pair in pairs])
        tokenized = zip(vectors, self.tokenizer.tokenize(list(vectors)), strict=True)
        cut_queries = {query for query, tokens in tokenized if tokens.length > self.query_tokens}
        query_cut = np.array([query in cut_queries for query, _ in pairs])
        return MaxSimOutput(values, np.array(lengths, dtype=np.int64)[rows], cut[rows], query_cut)

    def _document(self, tokens: Tokens) -> Tokens:
        return _marked(self._document_id, tokens.ids[: self.document_tokens])

    def _encode(self, documents: Sequence[Tokens]) -> list[Rows]:
        batch = self.tokenizer.single_batch(documents)
        kept = (batch.attention_mask == 1) & ~np.isin(batch.input_ids, self._punctuation)
        outputs = self.session.run(batch)
        return [_unit(vectors[mask]) for vectors, mask in zip(outputs, kept, strict=True)]

    def __getstate__(self) -> dict[str, Any]:
        settings = {"query_length": self.query_length, "device": self.session.device}
        return {
            "files": self.files,
            **settings,
            "max_length": self.max_length,
            "batch_tokens": self.batch_tokens,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        ColbertModel.__init__(self, **state)


def _marked(marker: int, ids: npt.NDArray[np.int32]) -> Tokens:
    return Tokens(np.concatenate([[marker], ids]).astype(np.int32), len(ids) + 1)


def _unit(vectors: Rows) -> Rows:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)
