"""What the T5 rerankers share: the model, the prompt, and what of long texts goes into it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.config import digest
from secondpass.errors import ConfigError, TruncationWarning, warn
from secondpass.models.sources.resolve import find_model, model_name
from secondpass.types import Trace

if TYPE_CHECKING:
    from secondpass.models.tokens import Tokens

__all__ = ["Dtype", "T5Reranker", "Texts"]

Texts = tuple[str, ...]
Dtype = Literal["float32", "float16", "bfloat16"]


class T5Reranker(Reranker):
    """Asks a T5 which of some tokens it would write first; a subclass says what it reads and what follows."""

    _prompt: ClassVar[tuple[str, ...]] = ("Query:", "Document:", "Relevant:")
    """What stands before the query, before each document, and at the end."""
    _answers: ClassVar[tuple[str, ...]] = ("true", "false")
    """The tokens whose logits are the result."""

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | None = None,
        dtype: Dtype | None = None,
        max_length: int = 512,
        batch_tokens: int | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        progress: bool = False,
    ) -> None:
        self.model = model_name(model)
        self.device, self.dtype, self.max_length, self.batch_tokens = device, dtype, max_length, batch_tokens
        self.revision, self.local_files_only, self.progress = revision, local_files_only, progress
        if batch_tokens is not None and (not isinstance(batch_tokens, int) or batch_tokens < 1):
            raise ConfigError(f"batch_tokens must be at least 1, or None, not {batch_tokens!r}")
        self._warned = False
        files = find_model(self.model, "rerank", backend="torch", revision=revision, local_files_only=local_files_only)
        from secondpass.models.t5 import T5Model

        self.t5_model = T5Model(files, device=device, dtype=dtype, max_length=max_length, batch_tokens=batch_tokens)
        self._answer_ids = [self.t5_model.token_id(word) for word in self._answers]
        self._fixed = [tokens.ids for tokens in self.t5_model.tokenizer.tokenize(self._prompt)]

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return digest([self.registry_name, self.t5_model.fingerprint])

    @property
    def _room(self) -> int:
        return self.max_length - 1 - sum(map(len, self._fixed))

    def _logits(self, inputs: Sequence[Texts]) -> tuple[npt.NDArray[np.float64], list[int], list[bool]]:
        """Return, for each query with its documents, the answers' logits, the tokens read, whether a text was cut."""
        distinct = list(dict.fromkeys(inputs))
        texts = list(dict.fromkeys(text for one in distinct for text in one))
        tokens = dict(zip(texts, self.t5_model.tokenizer.tokenize(texts), strict=True))
        sequences, truncated = [], []
        for query, *documents in distinct:
            ids, cut = self._sequence(tokens[query], [tokens[document] for document in documents])
            sequences.append(ids)
            truncated.append(cut)
        logits = self.t5_model.logits(sequences, self._answer_ids, progress=self.progress)
        at = {one: position for position, one in enumerate(distinct)}
        rows = [at[one] for one in inputs]
        lengths = [len(sequences[row]) + 1 for row in rows]
        return logits[rows].astype(np.float64), lengths, [truncated[row] for row in rows]

    def _sequence(self, query: "Tokens", documents: "list[Tokens]") -> "tuple[npt.NDArray[np.int32], bool]":
        """Put the prompt together; the documents are cut at their ends, so that what asks for the answer stays."""
        n_query = min(query.length, max(self._room - self._room // 4, self._room - sum(d.length for d in documents)))
        n_document = (self._room - n_query) // len(documents)
        before_query, *before, end = self._fixed
        parts = [before_query, query.ids[:n_query]]
        for fixed, document in zip(before, documents, strict=True):
            parts += [fixed, document.ids[:n_document]]
        cut = query.length > n_query or any(document.length > n_document for document in documents)
        return np.concatenate([*parts, end]), cut

    def _trace(self, lengths: Sequence[int], truncated: Sequence[bool], scored: int, notes: Texts = ()) -> Trace:
        counts = {"pairs": len(lengths), "pairs_scored": scored, "tokens": sum(lengths), "truncated": sum(truncated)}
        if counts["truncated"]:
            cut = f"{counts['truncated']} of {len(lengths)} inputs were cut to fit into {self.max_length} tokens"
            notes = (*notes, cut)
            if not self._warned:
                self._warned = True
                warn(f"{self.model}: {cut} (this is said once; the trace counts them)", TruncationWarning)
        return Trace(counts=counts, notes=notes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"
